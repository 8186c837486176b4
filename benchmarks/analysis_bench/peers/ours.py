"""This project's own queue: jobs of many users, enqueued by SQL or, as apps do, by the RPC over HTTP."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
import psycopg

from analysis_bench.peers.protocol import Job, Producer, Run
from supabase_local.keys import sign


@dataclass(frozen=True, slots=True)
class Ours:
    """`url` is a superuser's; `api_url` is empty where jobs are enqueued by SQL."""

    url: str
    api_url: str = ""
    anon_key: str = ""
    jwt_secret: str = ""

    async def install(self) -> None:
        raise NotImplementedError("a Supabase project needs more than a schema")

    @asynccontextmanager
    async def producing(self) -> AsyncIterator[Producer]:
        if self.api_url:
            async with aiohttp.ClientSession(self.api_url, headers={"apikey": self.anon_key}) as http:
                yield _ByRpc(http, self.jwt_secret)
        else:
            async with await psycopg.AsyncConnection.connect(self.url, autocommit=True) as connection:
                yield _BySql(connection)

    async def work(self, concurrency: int, run: Run) -> None:
        raise NotImplementedError("started by its own command")


@dataclass(frozen=True, slots=True)
class _BySql:
    connection: psycopg.AsyncConnection

    async def enqueue(self, jobs: Sequence[Job]) -> Sequence[str]:
        rows = await self.connection.execute(
            "select bench.enqueue(job.user_number, job.payload)"
            " from unnest(%s::integer[], %s::jsonb[]) as job (user_number, payload)",
            [[job.user for job in jobs], [json.dumps(job.payload) for job in jobs]],
        )
        return [str(job_id) for (job_id,) in await rows.fetchall()]

    async def cancel(self, job_id: str) -> None:
        await self.connection.execute("select bench.cancel(%s)", [job_id])


@dataclass(frozen=True, slots=True)
class _ByRpc:
    http: aiohttp.ClientSession
    jwt_secret: str

    async def enqueue(self, jobs: Sequence[Job]) -> Sequence[str]:
        return [await self._enqueue(job) for job in jobs]

    async def _enqueue(self, job: Job) -> str:
        claims = {"role": "authenticated", "sub": f"00000000-0000-0000-0000-{job.user + 1:012x}"}
        token = sign(claims | {"exp": int(time.time()) + 3600}, self.jwt_secret)
        body = {"type": "bench", "input": job.payload}
        headers = {"Authorization": f"Bearer {token}"}
        async with self.http.post("/rest/v1/rpc/enqueue_analysis", json=body, headers=headers) as answer:
            answer.raise_for_status()
            return str((await answer.json())["id"])

    async def cancel(self, job_id: str) -> None:
        raise NotImplementedError
