"""The doctor beside a worker that sits next to the database: one planted fault at a time, and no other is found."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from uuid import UUID

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from analysis_worker.cli.doctor_database import check_database
from analysis_worker.cli.doctor_findings import Finding, Level
from supabase_local.postgres import SUPERUSER
from supabase_local.temporary import free_port
from tests.chaos.proxy import running_proxy
from tests.chaos.ways import NOTIFICATION
from tests.databases import Databases, as_worker

pytestmark = pytest.mark.anyio

PASSWORD = "correct-horse-battery"


@pytest.fixture
def owner(migrated: str) -> str:
    """The URL of the superuser there."""
    return make_conninfo(migrated, user=SUPERUSER)


@pytest.fixture
def login(owner: str) -> Iterator[str]:
    """The URL of a login that may do nothing yet but connect."""
    execute(owner, f"create role patient login password '{PASSWORD}'")
    yield make_conninfo(owner, user="patient", password=PASSWORD)
    execute(owner, "drop owned by patient", "drop role patient")


def execute(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as owner:
        for statement in statements:
            owner.execute(statement.encode())


def new_job(url: str) -> UUID:
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute("insert into public.analysis_types (type) values ('seen') on conflict do nothing")
        row = owner.execute(
            "insert into public.analysis_jobs (type, input) values ('seen', '{}') returning id"
        ).fetchone()
    assert row is not None
    job_id: UUID = row[0]
    return job_id


async def look(url: str, newest_job: UUID | None = None) -> dict[str, Finding]:
    """What is not well, by check; says nothing of the password, and how to mend each."""
    findings = await check_database(url, newest_job)
    assert PASSWORD not in str(findings)
    wrong = {finding.check: finding for finding in findings if finding.level in {Level.FAULT, Level.WARNING}}
    assert all(finding.fix for finding in wrong.values())
    return wrong


async def test_the_login_of_the_documentation_is_well(migrated: str) -> None:
    findings = await check_database(as_worker(migrated), new_job(migrated))
    assert {finding.check: finding.level for finding in findings} == dict.fromkeys(
        ["database", "rights", "session", "same database"], Level.OK
    )


async def test_without_a_job_nothing_is_said_of_the_project(migrated: str) -> None:
    findings = await check_database(as_worker(migrated), None)
    assert [finding.check for finding in findings if finding.level is Level.SKIPPED] == ["same database"]


async def test_a_login_without_the_rights_is_found_and_the_fix_mends_it(owner: str, login: str) -> None:
    wrong = await look(login)
    assert wrong.keys() == {"rights"}
    assert wrong["rights"].level is Level.FAULT
    assert "patient may not call claim_job, deregister_worker, heartbeat_worker" in wrong["rights"].detail
    execute(owner, wrong["rights"].fix)
    assert await look(login, new_job(owner)) == {}


@pytest.mark.parametrize("schema", ["public", "private"])
async def test_a_function_that_workers_may_not_call_is_named(migrated: str, schema: str) -> None:
    execute(migrated, f"revoke execute on function {schema}.settle_jobs from analysis_worker")
    wrong = await look(as_worker(migrated), new_job(migrated))
    assert wrong.keys() == {"rights"}
    assert wrong["rights"].detail.endswith("may not call settle_jobs")
    assert "to analysis_worker" in wrong["rights"].fix


@pytest.mark.parametrize(
    ("statement", "detail"),
    [
        ("alter role patient bypassrls", "patient passes row level security: a worker needs less"),
        ("grant service_role to patient", "patient passes row level security as service_role: a worker needs less"),
        ("grant select on public.analysis_jobs to patient", "patient may read analysis_jobs: a worker needs less"),
    ],
)
async def test_a_login_that_may_more_than_a_worker_is_a_warning(
    owner: str, login: str, statement: str, detail: str
) -> None:
    execute(owner, "grant analysis_worker to patient", statement)
    wrong = await look(login)
    assert [(finding.level, finding.detail) for finding in wrong.values()] == [(Level.WARNING, detail)]


async def test_a_session_whose_notifications_never_come_is_found(
    databases: Databases, migrated: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pooler in transaction mode gives them to whoever has the connection then."""
    monkeypatch.setattr("analysis_worker.adapters.inspection._HEAR_SECONDS", 1.0)
    with running_proxy(databases.server.port) as pooler:
        pooler.drops = NOTIFICATION
        url = make_conninfo(as_worker(migrated), host=pooler.address, port=pooler.port)
        wrong = await look(url, new_job(migrated))
    assert wrong.keys() == {"session"}
    assert "session mode" in wrong["session"].fix


async def test_a_database_of_another_project_is_found(databases: Databases, migrated: str) -> None:
    with databases.copied("migrated") as other:
        wrong = await look(as_worker(migrated), new_job(databases.url(other)))
    assert wrong.keys() == {"same database"}


async def test_a_database_without_the_queue_is_found(databases: Databases) -> None:
    with databases.copied("platform") as empty:
        wrong = await look(databases.url(empty))
    assert wrong.keys() == {"rights"}


@pytest.mark.parametrize(
    ("parts", "detail"),
    [
        ({"password": PASSWORD + "x"}, "password authentication failed"),
        ({"dbname": "nowhere"}, 'database "nowhere" does not exist'),
        ({"port": free_port()}, "Connection refused"),
    ],
)
async def test_a_database_that_cannot_be_reached_is_found(login: str, parts: dict[str, str | int], detail: str) -> None:
    wrong = await look(make_conninfo(login, **parts))
    assert wrong.keys() == {"database"}
    assert detail in wrong["database"].detail


@pytest.mark.parametrize("url", [f"https://{PASSWORD}@x", f"postgresql://patient:p@{PASSWORD}@127.0.0.1/postgres"])
async def test_a_url_that_is_none_is_found_and_not_shown(url: str) -> None:
    assert (await look(url)).keys() == {"database"}


async def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg_pool", None)
    for module in ("inspection", "postgres"):
        monkeypatch.delitem(sys.modules, f"analysis_worker.adapters.{module}", raising=False)
    wrong = await look("postgresql://x")
    assert wrong["database"].fix == "pip install 'analysis-worker[postgres]'"
