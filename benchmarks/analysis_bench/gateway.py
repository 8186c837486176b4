"""PostgREST and Realtime, as the stand-in serves them, in front of a database of the measuring server.

`python -m analysis_bench.gateway` prints its port when it listens and counts the requests it gets.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys

from aiohttp import web

from supabase_local.faults import RestFaults, add_faults
from supabase_local.gateway import Service, create_gateway
from supabase_local.keys import Keys
from supabase_local.realtime import RealtimeOptions, create_realtime_app
from supabase_local.rest import create_rest_app

HOST = "127.0.0.1"


async def serve() -> None:
    keys = Keys(**json.loads(os.environ["BENCH_KEYS"]))
    rest = create_rest_app(os.environ["BENCH_REST_URL"], keys.jwt_secret)
    add_faults(rest, RestFaults())
    options = RealtimeOptions(changes_every_s=float(os.environ["BENCH_CHANGES_EVERY_S"]))
    realtime = create_realtime_app(os.environ["BENCH_DATABASE_URL"], keys.jwt_secret, options)
    runner = web.AppRunner(create_gateway({"/rest/v1": Service(rest), "/realtime/v1": Service(realtime)}, keys))
    await runner.setup()
    site = web.TCPSite(runner, HOST, 0)
    await site.start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(serve())
