"""`analysis-worker logs`: what happened to jobs, as the queue tells it."""

from __future__ import annotations

import json as json_module
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

import anyio
import anyio.to_thread
import typer

from analysis_worker.cli.operator import operations
from analysis_worker.cli.queue_access import parse_since
from analysis_worker.errors import StoreUnavailableError
from analysis_worker.jobs import JobStatus
from analysis_worker.settings import Settings

_LOOK_SECONDS = 5.0
_BREATH_SECONDS = 0.3  # a busy queue changes all the time
_LATE = timedelta(seconds=10)
"""A line's time is when its statement ran, and others see it only after the commit."""
_MOST_LINES = 10000
Line = dict[str, Any]
Read = Callable[[datetime | None], list[Line]]


def logs(  # noqa: PLR0913, PLR0917 - a command's options are its arguments
    job_id: Annotated[UUID | None, typer.Argument(metavar="JOB", help="Of this job alone, all of it.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what happens, until Ctrl-C.")] = False,
    type: Annotated[str | None, typer.Option("--type", help="Of this type.")] = None,
    status: Annotated[JobStatus | None, typer.Option(help="Of jobs that are in this status now.")] = None,
    since: Annotated[
        str | None, typer.Option(help="Not before: a time, or how long ago (90s, 30m, 2h, 7d). An hour unless said.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=_MOST_LINES, help="At most so many, the newest.")] = 200,
    json: Annotated[bool, typer.Option("--json", help="Print each line as a JSON document.")] = False,
) -> None:
    """Show what happened to jobs: enqueued, claimed, each attempt's end, the job's end, what operators did.

    It is the queue's own log, read from its tables, without what jobs contain. What a worker logs itself goes to its
    standard error: `docker logs`, or the log of its container.
    """
    filters = {"job_id": job_id and str(job_id), "type": type, "status": status}
    begin_at = parse_since(since, datetime.now(UTC))
    show = _show_json if json else _show_text
    with operations() as opened:
        seen = _Seen()
        lines: list[Line] = opened.call("read_log", filters | {"since": begin_at, "max_lines": limit})
        show(seen.new(lines))
        if not follow:
            return

        def read(after: datetime | None) -> list[Line]:
            from_ = after.isoformat() if after else begin_at
            answer: list[Line] = opened.call("read_log", filters | {"since": from_, "max_lines": _MOST_LINES})
            return answer

        with suppress(KeyboardInterrupt):
            anyio.run(_follow, read, seen, show)


async def _follow(read: Read, seen: _Seen, show: Callable[[Iterable[Line]], None]) -> None:
    from analysis_worker.adapters.changes import hearing_changes  # noqa: PLC0415 - a second that only followers pay

    settings = Settings()
    async with hearing_changes(settings.supabase_url, settings.current_key()) as changed:
        while True:
            try:
                show(seen.new(await anyio.to_thread.run_sync(read, seen.overlap, abandon_on_cancel=True)))
            except StoreUnavailableError as error:
                typer.echo(f"no answer, asking again: {error}", err=True)
            await anyio.sleep(_BREATH_SECONDS)
            with anyio.move_on_after(_LOOK_SECONDS):
                await changed.wait()
            changed.clear()


@dataclass(slots=True)
class _Seen:
    """Which lines were shown. The last seconds are read again and again, since lines can come late."""

    _lines: dict[str, datetime] = field(default_factory=dict)
    _first: datetime | None = None

    @property
    def overlap(self) -> datetime | None:
        """From when to read on; never from before the first line that was shown."""
        return max(max(self._lines.values()) - _LATE, self._first) if self._lines and self._first else None

    def new(self, lines: Iterable[Line]) -> list[Line]:
        found = {json_module.dumps(line, sort_keys=True): line for line in lines}
        unseen = [line for name, line in found.items() if name not in self._lines]
        self._first = self._first or min((datetime.fromisoformat(line["at"]) for line in unseen), default=None)
        self._lines |= {name: datetime.fromisoformat(line["at"]) for name, line in found.items()}
        if (overlap := self.overlap) is not None:
            self._lines = {name: at for name, at in self._lines.items() if at >= overlap}
        return unseen


def _show_json(lines: Iterable[Line]) -> None:
    for line in lines:
        typer.echo(json_module.dumps(line, ensure_ascii=False))


def _show_text(lines: Iterable[Line]) -> None:
    for line in lines:
        typer.echo(_text(line))


def _text(line: Line) -> str:
    at = datetime.fromisoformat(line["at"]).astimezone()
    fields = {
        "attempt": line["attempt"],
        "by": line["by"],
        "code": line["code"],
        **(line["details"] or {}),
    }
    told = "".join(f" {name}={value}" for name, value in fields.items() if value is not None)
    return f"{at:%Y-%m-%d %H:%M:%S.%f} {line['event']:<17} {line['type'] or '-'} {line['job_id'] or '-'}{told}"
