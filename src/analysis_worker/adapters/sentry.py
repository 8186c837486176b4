"""Errors of handlers and of the engine, told to Sentry. Needs the SDK, which the extra `sentry` brings.

What an exception says stays in the worker's own log: it may quote the input, and inputs are health data. Sentry gets
what is code (types, stacks without the values of variables), the engine's own words for what happened, and the job's
id, by which the rest is found in the log.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from loguru import logger
from sentry_sdk import Client
from sentry_sdk.types import Event
from sentry_sdk.utils import BadDsn, event_from_exception

from analysis_worker.errors import ConfigurationError
from analysis_worker.redaction import redacted

if TYPE_CHECKING:
    from loguru import Message, Record

_FLUSH_SECONDS = 3.0
_TAGS = {"job_type": "type", "attempt": "attempt", "worker_id": "worker", "job_id": "job_id"}


@contextmanager
def reporting_errors(dsn: str) -> Iterator[None]:
    """Report what the engine logs as an error meanwhile, and what ends the block but for ConfigurationError.

    Raises ConfigurationError for a DSN that is none. An application may use the SDK for itself: this client is not the
    process's.
    """
    try:
        client = Client(
            dsn=dsn,
            release=f"analysis-worker@{version('analysis-worker')}",
            default_integrations=False,
            auto_enabling_integrations=False,
            include_local_variables=False,
            max_breadcrumbs=0,
            shutdown_timeout=_FLUSH_SECONDS,
        )
    except BadDsn as error:
        raise ConfigurationError(f"ANALYSIS_WORKER_SENTRY_DSN: {error}") from None
    sink = logger.add(partial(_report_line, client), level="ERROR", format="", filter=_is_of_the_engine)
    try:
        yield
    except Exception as error:
        if (crash := _without_configuration(error)) is not None:
            _report(client, "worker crashed", crash, {})
        raise
    finally:
        logger.remove(sink)
        client.close()


def _is_of_the_engine(record: Record) -> bool:
    return (record["name"] or "").startswith("analysis_worker.")


def _report_line(client: Client, message: Message) -> None:
    record = message.record
    exception = record["exception"]
    _report(client, record["message"], exception and exception.value, record["extra"])


def _report(client: Client, happened: str, error: BaseException | None, extra: dict[str, Any]) -> None:
    event: Event = {"level": "error"}
    if error is not None:
        event, _ = event_from_exception(error, client_options=client.options)
        for told in event["exception"]["values"]:
            told["value"] = ""
    event["logger"] = "analysis_worker"
    event["logentry"] = {"message": redacted(happened)}
    event["tags"] = {tag: str(extra[name]) for name, tag in _TAGS.items() if name in extra}
    client.capture_event(event)


def _without_configuration(error: Exception) -> Exception | None:
    if isinstance(error, ExceptionGroup):
        return error.split(ConfigurationError)[1]
    return None if isinstance(error, ConfigurationError) else error
