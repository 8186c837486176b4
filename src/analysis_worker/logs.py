"""One structured line per event on standard error: JSON for machines, text for people."""

from __future__ import annotations

import inspect
import json
import logging
import sys
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from loguru import logger

from analysis_worker.redaction import redacted

if TYPE_CHECKING:
    from loguru import Message

# Ids and words of our own; every job has two lines of them.
_HARMLESS = {"job_id", "worker_id", "lease_id", "job_type", "outcome", "status", "woken_by"}
# Their DEBUG and INFO lines hold keys (in URLs) and whole rows.
_TALKATIVE = ("httpx", "httpcore", "websockets", "hpack", "asyncio", "psycopg")

_ENCODER = json.JSONEncoder(default=str, ensure_ascii=False)
_redacted_event = lru_cache(maxsize=256)(redacted)


def configure_logging(log_format: str, level: str) -> None:
    """Send loguru and the standard library's loggers to standard error. `log_format`: auto, json or text."""
    as_text = log_format == "text" or (log_format == "auto" and sys.stderr.isatty())
    logger.remove()
    logger.add(
        _write_text if as_text else _write_json,
        level=level,
        format="{message}",
        backtrace=False,
        diagnose=False,  # it would print the values of variables
    )
    logging.basicConfig(handlers=[_ToLoguru()], level=logging.INFO, force=True)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("realtime").setLevel(logging.CRITICAL)  # what it calls an error is our listener's daily business


def _write_json(message: Message) -> None:
    record = message.record
    line: dict[str, Any] = {
        "time": record["time"].isoformat(),
        "level": record["level"].name.lower(),
        "event": _redacted_event(record["message"]),
        **_fields(record["extra"]),
    }
    if record["exception"] is not None:
        line["traceback"] = redacted(str(message).partition("\n")[2])
    sys.stderr.write(_ENCODER.encode(line) + "\n")


def _write_text(message: Message) -> None:
    record = message.record
    extra = _fields(record["extra"])
    fields = "".join(f" {name}={value}" for name, value in extra.items() if name != "worker_id")
    first, _, rest = redacted(str(message)).partition("\n")
    sys.stderr.write(f"{record['time']:%H:%M:%S.%f} {record['level'].name:<7} {first}{fields}\n{rest}")


def _fields(extra: Mapping[str, Any]) -> dict[str, Any]:
    """Numbers and our own words as they are; whatever else is text may hold anything."""
    return {
        name: value if name in _HARMLESS or isinstance(value, int | float | None) else redacted(str(value))
        for name, value in extra.items()
    }


class _ToLoguru(logging.Handler):
    """Standard library records become loguru records, at the depth of the code that logged them."""

    def emit(self, record: logging.LogRecord) -> None:
        depth, frame = 0, inspect.currentframe()
        while frame is not None and (depth == 0 or frame.f_code.co_filename == logging.__file__):
            frame, depth = frame.f_back, depth + 1
        logger.opt(depth=depth, exception=record.exc_info).log(record.levelname, record.getMessage())
