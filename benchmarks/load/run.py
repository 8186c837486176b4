"""Load on a local stack, with its gateway and real workers, by locust or by k6.

    uv run --group load python benchmarks/load/run.py ramp50 [--with k6] [--stretch 0.1] [--workers 2]

Shows what the load tool says, then what became of the jobs in the database. Ends with what the tool ended with, or with
1 where a job did not come to its end. Tool, stack, database, functions and workers share this machine.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
from app import TYPE

from supabase_local.directory import StackVariables
from supabase_local.temporary import running_stack

HERE = Path(__file__).parent
SUPABASE = HERE.parents[1] / "supabase"
BIN = Path(sys.executable).parent
SHAPES = json.loads((HERE / "profile.json").read_text())["shapes"]
STACK = ["--migrations", str(SUPABASE / "migrations"), "--functions", str(SUPABASE / "functions")]
SETTLED_S, STOP_S = 60, 60
NUMBERS = """
select count(*), count(*) filter (where status = 'completed'), count(*) filter (where status = 'cancelled'),
    percentile_disc(array[0.5, 0.95, 0.99]) within group (order by extract(epoch from started_at - created_at)),
    percentile_disc(array[0.5, 0.95, 0.99]) within group (order by extract(epoch from finished_at - created_at))
        filter (where status = 'completed')
from public.analysis_jobs
"""


def main() -> None:
    arguments = _parse()
    with ExitStack() as exits:
        home = Path(exits.enter_context(tempfile.TemporaryDirectory(prefix="analysis-load-")))
        log = exits.enter_context((home / "stack.log").open("wb"))
        stack = exits.enter_context(running_stack(*STACK, log=log))
        with psycopg.connect(stack.db_url) as connection:
            connection.execute("insert into public.analysis_types (type) values (%s)", [TYPE])
        for number in range(arguments.workers):
            exits.enter_context(running_worker(stack, home / f"worker-{number}.log", arguments.concurrency))
        exit_code = run_tool(arguments, stack)
        sys.stdout.write(wait_for_ends(stack))
        sys.exit(exit_code)


def run_tool(arguments: argparse.Namespace, stack: StackVariables) -> int:
    """Its exit code."""
    environment = os.environ | {
        "SUPABASE_URL": stack.api_url,
        "SUPABASE_ANON_KEY": stack.anon_key,
        "LOAD_SHAPE": arguments.shape,
        "LOAD_STRETCH": str(arguments.stretch),
        "K6_NO_USAGE_REPORT": "true",
    }
    locust = [str(BIN / "locust"), "-f", str(HERE / "locustfile.py"), "--headless", "--only-summary"]
    commands = {
        "locust": [*locust, "--host", stack.api_url, "--shape", arguments.shape, "--stretch", str(arguments.stretch)],
        "k6": [str(BIN / "k6"), "run", "--quiet", str(HERE / "gateway.js")],
    }
    return subprocess.run(commands[arguments.tool], env=environment, check=False).returncode


def wait_for_ends(stack: StackVariables) -> str:
    """What became of all jobs; ends the program where one is still open after a minute."""
    with psycopg.connect(stack.db_url, autocommit=True) as connection:
        give_up_at = time.monotonic() + SETTLED_S
        while connection.execute("select from public.analysis_jobs where finished_at is null").rowcount:
            if time.monotonic() > give_up_at:
                sys.exit("jobs are not at their end")
            time.sleep(0.5)
        row = connection.execute(NUMBERS).fetchone()
    assert row is not None
    total, completed, cancelled, waits, ends = row
    shown = [" ".join(f"{value:.2f}" for value in values or ()) for values in (waits, ends)]
    return (
        f"{total} jobs: {completed} completed, {cancelled} cancelled, {total - completed - cancelled} failed; "
        f"p50, p95, p99 in s: until claimed {shown[0]}, until completed {shown[1]}\n"
    )


@contextmanager
def running_worker(stack: StackVariables, log_file: Path, concurrency: int) -> Iterator[None]:
    """Stopped at the end as by a deploy."""
    environment = os.environ | {
        "PYTHONPATH": str(HERE),
        "SUPABASE_URL": stack.api_url,
        "SUPABASE_SECRET_KEY": stack.secret_key,
        "ANALYSIS_WORKER_CONCURRENCY": str(concurrency),
    }
    command = [str(BIN / "analysis-worker"), "run", "--app", "app:app"]
    with log_file.open("wb") as log, subprocess.Popen(command, env=environment, stdout=log, stderr=log) as process:
        try:
            yield
        finally:
            process.terminate()
            process.wait(STOP_S)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shape", choices=SHAPES, help="how many users when")
    parser.add_argument("--with", dest="tool", choices=["locust", "k6"], default="locust")
    parser.add_argument("--stretch", type=float, default=1.0, help="every stage is so many times as long")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--concurrency", type=int, default=10, help="jobs at a time for each worker")
    return parser.parse_args()


if __name__ == "__main__":
    main()
