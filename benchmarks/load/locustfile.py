"""Users of the gateway, who sign up, sign in, and ask for one analysis after the other.

    SUPABASE_ANON_KEY=... locust -f benchmarks/load/locustfile.py --headless --host <project's URL> --shape ramp50

Shapes and limits are in profile.json, as for k6. Ends with 1 where a limit is not kept. `--stretch 0.1` makes every
stage a tenth as long.

Everybody has signed in before the first one asks: to check a password takes more of a processor than all that follows.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from argparse import ArgumentParser
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import accumulate, pairwise
from pathlib import Path
from uuid import uuid4

import requests
from gevent.pool import Pool
from locust import HttpUser, LoadTestShape, between, events, task
from locust.clients import ResponseContextManager
from locust.env import Environment

PROFILE = json.loads(Path(__file__).with_name("profile.json").read_text())
ANON_KEY = os.environ["SUPABASE_ANON_KEY"]
TYPE = os.environ.get("LOAD_TYPE", "load")
CANCELLED, LOOK_S, PATIENCE_S = 0.1, 1.0, 60.0
ENQUEUE, JOB = "enqueue-analysis", "end to end"
TERMINAL = {"completed", "failed", "cancelled"}
TOKENS: deque[str] = deque()
"""Of those who are not asking now."""


class Visitor(HttpUser):
    """One of ten jobs is cancelled at once; the others are watched to their end."""

    wait_time = between(5, 15)

    def on_start(self) -> None:
        self.token = TOKENS.popleft()
        self.client.headers.update({"apikey": ANON_KEY, "authorization": f"Bearer {self.token}"})

    def on_stop(self) -> None:
        TOKENS.append(self.token)

    @task
    def analyse(self) -> None:
        body = {"type": TYPE, "input": {"number": random.randrange(2**31)}}
        began = time.perf_counter()
        with self._answered("POST", f"/functions/v1/{ENQUEUE}", {200, 202}, ENQUEUE, json=body) as answer:
            job_id = answer.json()["id"] if answer.ok else None
        if job_id is None:
            return
        if random.random() < CANCELLED:
            with self._answered("POST", "/functions/v1/cancel-analysis", {200}, json={"job_id": job_id}):
                return
        status = self._watch(job_id, began + PATIENCE_S)
        self.environment.events.request.fire(
            request_type="JOB",
            name=JOB,
            response_time=(time.perf_counter() - began) * 1000,
            response_length=0,
            exception=None if status == "completed" else RuntimeError(f"the job is {status}"),
        )

    def _watch(self, job_id: str, until: float) -> str:
        """The last status that was seen."""
        status, etag = "pending", ""
        while status not in TERMINAL and time.perf_counter() < until:
            time.sleep(LOOK_S)
            path, headers = f"/functions/v1/get-analysis-status/{job_id}", {"if-none-match": etag}
            with self._answered("GET", path, {200, 304}, "get-analysis-status", headers=headers) as answer:
                if answer.status_code == 200:
                    status, etag = answer.json()["status"], answer.headers["etag"]
        return status

    @contextmanager
    def _answered(
        self, method: str, path: str, expected: set[int], name: str | None = None, **more: object
    ) -> Iterator[ResponseContextManager]:
        with self.client.request(method, path, name=name or path, catch_response=True, **more) as answer:
            if answer.status_code not in expected:
                answer.failure(f"HTTP {answer.status_code}: {answer.text[:200]}")
            yield answer


class Shape(LoadTestShape):
    """The number of users goes straight from stage to stage, as k6's does."""

    def tick(self) -> tuple[int, float] | None:
        options = self.runner.environment.parsed_options
        stages = PROFILE["shapes"][options.shape]
        ends = accumulate(seconds * options.stretch for seconds, _ in stages)
        points = [(0.0, 0), *zip(ends, (users for _, users in stages), strict=True)]
        now = self.get_run_time()
        for (begin, before), (end, after) in pairwise(points):
            if now < end:
                users = before + (after - before) * (now - begin) / (end - begin)
                return max(1, round(users)), 100.0
        return None


@events.init_command_line_parser.add_listener
def add_options(parser: ArgumentParser) -> None:
    parser.add_argument("--shape", choices=PROFILE["shapes"], default="ramp50", help="how many users when")
    parser.add_argument("--stretch", type=float, default=1.0, help="every stage is so many times as long")


@events.init.add_listener
def sign_everybody_in(environment: Environment, **_: object) -> None:
    most = max(users for _, users in PROFILE["shapes"][environment.parsed_options.shape])
    try:
        TOKENS.extend(Pool(8).map(sign_in, [environment.host] * most))
    except requests.RequestException as error:
        sys.exit(f"nobody can sign in: {error}")


def sign_in(url: str) -> str:
    person = {"email": f"load-{uuid4()}@example.com", "password": uuid4().hex}
    for path in ("signup", "token?grant_type=password"):
        answer = requests.post(f"{url}/auth/v1/{path}", json=person, headers={"apikey": ANON_KEY}, timeout=60)
        answer.raise_for_status()
    token: str = answer.json()["access_token"]
    return token


@events.quitting.add_listener
def judge(environment: Environment, **_: object) -> None:
    limits, stats = PROFILE["limits"], environment.stats
    found = {
        "failures": stats.total.fail_ratio,
        "enqueue_p95_ms": stats.get(f"{ENQUEUE}", "POST").get_response_time_percentile(0.95),
        "end_to_end_p95_ms": stats.get(JOB, "JOB").get_response_time_percentile(0.95),
    }
    broken = [f"{name} {found[name]:g}, at most {limit:g}" for name, limit in limits.items() if found[name] > limit]
    if not stats.get(JOB, "JOB").num_requests:
        broken.append("no job was watched to its end")
    broken += [f"raised: {raised['msg']}" for raised in environment.runner.exceptions.values()]
    for line in broken:
        print(f"limit not kept: {line}")
    environment.process_exit_code = 1 if broken else 0
