"""`python -m analysis_bench.peers <system> install|drive|work`, configured by BENCH_* in the environment.

`drive` enqueues as it is told, a line of JSON for each wish and each answer; `work` is a worker.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
import time
from pathlib import Path
from typing import Any

from analysis_bench.peers.protocol import Job, Peer, Producer, Recorder


def main() -> None:
    system, role = sys.argv[1:]
    asyncio.run(_ROLES[role](load(system)))


def load(system: str) -> Peer:
    """Each imports its own library and no other."""
    url = os.environ["BENCH_DATABASE_URL"]
    match system:
        case "procrastinate":
            from analysis_bench.peers.procrastinate import Procrastinate  # noqa: PLC0415

            return Procrastinate(url)
        case "pgqueuer":
            from analysis_bench.peers.pgqueuer import Pgqueuer  # noqa: PLC0415

            return Pgqueuer(url)
        case "oban":
            from analysis_bench.peers.oban import Oban  # noqa: PLC0415

            return Oban(url)
        case "saq":
            from analysis_bench.peers.saq import Saq  # noqa: PLC0415

            return Saq(url)
        case "every-second" | "messages":
            from analysis_bench.peers.sql import EVERY_SECOND, MESSAGES, PlainSql  # noqa: PLC0415

            return PlainSql(url, EVERY_SECOND if system == "every-second" else MESSAGES)
        case _:
            from analysis_bench.peers.ours import Ours  # noqa: PLC0415

            return Ours(url, *(os.environ.get(f"BENCH_{name}", "") for name in ("API_URL", "ANON_KEY", "JWT_SECRET")))


async def install(peer: Peer) -> None:
    await peer.install()


async def work(peer: Peer) -> None:
    recorder = Recorder(Path(os.environ["BENCH_RECORDS"]))
    await peer.work(int(os.environ["BENCH_CONCURRENCY"]), recorder.run)


async def drive(peer: Peer) -> None:
    async with peer.producing() as producer:
        say({})
        while line := await asyncio.to_thread(sys.stdin.readline):
            say(await answer(producer, json.loads(line)))


async def answer(producer: Producer, wish: dict[str, Any]) -> dict[str, Any]:
    match wish:
        case {"do": "enqueue", "jobs": jobs}:
            await producer.enqueue([Job(*job) for job in jobs])
            return {}
        case {"do": "pace", "jobs": jobs, "per_second": per_second}:
            return await pace(producer, [Job(*job) for job in jobs], per_second)
        case {"do": "cancel", "id": job_id}:
            begun = time.time()
            await producer.cancel(job_id)
            return {"at": begun}
        case _:
            raise ValueError(f"unknown wish: {wish}")


async def pace(producer: Producer, jobs: list[Job], per_second: float) -> dict[str, Any]:
    """One by one, at uneven distances, so that no rhythm of a worker fits them: when each was committed, and how long
    that took. Seconds throughout."""
    ids, committed, took = list[str](), list[float](), list[float]()
    due = time.perf_counter()
    for job in jobs:
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        begun = time.perf_counter()
        ids += await producer.enqueue([job])
        committed.append(time.time())
        took.append(time.perf_counter() - begun)
        due += random.uniform(0.5, 1.5) / per_second
    return {"ids": ids, "committed": committed, "took": took}


def say(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


_ROLES = {"install": install, "work": work, "drive": drive}

if __name__ == "__main__":
    main()
