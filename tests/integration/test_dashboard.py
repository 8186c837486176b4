"""The dashboard's pages and actions against a whole stack: what they show to whom, and what is stored afterwards."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any
from uuid import uuid4

import anyio
import psycopg
import pytest
from psycopg.types.json import Jsonb

from supabase_local.directory import StackVariables
from tests.integration.dashboards import OPERATOR, VIEWER, Dashboard, Person, running_dashboard

pytestmark = pytest.mark.anyio

TYPE = "dashed"
NASTY = "<script>alert('x')</script>\"><img src=x>"
SECRET = "secret-meal-of-somebody"
PAGES = ["", "?window=7d", "jobs", "jobs?status=failed", "types", "workers", "errors", "costs", "audit"]
Connection = psycopg.Connection[Any]


@pytest.fixture
def database(stack: StackVariables) -> Iterator[Connection]:
    with psycopg.connect(stack.db_url, autocommit=True) as connection:
        connection.execute("insert into public.analysis_types (type) values (%s) on conflict do nothing", [TYPE])
        yield connection
        connection.execute("truncate public.analysis_jobs, public.analysis_workers, public.analysis_audit cascade")
        connection.execute("delete from public.analysis_types where type = %s", [TYPE])


@pytest.fixture
async def dashboard(stack: StackVariables, database: Connection) -> AsyncIterator[Dashboard]:
    async with running_dashboard(stack) as running:
        yield running


@pytest.fixture
async def operator(dashboard: Dashboard) -> AsyncIterator[Person]:
    async with dashboard.person(OPERATOR) as person:
        yield person


@pytest.fixture
async def viewer(dashboard: Dashboard) -> AsyncIterator[Person]:
    async with dashboard.person(VIEWER) as person:
        yield person


def new_job(database: Connection, status: str = "pending", **columns: Any) -> str:
    now = datetime.now(UTC)
    values: dict[str, Any] = {"type": TYPE, "input": {"text": SECRET}, "status": status}
    match status:
        case "processing":
            lease = {"lease_id": uuid4(), "leased_by": "w1", "deadline_at": now + timedelta(hours=1)}
            values |= lease | {"attempt": 1, "started_at": now}
        case "failed":
            values |= {
                "attempt": 1,
                "started_at": now,
                "finished_at": now,
                "error": {"code": "broken", "message": "Bad."},
            }
        case "completed":
            values |= {"attempt": 1, "started_at": now, "finished_at": now, "result": {"text": SECRET}}
        case _:
            pass
    values |= columns
    names, places = ", ".join(values), ", ".join(["%s"] * len(values))
    row = database.execute(
        f"insert into public.analysis_jobs ({names}) values ({places}) returning id::text".encode(),
        [Jsonb(value) if isinstance(value, dict) else value for value in values.values()],
    ).fetchone()
    assert row is not None
    return str(row[0])


def new_attempt(database: Connection, job_id: str, **columns: Any) -> None:
    values = {"job_id": job_id, "lease_id": uuid4(), "attempt": 1, "worker_id": "w1"} | columns
    names, places = ", ".join(values), ", ".join(["%s"] * len(values))
    database.execute(
        f"insert into public.analysis_attempts ({names}) values ({places})".encode(),
        [Jsonb(value) if isinstance(value, dict) else value for value in values.values()],
    )


def status(database: Connection, job_id: str) -> Any:
    row = database.execute("select status from public.analysis_jobs where id = %s", [job_id]).fetchone()
    assert row is not None
    return row[0]


def audit(database: Connection) -> list[Any]:
    return database.execute("select actor, action, details from public.analysis_audit order by id").fetchall()


ACTOR = "service_role dashboard:token"

# Pages --------------------------------------------------------------------------------------------------------------


async def test_every_page_is_shown_to_both_and_may_do_nothing_foreign(
    database: Connection, operator: Person, viewer: Person
) -> None:
    for person, path in product((operator, viewer), PAGES):
        page = await person.get(path)
        assert page.status_code == 200, page.text
        assert page.text.count("<h1>") == 1
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["x-content-type-options"] == "nosniff"
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert not [inline for inline in (" style=", "onclick", "javascript:") if inline in page.text]
        assert OPERATOR not in page.text
        assert VIEWER not in page.text


async def test_what_comes_from_outside_is_text_on_every_page(database: Connection, operator: Person) -> None:
    failed = new_job(database, "failed", error={"code": NASTY, "message": NASTY})
    running = new_job(database, "processing", phase=NASTY, leased_by=NASTY)
    ended = {"outcome": "failed", "finished_at": datetime.now(UTC) + timedelta(seconds=1)}
    new_attempt(database, failed, worker_id=NASTY, error={"code": NASTY, "message": NASTY}, **ended)
    database.execute("insert into public.analysis_workers (id, state) values (%s, %s)", [NASTY, Jsonb({NASTY: NASTY})])
    database.execute(
        "insert into public.analysis_audit (actor, action, details) values (%s, %s, %s)",
        [NASTY, NASTY, Jsonb({"job_id": failed, "reason": NASTY, NASTY: NASTY})],
    )
    new_job(database, input={"text": NASTY})
    shown = 0
    for path in [*PAGES, f"jobs/{failed}", f"jobs/{running}", f"jobs?error_code={NASTY}", f"jobs?type={NASTY}"]:
        page = await operator.get(path)
        assert page.status_code == 200
        assert "<script>alert" not in page.text
        assert "<img" not in page.text
        shown += "&lt;script&gt;alert" in page.text
    assert shown >= 8


async def test_nobody_sees_what_jobs_contain_before_asking(
    database: Connection, operator: Person, viewer: Person
) -> None:
    jobs = [new_job(database, "completed"), new_job(database)]
    for person in (operator, viewer):
        for path in [*PAGES, *(f"jobs/{job_id}" for job_id in jobs)]:
            assert SECRET not in (await person.get(path)).text
    assert audit(database) == []


async def test_a_viewer_reads_codes_and_no_messages(database: Connection, operator: Person, viewer: Person) -> None:
    job_id = new_job(database, "failed", error={"code": "too_blurred", "message": "A photo of arroz."})
    ended = {"outcome": "failed", "finished_at": datetime.now(UTC) + timedelta(seconds=1)}
    new_attempt(database, job_id, error={"code": "too_blurred", "message": "A photo of arroz."}, **ended)
    for path in ("", "jobs", f"jobs/{job_id}", "errors"):
        assert "A photo of arroz." in (await operator.get(path)).text
        page = await viewer.get(path)
        assert "too_blurred" in page.text
        assert "A photo of arroz." not in page.text


async def test_the_list_is_filtered_and_goes_on(database: Connection, operator: Person) -> None:
    jobs = [new_job(database, "failed") for _ in range(51)]
    new_job(database, "completed")
    page = (await operator.get("jobs?status=failed")).text
    assert sum(f"/jobs/{job_id}" in page for job_id in jobs) == 50
    assert "Replay these" in page
    older = page.partition('href="/dashboard/jobs?')[2].partition('">Older')[0].rpartition('href="/dashboard/jobs?')[2]
    rest = (await operator.get("jobs?" + older.replace("&amp;", "&"))).text
    assert sum(f"/jobs/{job_id}" in rest for job_id in jobs) == 1


async def test_what_cannot_be_is_told_so(operator: Person) -> None:
    for path, status_code in {
        "jobs?status=done": 400,
        "jobs?user_id=me": 400,
        "?window=1y": 400,
        "audit?before=x": 400,
        "jobs/not-an-id": 404,
        f"jobs/{uuid4()}": 404,
        "types/nothing/pause": 404,
        "nothing": 404,
        "replay?status=completed": 400,
    }.items():
        page = await operator.get(path)
        assert page.status_code == status_code, path
        assert "To the overview" in page.text
        assert page.headers["content-security-policy"]


async def test_without_the_queue_there_is_a_page_that_says_so(stack: StackVariables) -> None:
    async with running_dashboard(stack, "http://127.0.0.1:1") as alone, alone.person(OPERATOR) as operator:
        page = await operator.get("")
    assert page.status_code == 503
    assert "The queue does not answer" in page.text


# Live ---------------------------------------------------------------------------------------------------------------


async def test_a_page_sends_what_has_changed(database: Connection, operator: Person) -> None:
    headers = {"accept": "text/event-stream"}
    with anyio.fail_after(20):
        async with operator.http.stream("GET", "types", headers=headers) as stream:
            assert stream.headers["content-type"].startswith("text/event-stream")
            lines = stream.aiter_lines()
            assert await anext(lines) == "event: message"
            async for line in lines:
                assert "Resume" not in line
                if not line:
                    break
            await operator.do(f"types/{TYPE}/pause")
            async for line in lines:
                if "Resume" in line:
                    return
    raise AssertionError("the stream ended")


async def test_who_looks_at_a_job_is_told_that_it_was_deleted(database: Connection, operator: Person) -> None:
    job_id = new_job(database)
    headers = {"accept": "text/event-stream"}
    with anyio.fail_after(20):
        async with operator.http.stream("GET", f"jobs/{job_id}", headers=headers) as stream:
            lines = stream.aiter_lines()
            assert await anext(lines) == "event: message"
            database.execute("delete from public.analysis_jobs where id = %s", [job_id])
            async for line in lines:
                if line == "event: trouble":
                    assert "There is no such job" in await anext(lines)
                    return
    raise AssertionError("the stream ended")


async def test_a_stream_is_for_those_who_are_signed_in(dashboard: Dashboard) -> None:
    async with dashboard.person() as nobody:
        assert (await nobody.get("types", accept="text/event-stream")).status_code == 401


# Actions ------------------------------------------------------------------------------------------------------------


async def test_a_failed_job_is_retried_on_record(database: Connection, operator: Person) -> None:
    job_id = new_job(database, "failed")
    answer = await operator.do(f"jobs/{job_id}/retry")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/dashboard/jobs/{job_id}?note=retried")
    assert "runs again" in (await operator.get(f"jobs/{job_id}?note=retried")).text
    assert status(database, job_id) == "pending"
    assert audit(database) == [(ACTOR, "replay_job", {"job_id": job_id, "status": "failed"})]


async def test_a_job_is_cancelled_on_record(database: Connection, operator: Person) -> None:
    job_id = new_job(database)
    await operator.do(f"jobs/{job_id}/cancel", reason="runs wild")
    assert status(database, job_id) == "cancelled"
    details = {"job_id": job_id, "status": "pending", "reason": "runs wild"}
    assert audit(database) == [(ACTOR, "cancel_job", details)]
    again = await operator.do(f"jobs/{job_id}/cancel")
    assert again.headers["location"].endswith("?note=unchanged")


async def test_a_type_is_paused_and_resumed_on_record(database: Connection, operator: Person) -> None:
    await operator.do(f"types/{TYPE}/pause", reason="provider is down")
    assert f"{TYPE}/resume" in (await operator.get("types")).text
    await operator.do(f"types/{TYPE}/resume")
    assert [(actor, action) for actor, action, _ in audit(database)] == [
        (ACTOR, "pause_type"),
        (ACTOR, "resume_type"),
    ]
    assert "provider is down" in (await operator.get("audit")).text


async def test_concurrency_is_changed_on_record(database: Connection, operator: Person) -> None:
    await operator.do(f"types/{TYPE}/concurrency", concurrency="7", concurrency_per_user="")
    row = database.execute(
        "select concurrency, concurrency_per_user from public.analysis_types where type = %s", [TYPE]
    ).fetchone()
    assert row == (7, None)
    assert [action for _, action, _ in audit(database)] == ["set_type_concurrency"]
    refused = await operator.do(f"types/{TYPE}/concurrency", concurrency="0")
    assert refused.status_code == 400


async def test_jobs_are_counted_and_then_replayed_by_filter(database: Connection, operator: Person) -> None:
    slow = {"code": "slow", "message": "Slow."}
    jobs = [new_job(database, "failed", error=slow) for _ in range(3)]
    other = new_job(database, "failed")
    path = f"replay?type={TYPE}&status=failed&error_code=slow"
    assert "3 failed jobs" in (await operator.get(path)).text
    await operator.do(path, max_jobs="2")
    assert [status(database, job_id) for job_id in jobs].count("pending") == 2
    assert status(database, other) == "failed"
    ((actor, action, details),) = audit(database)
    assert (actor, action, details["replayed"], details["error_code"]) == (ACTOR, "replay_jobs", 2, "slow")


async def test_contents_are_shown_to_who_says_why_and_goes_on_record(database: Connection, operator: Person) -> None:
    job_id = new_job(database, "completed")
    assert (await operator.do(f"jobs/{job_id}/contents", reason=" ")).status_code == 400
    assert audit(database) == []
    page = await operator.do(f"jobs/{job_id}/contents", reason="the user asked")
    assert page.status_code == 200
    assert page.text.count(SECRET) == 2
    assert page.headers["cache-control"] == "no-store"
    assert audit(database) == [(ACTOR, "reveal_job", {"job_id": job_id, "reason": "the user asked"})]


def actions(job_id: str) -> list[str]:
    return [
        f"jobs/{job_id}/retry",
        f"jobs/{job_id}/cancel",
        f"jobs/{job_id}/contents",
        f"types/{TYPE}/pause",
        f"types/{TYPE}/resume",
        f"types/{TYPE}/concurrency",
        "replay",
    ]


FIELDS = {"reason": "why", "concurrency": "1", "status": "failed", "max_jobs": "10"}


async def test_a_viewer_changes_nothing_and_sees_no_contents(
    database: Connection, operator: Person, viewer: Person
) -> None:
    job_id = new_job(database, "failed")
    token = (await operator.hidden(f"jobs/{job_id}/retry"))["form_token"]
    for path in actions(job_id):
        assert (await viewer.get(path)).status_code == 403
        answer = await viewer.post(path, FIELDS | {"form_token": token})
        assert answer.status_code == 403
        assert SECRET not in answer.text
    for path in ("types", f"jobs/{job_id}", "jobs?status=failed"):
        page = (await viewer.get(path)).text
        assert not [link for link in ("/pause", "/retry", "/contents", "/replay?") if link in page]
    assert (status(database, job_id), audit(database)) == ("failed", [])


@pytest.mark.parametrize(
    ("forge", "headers"),
    [
        ({"form_token": ""}, {}),
        ({"form_token": "x" * 43}, {}),
        ({}, {"origin": "https://evil.example"}),
        ({}, {"origin": "null"}),
        ({}, {"origin": ""}),
    ],
    ids=["no token", "wrong token", "foreign origin", "null origin", "no origin"],
)
async def test_a_form_that_is_not_ours_changes_nothing(
    database: Connection, operator: Person, forge: dict[str, str], headers: dict[str, str]
) -> None:
    job_id = new_job(database, "failed")
    token = await operator.hidden(f"jobs/{job_id}/retry")
    for path in actions(job_id):
        answer = await operator.post(path, FIELDS | token | forge, **headers)
        assert answer.status_code == 403
    assert (status(database, job_id), audit(database)) == ("failed", [])


async def test_a_form_of_another_session_changes_nothing(
    dashboard: Dashboard, database: Connection, operator: Person
) -> None:
    job_id = new_job(database, "failed")
    async with dashboard.person(OPERATOR) as other:
        token = await other.hidden(f"jobs/{job_id}/retry")
    assert (await operator.post(f"jobs/{job_id}/retry", token)).status_code == 403
    assert status(database, job_id) == "failed"


async def test_a_program_acts_with_the_token_itself(dashboard: Dashboard, database: Connection) -> None:
    job_id = new_job(database, "failed")
    for token, status_code in ((VIEWER, 403), ("x" * 30, 401), (OPERATOR, 303)):
        async with dashboard.person(headers={"authorization": f"Bearer {token}"}) as program:
            answer = await program.post(f"jobs/{job_id}/retry", {}, origin="")
            assert answer.status_code == status_code
    assert status(database, job_id) == "pending"


async def test_an_action_is_never_a_get(database: Connection, operator: Person) -> None:
    job_id = new_job(database, "failed")
    for path in actions(job_id):
        await operator.get(f"{path}?status=failed")
    assert (status(database, job_id), audit(database)) == ("failed", [])
