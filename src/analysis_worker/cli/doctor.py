"""`analysis-worker doctor`: what is wrong with this installation, and what to do about each of it."""

from __future__ import annotations

import platform
from collections.abc import Collection, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Annotated, Any
from urllib.parse import urlsplit
from uuid import UUID

import anyio
import typer
from pydantic import ValidationError

from analysis_worker.adapters.operators import Operations, open_operations
from analysis_worker.adapters.records import open_records
from analysis_worker.cli.doctor_database import check_database
from analysis_worker.cli.doctor_expected import read_expected
from analysis_worker.cli.doctor_findings import Finding, Level, fault, ok, warning
from analysis_worker.cli.doctor_installation import check_installation
from analysis_worker.cli.doctor_key import check_key
from analysis_worker.cli.doctor_queue import check_handlers, check_queue
from analysis_worker.cli.doctor_realtime import check_realtime
from analysis_worker.cli.operator import JsonOption, print_json
from analysis_worker.errors import StoreError, StoreRejectedError, StoreUnavailableError
from analysis_worker.migrations import migrations_directory
from analysis_worker.service import AppNotFoundError, load_app
from analysis_worker.settings import Settings, variable_of

EXIT_FAULTS = 1
_LIBRARIES = ("analysis-worker", "supabase", "realtime", "httpx", "pydantic")
_LOCAL = {"127.0.0.1", "localhost", "::1"}


def doctor(
    app: Annotated[
        str | None, typer.Option(help="The application, as package.module:name, to compare handlers.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Check configuration, key, schema, grants, Realtime, clocks, workers and queue; say how to mend what is wrong.

    Where ANALYSIS_WORKER_DATABASE_URL is set, also what workers next to the database need.

    Changes nothing. Exit codes: 0 nothing wrong but for warnings, 1 something is, 2 bad arguments.
    """
    findings = list(_examine(app))
    if json:
        print_json([asdict(finding) for finding in findings])
    else:
        _show(findings)
    if any(finding.level is Level.FAULT for finding in findings):
        raise typer.Exit(EXIT_FAULTS)


def _show(findings: list[Finding]) -> None:
    for finding in findings:
        typer.echo(f"{finding.level:<8} {finding.check:<13} {finding.detail}")
        if finding.fix:
            typer.echo(f"{'':<22} -> {finding.fix}")


def now() -> datetime:
    return datetime.now(UTC)


def _examine(app: str | None) -> Iterator[Finding]:
    yield _versions()
    try:
        settings = Settings()
        key = settings.current_key()
    except ValidationError as error:
        for problem in error.errors(include_input=False):
            variable = variable_of(problem["loc"])
            yield fault(
                "configuration", f"{variable}: {problem['msg']}", f"Set {variable} in the environment or in .env."
            )
        return
    except OSError as error:
        yield fault("configuration", f"the file with the key: {error.strerror}", "See SUPABASE_SECRET_KEY_FILE.")
        return
    yield _url(settings.supabase_url)
    yield check_key(key, now())
    with open_operations(settings.supabase_url, lambda: key) as operations:
        yield from _ask(operations, settings, app)
    if settings.database_url is not None:
        newest_job = _newest_job(settings.supabase_url, key)
        yield from anyio.run(check_database, settings.database_url.get_secret_value(), newest_job)


def _versions() -> Finding:
    libraries = ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)
    return ok("versions", f"{libraries}, Python {platform.python_version()}")


def _url(url: str) -> Finding:
    parts = urlsplit(url)
    if parts.scheme == "http" and parts.hostname not in _LOCAL:
        return warning("url", f"{url} is not encrypted: the key is readable on the way", "Use https in SUPABASE_URL.")
    return ok("url", url)


def _ask(operations: Operations, settings: Settings, app: str | None) -> Iterator[Finding]:
    try:
        began = now()
        found = operations.call("describe_installation", {})
        half_way = began + (now() - began) / 2
        stats = operations.call("queue_stats", {})
    except StoreError as error:
        yield _no_answer(error)
        return
    yield ok("queue API", "answers")
    yield from check_installation(found, read_expected(migrations_directory()), half_way)
    yield from anyio.run(check_realtime, settings.supabase_url, settings.current_key())
    yield from check_queue(stats)
    yield from _compare_handlers(app, settings, stats)


def _newest_job(url: str, key: str) -> UUID | None:
    with open_records(url, lambda: key) as records:
        try:
            found = records.read("analysis_jobs", {"select": "id", "order": "created_at.desc", "limit": "1"})
        except StoreError:  # said before, by the checks over HTTP
            return None
    return UUID(found[0]["id"]) if found else None


def _no_answer(error: StoreError) -> Finding:
    match error:
        case StoreRejectedError(code="PGRST202"):
            fix = "analysis-worker setup-db, or: supabase db push; then: notify pgrst, 'reload schema'"
            return fault("schema", "functions of the queue are missing", fix)
        case StoreRejectedError(code="42501"):
            fix = "With the right key: grant execute on the queue's functions to service_role, as the migrations do."
            return fault("grants", f"the key's role may not look: {error}", fix)
        case StoreRejectedError():
            return fault("key", f"refused: {error}", "Take this project's secret key into SUPABASE_SECRET_KEY.")
        case StoreUnavailableError() | _:
            return fault(
                "queue API", f"no answer: {error}", "Check SUPABASE_URL, the network, and the project's status."
            )


def _compare_handlers(app: str | None, settings: Settings, stats: Any) -> Iterator[Finding]:
    try:
        yield check_handlers(stats, None if app is None else anyio.run(_handled, app, settings))
    except AppNotFoundError as error:
        yield fault("handlers", str(error), "Name the application as package.module:name, importable from here.")


async def _handled(app: str, settings: Settings) -> Collection[str]:
    async with load_app(app)(settings) as handlers:
        return [handler.type for handler in handlers]
