"""Where pg_cron is there when the migrations run, it keeps the queue."""

from __future__ import annotations

import psycopg

from supabase_local.database import migrate, read_migrations
from tests.databases import MIGRATIONS, Databases

# The part of pg_cron that we use; the real one runs what it is given.
CRON = """
create schema cron;
create table cron.job (jobname text primary key, schedule text, command text);
create function cron.schedule(job_name text, schedule text, command text) returns bigint language sql
as 'insert into cron.job values ($1, $2, $3); select 1::bigint';
"""


def test_reconciling_pruning_and_health_checks_are_scheduled(databases: Databases) -> None:
    with databases.copied("platform") as name, psycopg.connect(databases.url(name), autocommit=True) as owner:
        owner.execute(CRON)
        migrate(databases.url(name), read_migrations(MIGRATIONS))
        jobs = owner.execute("select jobname, schedule, command from cron.job order by 1").fetchall()
        assert jobs == [
            ("analysis_check_health", "10 seconds", "select public.check_health()"),
            ("analysis_prune_jobs", "*/5 3 * * *", "select public.prune_jobs(10000)"),
            ("analysis_reconcile_jobs", "30 seconds", "select public.reconcile_jobs()"),
        ]
        for _, _, command in jobs:
            owner.execute(command.encode())
