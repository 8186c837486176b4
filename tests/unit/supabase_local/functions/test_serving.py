"""How functions are found, begun, spoken to, begun again and ended; they are small ones, written here."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import TypeAlias

import anyio
import anyio.to_thread
import httpx
import psutil
import pytest
from aiohttp import ClientSession, web

from supabase_local.functions import FunctionSources, create_functions_app
from supabase_local.functions.process import BootError, find_deno
from supabase_local.gateway import Service, create_gateway
from supabase_local.keys import Keys, new_keys, sign

pytestmark = pytest.mark.anyio

ECHO = """
Deno.serve(async (request) => {
  const answer = {
    method: request.method,
    url: request.url.slice(new URL(request.url).origin.length),
    headers: Object.fromEntries(request.headers),
    body: await request.text(),
    environment: Deno.env.toObject(),
    pid: Deno.pid,
  };
  return Response.json(answer, { status: 201, headers: { "x-own": "yes" } });
});
"""
Serving: TypeAlias = AbstractAsyncContextManager[httpx.AsyncClient]


def no_deno() -> Path:
    raise BootError("Deno is not here")


@pytest.fixture
def keys() -> Keys:
    return new_keys()


@pytest.fixture
def serve(tmp_path: Path, keys: Keys) -> Callable[..., Serving]:
    """A gateway over the functions in `functions`, and its client."""

    @asynccontextmanager
    async def serving(
        deno: Callable[[], Path] = find_deno, env_file: Path | None = None
    ) -> AsyncIterator[httpx.AsyncClient]:
        environment = {"SUPABASE_URL": "http://127.0.0.1:9", "DENO_DIR": str(tmp_path / "deno")}
        sources = FunctionSources(tmp_path / "functions", env_file)
        app = create_functions_app(sources, keys.jwt_secret, environment, deno, ("X-Api-Key",))
        gateway = create_gateway({"/functions/v1": Service(app, open_door=True, own_cors=True)}, keys)
        runner = web.AppRunner(gateway, shutdown_timeout=1)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            url = f"http://127.0.0.1:{runner.addresses[0][1]}/functions/v1"
            async with httpx.AsyncClient(base_url=url, timeout=30, trust_env=False) as client:
                yield client
        finally:
            await runner.cleanup()

    return serving


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., None]:
    def write_function(name: str, code: str, config: str = "") -> None:
        directory = tmp_path / "functions" / name
        directory.mkdir(parents=True)
        (directory / "index.ts").write_text(code)
        (directory / "deno.json").write_text("{}")
        (tmp_path / "config.toml").write_text(config)

    return write_function


async def test_a_function_sees_the_request_as_the_platform_shows_it(
    serve: Callable[..., Serving], write: Callable[..., None], keys: Keys, tmp_path: Path
) -> None:
    write("echo", ECHO)
    (tmp_path / "own.env").write_text("GREETING=oi\n")
    authorization = {"authorization": f"Bearer {keys.publishable_key}", "x-mine": "a"}

    async with serve(env_file=tmp_path / "own.env") as client:
        answer = await client.put("/echo/a%2Fb?c=d&e", content=b"body", headers=authorization)

    seen = answer.json()
    assert (answer.status_code, answer.headers["x-own"]) == (201, "yes")
    assert (seen["method"], seen["url"], seen["body"]) == ("PUT", "/echo/a%2Fb?c=d&e", "body")
    assert seen["headers"]["authorization"] == f"Bearer {keys.anon_key}"
    assert seen["headers"]["x-mine"] == "a"
    assert "x-api-key" not in seen["headers"]
    assert seen["environment"]["GREETING"] == "oi"
    assert seen["environment"]["SUPABASE_URL"] == "http://127.0.0.1:9"
    assert "HOME" not in seen["environment"]  # nothing of the stack's own environment


async def test_a_token_of_the_project_is_wanted_unless_the_config_says_otherwise(
    serve: Callable[..., Serving], write: Callable[..., None], keys: Keys
) -> None:
    write("open", ECHO)
    write("closed", ECHO, "[functions.open]\nverify_jwt = false\n")
    expired = sign({"role": "authenticated", "exp": int(time.time()) - 100}, keys.jwt_secret)
    foreign = sign({"role": "authenticated"}, "another secret that is long enough for HS256")

    async with serve() as client:

        async def status(name: str, authorization: str | None) -> int:
            headers = {} if authorization is None else {"authorization": authorization}
            return (await client.post(f"/{name}", headers=headers)).status_code

        assert await status("open", None) == 201
        assert await status("open", f"Bearer {foreign}") == 201
        for wrong in (None, "Bearer", "Basic eA==", "Bearer x", f"Bearer {expired}", f"Bearer {foreign}"):
            assert await status("closed", wrong) == 401
        assert await status("closed", f"Bearer {keys.anon_key}") == 201
        assert (await client.options("/closed")).status_code == 201  # a browser asks without a token
        assert "access-control-allow-origin" not in (await client.options("/closed")).headers


async def test_what_is_no_function_is_not_found(serve: Callable[..., Serving], write: Callable[..., None]) -> None:
    write("_shared", ECHO)

    async with serve() as client:
        for path in ("/nothing", "/_shared", "/..%2Ffunctions", "/"):
            assert (await client.post(path)).status_code == 404
        assert (await client.post("/nothing")).headers["sb-error-code"] == "NOT_FOUND"


async def test_bodies_are_passed_on_as_they_come(
    serve: Callable[..., Serving], write: Callable[..., None], keys: Keys
) -> None:
    write("mirror", "Deno.serve((request) => new Response(request.body));")
    first_seen = anyio.Event()
    received = b""

    async def pieces() -> AsyncIterator[bytes]:
        yield b"first"
        await first_seen.wait()  # the answer has begun before the question has ended
        yield b"second"

    async with serve() as client, ClientSession() as session:  # httpx sends all before it reads
        url, headers = f"{client.base_url}mirror", {"authorization": f"Bearer {keys.anon_key}"}
        with anyio.fail_after(20):
            async with session.post(url, data=pieces(), headers=headers) as answer:
                async for piece in answer.content.iter_any():
                    received += piece
                    first_seen.set()

    assert received == b"firstsecond"


async def test_a_function_that_crashed_is_begun_again(
    serve: Callable[..., Serving], write: Callable[..., None], keys: Keys
) -> None:
    write("fragile", "Deno.serve((r) => r.method === 'DELETE' ? Deno.exit(3) : new Response(String(Deno.pid)));")
    headers = {"authorization": f"Bearer {keys.anon_key}"}

    async with serve() as client:
        before = (await client.get("/fragile", headers=headers)).text
        crash = await client.delete("/fragile", headers=headers)
        after = (await client.get("/fragile", headers=headers)).text
        os.kill(int(after), signal.SIGKILL)
        last = (await client.get("/fragile", headers=headers)).text

    assert (crash.status_code, crash.json()["code"]) == (500, "WORKER_ERROR")
    assert len({before, after, last}) == 3


@pytest.mark.parametrize("code", ["throw new Error('no')", "syntax error here", "console.log('serves nothing')"])
async def test_a_function_that_does_not_start_is_told_so(
    serve: Callable[..., Serving], write: Callable[..., None], keys: Keys, code: str
) -> None:
    write("broken", code)

    async with serve() as client:
        answer = await client.post("/broken", headers={"authorization": f"Bearer {keys.anon_key}"})

    assert (answer.status_code, answer.headers["sb-error-code"]) == (503, "BOOT_ERROR")


async def test_without_deno_the_answer_says_so(
    serve: Callable[..., Serving], write: Callable[..., None], keys: Keys
) -> None:
    write("echo", ECHO)

    async with serve(deno=no_deno) as client:
        answer = await client.post("/echo", headers={"authorization": f"Bearer {keys.anon_key}"})

    assert (answer.status_code, answer.json()) == (503, {"code": "BOOT_ERROR", "message": "Deno is not here"})


async def test_first_calls_at_the_same_time_share_one_process_that_ends_with_the_stack(
    serve: Callable[..., Serving], write: Callable[..., None], keys: Keys
) -> None:
    write("echo", ECHO)
    pids: list[int] = []

    async with serve() as client, anyio.create_task_group() as group:

        async def call() -> None:
            pids.append((await client.get("/echo", headers={"authorization": f"Bearer {keys.anon_key}"})).json()["pid"])

        for _ in range(5):
            group.start_soon(call)

    assert len(pids) == 5
    assert len(set(pids)) == 1
    assert not psutil.pid_exists(pids[0])


async def test_a_function_ends_even_when_the_stack_is_killed(write: Callable[..., None], tmp_path: Path) -> None:
    write("echo", ECHO)
    stack = f"""
import asyncio, pathlib
from supabase_local.functions.process import FunctionProcess, find_deno
from supabase_local.functions.sources import FunctionSources

async def main():
    function = FunctionSources(pathlib.Path({str(tmp_path / "functions")!r})).find("echo")
    process = FunctionProcess(find_deno(), function, {{"DENO_DIR": {str(tmp_path / "deno")!r}}}, None)
    print(await process.port(), flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""
    async with await anyio.open_process([sys.executable, "-c", stack], stderr=None) as parent:
        assert parent.stdout is not None
        port = int(await parent.stdout.receive())
        (function,) = psutil.Process(parent.pid).children()
        parent.kill()

    _, alive = await anyio.to_thread.run_sync(psutil.wait_procs, [function], 10)
    assert port > 0
    assert alive == []
