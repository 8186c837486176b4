"""Two designs in plain SQL: a worker that looks every second, and a message queue that is read and archived.

The first is what many begin with. The second is what pgmq does, whose `read_with_poll` looks every 100 ms and makes
what was read invisible for a while: https://pgmq.github.io/pgmq/api/sql/functions/
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import psycopg
from psycopg_pool import AsyncConnectionPool

from analysis_bench.peers.protocol import Job, Producer, Run

POOL = 10


@dataclass(frozen=True, slots=True)
class Design:
    """`take` gets the number of free places, `finish` the id of a job; it looks again after `pause` seconds."""

    schema: str
    insert: str
    take: str
    finish: str
    pause: float


EVERY_SECOND = Design(
    schema="""
        create table jobs (
            id bigint generated always as identity primary key,
            payload jsonb not null,
            status text not null default 'pending',
            created_at timestamptz not null default now(),
            started_at timestamptz,
            finished_at timestamptz
        );
        create index on jobs (created_at) where status = 'pending';
    """,
    insert="insert into jobs (payload) select * from unnest(%s::jsonb[]) returning id",
    take="""
        update jobs set status = 'processing', started_at = now()
        where id = any (array(
            select id from jobs where status = 'pending' order by created_at limit %s for update skip locked
        ))
        returning id, payload
    """,
    finish="update jobs set status = 'completed', finished_at = now() where id = %s",
    pause=1.0,
)
MESSAGES = Design(
    schema="""
        create table jobs (
            id bigint generated always as identity primary key,
            payload jsonb not null,
            reads integer not null default 0,
            visible_at timestamptz not null default now()
        );
        create index on jobs (visible_at);
        create table archived (like jobs, archived_at timestamptz not null default now(), primary key (id));
    """,
    insert="insert into jobs (payload) select * from unnest(%s::jsonb[]) returning id",
    take="""
        with next as (
            select id from jobs where visible_at <= clock_timestamp() order by id limit %s for update skip locked
        )
        update jobs set visible_at = clock_timestamp() + interval '30 seconds', reads = reads + 1
        from next where jobs.id = next.id
        returning jobs.id, jobs.payload
    """,
    finish="""
        with done as (delete from jobs where id = %s returning *)
        insert into archived (id, payload, reads, visible_at) select id, payload, reads, visible_at from done
    """,
    pause=0.1,
)


@dataclass(frozen=True, slots=True)
class PlainSql:
    url: str
    design: Design

    async def install(self) -> None:
        async with await psycopg.AsyncConnection.connect(self.url, autocommit=True) as connection:
            await connection.execute(self.design.schema.encode())

    @asynccontextmanager
    async def producing(self) -> AsyncIterator[Producer]:
        async with await psycopg.AsyncConnection.connect(self.url, autocommit=True) as connection:
            yield _Producer(connection, self.design)

    async def work(self, concurrency: int, run: Run) -> None:
        """A look that finds as much as there was room for is followed by another one as soon as there is room again."""
        running: set[asyncio.Task[None]] = set()
        async with AsyncConnectionPool(
            self.url, min_size=1, max_size=POOL, kwargs={"autocommit": True}, open=False
        ) as pool:
            while True:
                free = concurrency - len(running)
                rows = await self._take(pool, free)
                for job_id, payload in rows:
                    running.add(asyncio.create_task(self._handle(pool, job_id, payload, run)))
                if len(rows) == free and running:
                    _, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                else:
                    await asyncio.sleep(self.design.pause)
                    running = {each for each in running if not each.done()}

    async def _take(self, pool: AsyncConnectionPool, free: int) -> list[tuple[int, dict[str, float]]]:
        if not free:
            return []
        async with pool.connection() as connection:
            cursor = await connection.execute(self.design.take.encode(), [free])
            return await cursor.fetchall()

    async def _handle(self, pool: AsyncConnectionPool, job_id: int, payload: dict[str, float], run: Run) -> None:
        await run(int(payload["key"]), payload["seconds"])
        async with pool.connection() as connection:
            await connection.execute(self.design.finish.encode(), [job_id])


@dataclass(frozen=True, slots=True)
class _Producer:
    connection: psycopg.AsyncConnection
    design: Design

    async def enqueue(self, jobs: Sequence[Job]) -> Sequence[str]:
        payloads = [json.dumps(job.payload) for job in jobs]
        cursor = await self.connection.execute(self.design.insert.encode(), [payloads])
        return [str(job_id) for (job_id,) in await cursor.fetchall()]

    async def cancel(self, job_id: str) -> None:
        raise NotImplementedError
