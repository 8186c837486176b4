"""What a page load costs: a few pages of small tables, however long the queue and its past are."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import psycopg
import pytest

from supabase_local.postgres import SUPERUSER
from tests.databases import ROOT, Databases
from tests.sql.factories import Queue, call
from tests.sql.flags.states import new_worker, set_settings
from tests.sql.plans.explained import Explained, explaining

SETTLED, PENDING, USERS = 20_000, 5_000, 100
TABLES = "public.analysis_jobs, public.analysis_attempts, public.analysis_queue"
SMALL = {f"analysis_{table}" for table in ("flags", "types", "workers", "health", "health_settings")}


@pytest.fixture(scope="module")
def busy(databases: Databases) -> Iterator[Queue]:
    """A long past, and attempts of just now; who waits has come since the statistics were made."""
    with (
        databases.copied("migrated") as name,
        psycopg.connect(databases.url(name, SUPERUSER), autocommit=True) as owner,
    ):
        queue = Queue(databases.url(name, SUPERUSER), owner)
        owner.execute((ROOT / "benchmarks" / "fill_queue.sql").read_text().encode())
        owner.execute("call pg_temp.add_settled('busy', %s, %s)", [SETTLED, USERS])
        owner.execute("update public.analysis_attempts set started_at = now(), finished_at = now()")
        owner.execute(f"vacuum (analyze) {TABLES}")
        owner.execute("call pg_temp.add_pending('busy', %s, %s)", [PENDING, USERS])
        owner.execute("update public.analysis_types set flag_key = 'sofia' where type = 'busy'")
        owner.execute("update public.analysis_flags set updated_at = now() - interval '1 day'")
        new_worker(queue)
        yield queue
        queue.close()


def page_loads(queue: Queue, check_seconds: float) -> list[Explained]:
    """Without the first calls of the session, which read the catalogue too."""
    set_settings(queue, check_seconds=check_seconds)
    with explaining(queue.url, "authenticated", UUID(int=1)) as explainer:
        return [explainer.call("get_flags") for _ in range(8)][2:]


def tables(calls: list[Explained]) -> set[str]:
    return {
        scan["Relation Name"] for explained in calls for statement in explained.statements for scan in statement.scans()
    }


def test_a_page_load_reads_small_tables_only(busy: Queue) -> None:
    calls = page_loads(busy, check_seconds=3600)
    assert tables(calls) <= SMALL
    assert max(explained.pages for explained in calls) <= 20


def test_a_check_reads_the_head_of_the_queue_and_the_latest_attempts(busy: Queue) -> None:
    calls = page_loads(busy, check_seconds=0)
    whole = {read.partition(":")[0] for explained in calls for read in explained.whole_reads()}
    assert whole <= SMALL
    for explained in calls:
        assert explained.rows("analysis_queue") <= 50
        assert explained.rows("analysis_attempts") == 500
        assert explained.rows("analysis_jobs") <= 500
        assert explained.pages <= 2_500
    assert 400 < call(busy.worker(), "check_health")["attempts"] <= 500
