"""`analysis-worker jobs`, `job`, `retry`, `cancel`, `replay`: single jobs, and many by what they have in common."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

import typer

from analysis_worker.cli.operator import EXIT_REFUSED, JsonOption, ReasonOption, fail, operations, print_json
from analysis_worker.cli.queue_access import access, parse_since, seconds, show_table
from analysis_worker.jobs import JobStatus

_LISTED = "id,type,status,attempt,max_attempts,user_id,created_at,started_at,finished_at,progress,phase,error,cached"
_SHOWN = f"{_LISTED},priority,scheduled_at,rescues,leased_by,deadline_at"
_CONTENT = "input,result"
_ATTEMPT = "attempt,worker_id,started_at,finished_at,outcome,error,usage"
IdArgument = Annotated[UUID, typer.Argument(metavar="ID", help="The job's id.")]
TypeOption = Annotated[str | None, typer.Option("--type", help="Of this type.")]
CodeOption = Annotated[str | None, typer.Option("--error-code", help="Failed with this code.")]
SinceOption = Annotated[str | None, typer.Option(help="Not before: a time, or how long ago (90s, 30m, 2h, 7d).")]


class Ended(StrEnum):
    """What can be replayed."""

    FAILED = "failed"
    CANCELLED = "cancelled"


def jobs(  # noqa: PLR0913, PLR0917 - a command's options are its arguments
    type: TypeOption = None,
    status: Annotated[JobStatus | None, typer.Option(help="In this status.")] = None,
    user: Annotated[UUID | None, typer.Option(help="Of this user.")] = None,
    error_code: CodeOption = None,
    since: SinceOption = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 50,
    json: JsonOption = False,
) -> None:
    """List jobs, the newest first, without their contents."""
    filters = _filters(type=type, status=status, user_id=user, code=error_code)
    if since := parse_since(since, datetime.now(UTC)):
        filters["created_at"] = f"gte.{since}"
    with access() as opened:
        rows = opened.records.read(
            "analysis_jobs", {"select": _LISTED, "order": "created_at.desc", "limit": str(limit)} | filters
        )
    if json:
        print_json(rows)
        return
    columns = ("id", "type", "status", "attempt ", "created", "ran ", "error")
    show_table(columns, [_listed(row) for row in rows])


def _filters(code: str | None, **equal: object) -> dict[str, str]:
    filters = {column: f"eq.{value}" for column, value in equal.items() if value is not None}
    return filters | ({} if code is None else {"error->>code": f"eq.{code}"})


def _listed(row: dict[str, Any]) -> tuple[object, ...]:
    attempt = "cached" if row["cached"] else f"{row['attempt']}/{row['max_attempts']}"
    code = (row["error"] or {}).get("code")
    return row["id"], row["type"], row["status"], attempt, _moment(row["created_at"]), _ran(row), code


def _moment(text: str | None) -> str:
    return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M:%S}" if text else ""


def _ran(row: dict[str, Any]) -> str:
    if not (row["started_at"] and row["finished_at"]):
        return ""
    ran = datetime.fromisoformat(row["finished_at"]) - datetime.fromisoformat(row["started_at"])
    return seconds(ran.total_seconds())


def job(
    job_id: IdArgument,
    content: Annotated[bool, typer.Option("--content", help="Show input and result too: somebody's data.")] = False,
    json: JsonOption = False,
) -> None:
    """Show one job with all its attempts."""
    columns = f"{_SHOWN},{_CONTENT}" if content else _SHOWN
    with access() as opened:
        found = opened.records.read("analysis_jobs", {"select": columns, "id": f"eq.{job_id}"})
        attempts = opened.records.read(
            "analysis_attempts", {"select": _ATTEMPT, "job_id": f"eq.{job_id}", "order": "started_at"}
        )
    if not found:
        fail("PT404: job not found", EXIT_REFUSED)
    if json:
        print_json(found[0] | {"attempts": attempts})
        return
    for name, value in found[0].items():
        if value not in (None, ""):
            typer.echo(f"{name:<14}{value}")
    if attempts:
        typer.echo()
        show_table(
            ("attempt ", "outcome", "started", "ran ", "worker", "error", "usage"), list(map(_attempt, attempts))
        )


def _attempt(row: dict[str, Any]) -> tuple[object, ...]:
    error = f"{row['error']['code']}: {row['error']['message']}" if row["error"] else ""
    return (
        row["attempt"], row["outcome"] or "running", _moment(row["started_at"]), _ran(row), row["worker_id"], error,
        row["usage"],
    )  # fmt: skip


def retry(job_id: IdArgument, json: JsonOption = False) -> None:
    """Run a failed or cancelled job again, from its first attempt."""
    _end("replay_job", {"job_id": str(job_id)}, "replayed", json)


def cancel(job_id: IdArgument, reason: ReasonOption = None, json: JsonOption = False) -> None:
    """Cancel anybody's pending or running job, now and for good; `retry` runs it again."""
    _end("cancel_job", {"job_id": str(job_id), "reason": reason}, "cancelled", json)


def _end(function: str, arguments: dict[str, Any], done: str, json: bool) -> None:
    with operations() as opened:
        answer = opened.call(function, arguments)
    if json:
        print_json(answer)
    else:
        typer.echo(f"{answer['id']}: {answer['status']}{'' if answer[done] else ', as it was'}")
    if not answer[done]:
        raise typer.Exit(EXIT_REFUSED)


def replay(  # noqa: PLR0913, PLR0917 - a command's options are its arguments
    type: TypeOption = None,
    status: Annotated[Ended, typer.Option(help="In this status.")] = Ended.FAILED,
    error_code: CodeOption = None,
    since: SinceOption = None,
    max_jobs: Annotated[int, typer.Option(min=1, max=1000, help="At most so many, those that ended first.")] = 100,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say how many it would be.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    json: JsonOption = False,
) -> None:
    """Run ended jobs again by what they have in common. Asks first where somebody sits at the terminal."""
    moment = parse_since(since, datetime.now(UTC))
    filters = _filters(type=type, status=status, code=error_code)
    with access() as opened:
        matching = opened.records.count("analysis_jobs", filters | ({"finished_at": f"gte.{moment}"} if moment else {}))
        would = min(matching, max_jobs)
        if dry_run:
            _tell_replayed({"matching": matching, "would_replay": would}, f"{would} of {matching} jobs", json)
            return
        if not yes and sys.stdin.isatty() and not typer.confirm(f"Run {would} of {matching} jobs again?", err=True):
            fail("nothing was changed", EXIT_REFUSED)
        answer = opened.operations.call(
            "replay_jobs",
            {"type": type, "status": status, "error_code": error_code, "since": moment, "max_jobs": max_jobs},
        )
    _tell_replayed(answer, f"{answer['replayed']} jobs run again", json)


def _tell_replayed(answer: dict[str, Any], text: str, json: bool) -> None:
    if json:
        print_json(answer)
    else:
        typer.echo(text)
