"""A local stack whose faults can be switched, and whose database can be taken away."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg
from psycopg.rows import DictRow, dict_row

from supabase_local.directory import RunningStack, StackDirectory, StackVariables
from supabase_local.postgres import PostgresError, PostgresServer
from supabase_local.temporary import STOP_S, read_variables
from tests.chaos.waiting import wait_until
from tests.databases import MIGRATIONS
from tests.stacks import serve_command

DATABASE_BACK_S = 20.0
_NO_REST_FAULTS = {"fail": 0, "cut": 0, "delay_s": 0, "only": ""}
_NO_REALTIME_FAULTS = {"silent": False, "close_joins": False, "refuse": False, "freeze": False}
_SCHEMA = """
create schema chaos;
create table chaos.transitions (
    job_id uuid, old_status text, new_status text, at timestamptz default clock_timestamp()
);
create function chaos.record() returns trigger language plpgsql security definer set search_path = '' as $$
begin
    insert into chaos.transitions (job_id, old_status, new_status) values (new.id, old.status, new.status);
    return null;
end
$$;
create trigger record after update on public.analysis_jobs for each row
when ((old.status, old.result) is distinct from (new.status, new.result))
execute function chaos.record();
insert into public.analysis_types (type, max_attempts, max_rescues, timeout_seconds) values ('chaos', 50, 50, 60);
insert into auth.users (id) select gen_random_uuid() from generate_series(1, 10);
"""
"""Every change of a job's status or result is written down, so that a second settlement shows in whatever order."""


@dataclass(frozen=True, slots=True)
class ChaosStack:
    directory: StackDirectory
    running: RunningStack

    @property
    def variables(self) -> StackVariables:
        return self.running.variables

    @property
    def postgres(self) -> PostgresServer:
        return PostgresServer(self.directory.postgres(), self.running.postgres_port)

    def query(self, statement: str, *parameters: object) -> list[DictRow]:
        """On a connection of its own, made again for as long as a restart of the database may take."""
        give_up_at = time.monotonic() + DATABASE_BACK_S
        while True:
            try:
                with psycopg.connect(self.variables.db_url, autocommit=True, row_factory=dict_row) as connection:
                    cursor = connection.execute(statement, parameters)
                    return cursor.fetchall() if cursor.description is not None else []
            except psycopg.OperationalError:
                if time.monotonic() > give_up_at:
                    raise
                time.sleep(0.1)

    def rest_faults(self, **wish: object) -> dict[str, Any]:
        return self._switch("rest/v1", wish)

    def realtime_faults(self, **wish: object) -> dict[str, Any]:
        return self._switch("realtime/v1", wish)

    def clear(self) -> None:
        """Forget all jobs and workers."""
        for table in ("public.analysis_jobs", "public.analysis_workers", "chaos.transitions"):
            self.query(f"delete from {table}")

    def heal(self) -> None:
        self.rest_faults(**_NO_REST_FAULTS)
        self.realtime_faults(**_NO_REALTIME_FAULTS)

    def restart_postgres(self, way: str) -> None:
        """`way` is pg_ctl's mode, or "kill": a SIGKILL of the postmaster, as when memory runs out."""
        if way == "kill":
            os.kill(int((self.postgres.data_dir / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
        else:
            self.postgres.stop(way)
        wait_until("the database starts", self._starts, DATABASE_BACK_S)

    def _starts(self) -> bool:
        """False while children of a killed postmaster still hold its memory."""
        try:
            self.postgres.start()
        except PostgresError:
            return False
        return True

    def _switch(self, service: str, wish: dict[str, object]) -> dict[str, Any]:
        url = f"{self.variables.api_url}/{service}/_faults"
        response = httpx.post(url, json=wish, headers={"apikey": self.variables.secret_key}, trust_env=False)
        response.raise_for_status()
        answer: dict[str, Any] = response.json()
        return answer


@contextmanager
def chaos_stack(path: Path) -> Iterator[ChaosStack]:
    """The stack of this directory; it keeps its ports and keys from one time to the next."""
    directory = StackDirectory(path)
    arguments = ["--directory", str(path), "--migrations", str(MIGRATIONS), "--until-stdin-closes", "--faults"]
    with (
        (path / "stack.log").open("ab") as log,
        subprocess.Popen(
            serve_command(*arguments), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, cwd=path
        ) as process,
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            read_variables(process.stdout)
            running = directory.running()
            assert running is not None
            stack = ChaosStack(directory, running)
            if not stack.query("select from pg_namespace where nspname = 'chaos'"):
                stack.query(_SCHEMA)
            yield stack
            assert process.poll() is None, "the stack did not survive"
        finally:
            process.stdin.close()
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
