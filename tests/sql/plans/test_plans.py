"""Every function stays on its indexes, with a long past and a long queue, whatever the statistics say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.types.json import Jsonb

from supabase_local.postgres import SUPERUSER
from tests.databases import ROOT, Databases
from tests.sql.factories import Session
from tests.sql.plans.explained import Explained, Explainer, explaining

SETTLED, PENDING, USERS, OF_ONE_USER = 1_000_000, 100_000, 1_000, 10_000
TABLES = "public.analysis_jobs, public.analysis_attempts, public.analysis_queue, public.analysis_workers"
REPEATS = 8
"""As often as it takes for a session to plan once and for all, and then some."""
pytestmark = pytest.mark.timeout(300)


@dataclass(slots=True)
class Backlog:
    """Of type busy, waiting for many users; of type alone, all of one user."""

    url: str
    owner: Session

    def explaining(self, role: str = "service_role", user_id: UUID | None = None) -> AbstractContextManager[Explainer]:
        return explaining(self.url, role, user_id)


@contextmanager
def empty_backlog(databases: Databases) -> Iterator[Backlog]:
    """Without statistics until somebody makes them."""
    with (
        databases.copied("migrated") as name,
        psycopg.connect(databases.url(name, SUPERUSER), autocommit=True) as owner,
    ):
        for table in TABLES.split(", "):
            owner.execute(f"alter table {table} set (autovacuum_enabled = off)")
        owner.execute((ROOT / "benchmarks" / "fill_queue.sql").read_text().encode())
        yield Backlog(databases.url(name, SUPERUSER), owner)


@pytest.fixture(scope="module")
def unforeseen(databases: Databases) -> Iterator[Backlog]:
    """What waits has come since the statistics were made."""
    with empty_backlog(databases) as backlog:
        owner = backlog.owner
        owner.execute("call pg_temp.add_settled('busy', %s, %s)", [SETTLED, USERS])
        owner.execute(f"vacuum (analyze) {TABLES}")
        owner.execute("call pg_temp.add_pending('busy', %s, %s)", [PENDING, USERS])
        owner.execute("call pg_temp.add_pending('alone', %s, 1)", [OF_ONE_USER])
        owner.execute("update public.analysis_types set timeout_seconds = 86400")
        yield backlog


@pytest.fixture(scope="module")
def backlog(unforeseen: Backlog) -> Backlog:
    """The same, and the statistics know."""
    unforeseen.owner.execute(f"vacuum (analyze) {TABLES}")
    return unforeseen


def user_of(backlog: Backlog, type: str) -> UUID:
    """Somebody with pending jobs."""
    found = backlog.owner.execute(
        "select user_id from public.analysis_jobs where type = %s and status = 'pending' limit 1", [type]
    ).fetchone()
    assert found is not None
    user_id: UUID = found[0]
    return user_id


def whole_reads(calls: list[Explained], but: str = "") -> set[str]:
    """Tables that grow and were read from end to end."""
    small = {"analysis_types", "analysis_workers", but}
    return {read for call in calls for read in call.whole_reads() if read.partition(":")[0] not in small}


def repeated(explainer: Explainer, function: str, **arguments: Any) -> list[Explained]:
    """Without the first calls of the session, which read the catalogue too."""
    return [explainer.call(function, **arguments) for _ in range(REPEATS)][2:]


def claims(explainer: Explainer, types: list[str], max_jobs: int) -> Iterator[Explained]:
    for _ in range(REPEATS):
        claim = explainer.call("claim_job", worker_id="w1", lease_id=uuid4(), types=types, max_jobs=max_jobs)
        assert len(claim.answer) == max_jobs
        yield claim


def check_claims(backlog: Backlog, types: list[str], max_jobs: int) -> None:
    with backlog.explaining() as explainer:
        for number, claim in enumerate(claims(explainer, types, max_jobs)):
            assert whole_reads([claim]) == set()
            assert claim.rows("analysis_queue") <= 100 + 8 * max_jobs
            assert claim.rows("analysis_jobs") <= 10 + 8 * max_jobs
            assert claim.rows("analysis_attempts") <= 10 + 4 * max_jobs
            # The first calls of a session read the catalogue too.
            assert number < 2 or claim.pages <= 100 + 120 * max_jobs


@pytest.mark.parametrize("types", [["busy"], ["alone"], ["busy", "alone"]], ids=" ".join)
@pytest.mark.parametrize("max_jobs", [1, 20])
def test_a_claim_reads_little_more_than_it_takes_though_the_statistics_know_of_no_job(
    unforeseen: Backlog, types: list[str], max_jobs: int
) -> None:
    check_claims(unforeseen, types, max_jobs)


def enqueued(explainer: Explainer) -> list[Explained]:
    """New jobs, none like another."""
    return [explainer.call("enqueue_analysis", type="busy", input=Jsonb({"n": str(uuid4())})) for _ in range(REPEATS)]


def check_enqueuing(calls: list[Explained]) -> None:
    assert whole_reads(calls) == set()
    assert max(enqueuing.rows("analysis_jobs") for enqueuing in calls) <= 20
    assert max(enqueuing.rows("analysis_queue") for enqueuing in calls) <= 20


def test_enqueuing_reads_little_in_a_session_that_knew_the_queue_empty(databases: Databases) -> None:
    with empty_backlog(databases) as backlog:
        backlog.owner.execute("insert into public.analysis_types (type) values ('busy')")
        users = [uuid4() for _ in range(20)]
        backlog.owner.execute("insert into auth.users (id) select unnest(%s::uuid[])", [users])
        with backlog.explaining("authenticated", users[0]) as explainer:
            for user_id in users:
                claims = json.dumps({"role": "authenticated", "sub": str(user_id)})
                explainer.session.execute("select set_config('request.jwt.claims', %s, false)", [claims])
                calls = enqueued(explainer)
            check_enqueuing(calls)


def test_workers_read_little_in_a_session_that_knew_the_queue_empty(databases: Databases) -> None:
    with empty_backlog(databases) as backlog, backlog.explaining() as explainer:
        backlog.owner.execute("insert into public.analysis_types (type) values ('busy')")
        for _ in range(REPEATS):
            assert len(work(explainer, max_jobs=0)) == 0
        backlog.owner.execute("call pg_temp.add_settled('busy', 3000, 100)")
        backlog.owner.execute("call pg_temp.add_pending('busy', 3000, 100)")
        calls = [call for _ in range(REPEATS) for call in work(explainer, max_jobs=5)]
    assert whole_reads(calls) == set()
    assert max(call.rows("analysis_jobs") for call in calls) <= 100
    assert max(call.rows("analysis_attempts") for call in calls) <= 100


def work(explainer: Explainer, max_jobs: int) -> list[Explained]:
    """What a worker asks while it runs `max_jobs`, none where there is none; without the claim itself."""
    lease_id = uuid4()
    claim = explainer.call("claim_job", worker_id="w1", lease_id=lease_id, types=["busy"], max_jobs=max_jobs or 1)
    fences = [{"job_id": str(job["id"]), "lease_id": str(lease_id)} for job in claim.answer]
    assert len(fences) == max_jobs
    anything = fences or [{"job_id": str(uuid4()), "lease_id": str(lease_id)}]
    calls = [
        claim,
        explainer.call("heartbeat_worker", worker_id="w1", held=Jsonb(anything)),
        explainer.call("report_progress", **anything[0], progress=0.5, phase="half"),
        explainer.call(
            "settle_jobs",
            settlements=Jsonb([fence | {"outcome": "completed", "result": {"n": 1}} for fence in anything]),
        ),
    ]
    return calls if fences else []


def test_enqueuing_reads_little(backlog: Backlog) -> None:
    with backlog.explaining("authenticated", user_of(backlog, "busy")) as explainer:
        check_enqueuing(enqueued(explainer)[2:])


@pytest.mark.parametrize("types", [["busy"], ["alone"], ["busy", "alone"]], ids=" ".join)
@pytest.mark.parametrize("max_jobs", [1, 20])
def test_a_claim_reads_little_more_than_it_takes(backlog: Backlog, types: list[str], max_jobs: int) -> None:
    check_claims(backlog, types, max_jobs)


def test_a_reconciliation_reads_as_much_as_it_repairs_at_most(backlog: Backlog) -> None:
    with backlog.explaining() as explainer:
        explainer.call("heartbeat_worker", worker_id="w1")
        calls = repeated(explainer, "reconcile_jobs")
    assert whole_reads(calls) == set()
    for reconciliation in calls:
        assert reconciliation.rows("analysis_queue") <= 60_000
        assert reconciliation.rows("analysis_jobs") <= 10_000
        assert reconciliation.pages <= 60_000


def test_a_status_reads_one_job(backlog: Backlog) -> None:
    row = backlog.owner.execute("select id, user_id from public.analysis_jobs where status = 'completed' limit 1")
    job_id, user_id = row.fetchone() or (None, None)
    with backlog.explaining("authenticated", user_id) as explainer:
        calls = repeated(explainer, "get_analysis_status", job_id=job_id)
    assert whole_reads(calls) == set()
    assert all(status.rows("analysis_jobs") == 1 and status.pages <= 30 for status in calls)


def test_numbers_are_made_from_what_waits_and_what_happened_lately(backlog: Backlog) -> None:
    with backlog.explaining() as explainer:
        calls = [explainer.call("queue_stats", window_seconds=3600) for _ in range(2)]
    assert whole_reads(calls, but="analysis_queue") == set()
    for numbers in calls:
        waiting = numbers.answer[0]["pending"]
        assert waiting > PENDING
        assert numbers.rows("analysis_queue") <= waiting
        assert numbers.rows("analysis_jobs") <= waiting + 10_000
        assert numbers.rows("analysis_attempts") <= 10_000


@pytest.mark.parametrize(
    ("function", "arguments", "most_jobs"),
    [
        # 51 of each ending of each type at most, those that are shown once more, and what is in flight.
        ("list_jobs", {"status": "failed"}, 20 * 51),
        ("list_jobs", {"type": "busy", "status": "completed"}, 3 * 51),
        ("list_jobs", {"user_id": UUID(int=2)}, 3 * SETTLED // USERS),
        ("list_jobs", {}, PENDING + OF_ONE_USER + 60 * 51),
        ("describe_history", {"window_seconds": 3600, "buckets": 60}, PENDING + OF_ONE_USER + 2_000),
        ("describe_errors", {"window_seconds": 604800}, 11_000),
        ("describe_usage", {"days": 1}, 12_000),
        ("count_replayable_jobs", {"status": "cancelled"}, 11_000),
    ],
    ids=str,
)
def test_an_overview_reads_what_it_shows_and_what_is_in_flight(
    backlog: Backlog, function: str, arguments: dict[str, Any], most_jobs: int
) -> None:
    with backlog.explaining() as explainer:
        calls = repeated(explainer, function, **arguments)
    assert whole_reads(calls) == set()
    assert all(overview.rows("analysis_jobs") <= most_jobs for overview in calls)
    assert all(overview.rows("analysis_attempts") <= 30_000 for overview in calls)


def test_a_heartbeat_reads_its_own_leases(backlog: Backlog) -> None:
    with backlog.explaining() as explainer:
        held = [
            {"job_id": job["id"], "lease_id": job["lease_id"]}
            for claim in claims(explainer, ["busy"], 5)
            for job in claim.answer
        ]
        calls = repeated(explainer, "heartbeat_worker", worker_id="w1", state={}, held=Jsonb(held))
    assert whole_reads(calls) == set()
    for heartbeat in calls:
        assert heartbeat.rows("analysis_attempts") <= 5 * len(held)
        assert heartbeat.pages <= 20 + 10 * len(held)
