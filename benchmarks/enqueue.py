"""How long does it take to enqueue, through the Edge Function and by the plain RPC?

    uv run python benchmarks/enqueue.py [--json] [--clients 1 10 50] [--requests 1000]

Starts a local stack of its own with the functions and calls both ways over HTTP, at so many clients at once, each a
user of its own with a connection of its own. The two ways take turns in rounds, so that whatever else the machine does
meets both. Stack, database, function and clients share this machine, of which a platform has more. Progress goes to
stderr.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal, get_args

import aiohttp
import psycopg

from supabase_local.directory import StackVariables
from supabase_local.temporary import running_stack

SUPABASE = Path(__file__).parents[1] / "supabase"
MIGRATIONS, FUNCTIONS = SUPABASE / "migrations", SUPABASE / "functions"
TYPE, ROUNDS, WARM_UP = "measured", 4, 5
Way = Literal["rpc", "function"]
PATHS: dict[Way, str] = {"rpc": "/rest/v1/rpc/enqueue_analysis", "function": "/functions/v1/enqueue-analysis"}


@dataclass(frozen=True, slots=True)
class Times:
    """Milliseconds from the request to the whole answer."""

    way: Way
    clients: int
    requests: int
    per_second: float
    p50: float
    p95: float
    p99: float


@dataclass(frozen=True, slots=True)
class Report:
    machine: str
    versions: str
    times: list[Times]


@dataclass(slots=True)
class Sample:
    milliseconds: list[float] = field(default_factory=list)
    seconds: float = 0.0


def main() -> None:
    arguments = _parse()
    stack_of = ["--migrations", str(MIGRATIONS), "--functions", str(FUNCTIONS)]
    with tempfile.TemporaryFile() as log, running_stack(*stack_of, log=log) as stack:
        report = asyncio.run(measure(stack, arguments.clients, arguments.requests))
    sys.stdout.write(json.dumps(asdict(report), indent=2) + "\n" if arguments.json else as_table(report))


async def measure(stack: StackVariables, levels: list[int], requests: int) -> Report:
    versions = add_type(stack)
    async with aiohttp.ClientSession(stack.api_url, connector=aiohttp.TCPConnector(limit=0)) as http:
        tokens = [await sign_up(http, stack, number) for number in range(max(levels))]
        times = [each for clients in levels for each in await measure_level(http, stack, tokens[:clients], requests)]
    machine = f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}"
    return Report(machine, versions, times)


async def measure_level(
    http: aiohttp.ClientSession, stack: StackVariables, tokens: list[str], requests: int
) -> list[Times]:
    """`requests` for each way, in rounds that take turns."""
    say(f"{len(tokens)} clients")
    each = max(1, requests // ROUNDS // len(tokens))
    samples: dict[Way, Sample] = {way: Sample() for way in get_args(Way)}
    for way in samples:
        await run_round(http, stack, way, tokens, WARM_UP)
    for _ in range(ROUNDS):
        for way, sample in samples.items():
            begun = time.perf_counter()
            sample.milliseconds += await run_round(http, stack, way, tokens, each)
            sample.seconds += time.perf_counter() - begun
    return [summarize(way, len(tokens), sample) for way, sample in samples.items()]


async def run_round(
    http: aiohttp.ClientSession, stack: StackVariables, way: Way, tokens: list[str], each: int
) -> list[float]:
    """Every client sends so many requests, one after the other."""

    async def call(token: str) -> list[float]:
        return [await enqueue(http, stack, way, token, number) for number in range(each)]

    return [taken for client in await asyncio.gather(*map(call, tokens)) for taken in client]


async def enqueue(http: aiohttp.ClientSession, stack: StackVariables, way: Way, token: str, number: int) -> float:
    """Never the same input twice, or an earlier job would be the answer."""
    body = {"type": TYPE, "input": {"text": "um prato de arroz com feijão", "number": number, "at": time.time_ns()}}
    headers = {"apikey": stack.anon_key, "authorization": f"Bearer {token}"}
    begun = time.perf_counter()
    async with http.post(PATHS[way], json=body, headers=headers) as answer:
        content = await answer.read()
    taken = (time.perf_counter() - begun) * 1000
    if answer.status not in {200, 202} or json.loads(content)["status"] != "pending":
        raise RuntimeError(f"{way} answered {answer.status}: {content.decode()}")
    return taken


async def sign_up(http: aiohttp.ClientSession, stack: StackVariables, number: int) -> str:
    body = {"email": f"user{number}@example.com", "password": "password1"}
    async with http.post("/auth/v1/signup", json=body, headers={"apikey": stack.anon_key}) as answer:
        answer.raise_for_status()
        token: str = (await answer.json())["access_token"]
        return token


def add_type(stack: StackVariables) -> str:
    """A type without limits. Returns the versions of what is measured."""
    with psycopg.connect(stack.db_url) as connection:
        connection.execute("insert into public.analysis_types (type) values (%s)", [TYPE])
        row = connection.execute("show server_version").fetchone()
    deno = subprocess.run(["deno", "--version"], capture_output=True, text=True, check=True).stdout.split()[1]
    return f"PostgreSQL {row[0] if row else '?'}, Deno {deno}, Python {platform.python_version()}"


def summarize(way: Way, clients: int, sample: Sample) -> Times:
    cuts = statistics.quantiles(sample.milliseconds, n=100, method="inclusive")
    count = len(sample.milliseconds)
    return Times(way, clients, count, count / sample.seconds, cuts[49], cuts[94], cuts[98])


def as_table(report: Report) -> str:
    lines = [report.machine, report.versions]
    lines.append(f"{'way':>9} {'clients':>7} {'requests':>8} {'per s':>7} {'p50 ms':>8} {'p95 ms':>8} {'p99 ms':>8}")
    lines += [
        f"{each.way:>9} {each.clients:>7} {each.requests:>8} {each.per_second:>7.0f} "
        f"{each.p50:>8.1f} {each.p95:>8.1f} {each.p99:>8.1f}"
        for each in report.times
    ]
    return "\n".join(lines) + "\n"


def say(what: str) -> None:
    sys.stderr.write(what + "\n")


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 10, 50], help="at the same time")
    parser.add_argument("--requests", type=int, default=1000, help="for each way and number of clients")
    return parser.parse_args()


if __name__ == "__main__":
    main()
