"""Could a worker work next to the database, with ANALYSIS_WORKER_DATABASE_URL? Asks as one would; changes nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from typing import TYPE_CHECKING
from uuid import UUID

import anyio

from analysis_worker.cli.doctor_findings import Finding, fault, ok, skipped, warning
from analysis_worker.errors import ConfigurationError, StoreUnavailableError

if TYPE_CHECKING:
    from analysis_worker.adapters.inspection import Inspection, Login

_PATIENCE_SECONDS = 30.0
_OWN_LOGIN = "create role worker_login login password '...' in role analysis_worker; connect as that."


async def check_database(url: str, newest_job: UUID | None) -> list[Finding]:
    """`newest_job` is one of the project at SUPABASE_URL, if it has any."""
    try:
        from analysis_worker.adapters.inspection import open_inspection  # noqa: PLC0415 - an extra
        from analysis_worker.adapters.postgres import read_database_url  # noqa: PLC0415
    except ImportError:
        fix = "pip install 'analysis-worker[postgres]'"
        return [fault("database", "ANALYSIS_WORKER_DATABASE_URL is set, and psycopg or its pool are not there", fix)]
    findings: list[Finding] = []
    try:
        with anyio.fail_after(_PATIENCE_SECONDS):
            async with open_inspection(read_database_url(url)) as inspection:
                findings.extend([finding async for finding in _inspect(inspection, newest_job)])
    except ConfigurationError as error:
        fix = "postgresql://user:password@host:5432/database; signs in a password as %40 for @, %2F for /."
        findings.append(fault("database", str(error), fix))
    except (StoreUnavailableError, TimeoutError) as error:
        fix = "Check ANALYSIS_WORKER_DATABASE_URL: host, port, login, password; and that this machine may connect."
        findings.append(fault("database", f"no answer: {str(error) or type(error).__name__}", fix))
    return findings


async def _inspect(inspection: Inspection, newest_job: UUID | None) -> AsyncIterator[Finding]:
    login = await inspection.describe_login()
    yield ok("database", f"reached as {login.name}")
    yield _check_rights(login)
    yield _check_session(await inspection.hears())
    if login.missing:
        yield skipped("same database", "without the worker's rights")
    elif newest_job is None:
        yield skipped("same database", "no job to know it by; analysis-worker test-enqueue makes one")
    else:
        yield _check_sameness(await inspection.knows(newest_job))


def _check_rights(login: Login) -> Finding:
    if login.missing:
        return fault("rights", f"{login.name} may not call {', '.join(login.missing)}", _grant(login))
    if login.powers:
        roles = _other_than(login.name, login.powers)
        return warning("rights", f"{login.name} passes row level security{roles}: a worker needs less", _OWN_LOGIN)
    if login.readable:
        detail = f"{login.name} may read {', '.join(login.readable)}: a worker needs less"
        return warning("rights", detail, f"Take that right from it, or: {_OWN_LOGIN}")
    return ok("rights", "those of a worker, and no more")


def _grant(login: Login) -> str:
    if not login.is_worker:
        return f'grant analysis_worker to "{login.name}"; -- and let it inherit'
    return "Grant execute on them to analysis_worker, in public and private, as the migrations do; see schema above."


def _other_than(login: str, roles: Collection[str]) -> str:
    return "" if login in roles else f" as {', '.join(roles)}"


def _check_session(hears: bool) -> Finding:
    if hears:
        return ok("session", "notifications come")
    fix = "Connect to the database itself or to a pooler in session mode; on Supabase that is port 5432 and not 6543."
    return fault("session", "no notification comes, as behind a pooler in transaction mode: nothing wakes workers", fix)


def _check_sameness(knows: bool) -> Finding:
    if knows:
        return ok("same database", "it knows the newest job of SUPABASE_URL")
    fix = "Take SUPABASE_URL and ANALYSIS_WORKER_DATABASE_URL from the same project."
    return fault("same database", "it does not know the newest job of SUPABASE_URL", fix)
