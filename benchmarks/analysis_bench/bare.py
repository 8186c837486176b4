"""How soon an event is at a client that does nothing else: the base line of pickup.

`python -m analysis_bench.bare changes|doorbell|notify` notes `a <job id> <time>` for each event.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import aiohttp
import psycopg

from analysis_bench.peers.protocol import Recorder

HEARTBEAT_S = 25
CHANNELS: dict[str, tuple[str, dict[str, Any]]] = {
    "changes": (
        "realtime:bare",
        {"postgres_changes": [{"event": "INSERT", "schema": "public", "table": "analysis_jobs"}]},
    ),
    "doorbell": ("realtime:analysis_jobs", {"private": True}),
}


async def main() -> None:
    recorder = Recorder(Path(os.environ["BENCH_RECORDS"]))
    event = sys.argv[1]
    if event == "notify":
        await listen(recorder)
    else:
        await subscribe(recorder, *CHANNELS[event])


async def listen(recorder: Recorder) -> None:
    async with await psycopg.AsyncConnection.connect(os.environ["BENCH_DATABASE_URL"], autocommit=True) as connection:
        await connection.execute("listen analysis_jobs")
        async for notice in connection.notifies():
            if (job_id := json.loads(notice.payload or "{}").get("job_id")) is not None:
                recorder.note("a", job_id)


async def subscribe(recorder: Recorder, topic: str, config: dict[str, Any]) -> None:
    key = os.environ["BENCH_KEY"]
    url = f"{os.environ['BENCH_API_URL']}/realtime/v1/websocket?apikey={key}&vsn=1.0.0"
    async with aiohttp.ClientSession() as http, http.ws_connect(url) as ws:
        await ws.send_json(_frame(topic, "phx_join", {"config": config, "access_token": key}))
        beating = asyncio.create_task(_beat(ws))
        async for message in ws:
            if (job_id := _job_in(json.loads(message.data))) is not None:
                recorder.note("a", job_id)
        beating.cancel()


async def _beat(ws: aiohttp.ClientWebSocketResponse) -> None:
    while True:
        await asyncio.sleep(HEARTBEAT_S)
        await ws.send_json(_frame("phoenix", "heartbeat", {}))


def _frame(topic: str, event: str, payload: dict[str, Any]) -> dict[str, Any]:
    return {"topic": topic, "event": event, "payload": payload, "ref": "1", "join_ref": "1"}


def _job_in(frame: dict[str, Any]) -> str | None:
    match frame:
        case {"event": "postgres_changes", "payload": {"data": {"record": {"id": str(job_id)}}}}:
            return job_id
        case {"event": "broadcast", "payload": {"payload": {"job_id": str(job_id)}}}:
            return job_id
        case _:
            return None


if __name__ == "__main__":
    asyncio.run(main())
