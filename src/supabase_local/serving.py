"""A stack in this process, until a signal, or the end of standard input, asks for its end."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from supabase_local.directory import StackDirectory, reachable_parent, to_json
from supabase_local.server import StackOptions
from supabase_local.stack import StackInterrupted, running_stack


async def serve(options: StackOptions, until_stdin_closes: bool) -> None:
    """Prints the variables as one line of JSON when ready. A directory that is not to be kept is a temporary one."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    if until_stdin_closes:
        threading.Thread(target=_wait_for_stdin, args=(loop, stop), daemon=True).start()
    try:
        with _directory(options) as ready:
            await _serve_in(ready, stop)
    except StackInterrupted:
        return


async def _serve_in(options: StackOptions, stop: asyncio.Event) -> None:
    directory = StackDirectory(options.directory)
    directory.hold()
    async with running_stack(options, stop) as stack:
        directory.announce(stack)
        sys.stdout.write(to_json(stack.variables) + "\n")
        sys.stdout.flush()
        await stop.wait()


@contextmanager
def _directory(options: StackOptions) -> Iterator[StackOptions]:
    if options.keep:
        yield options
        return
    with tempfile.TemporaryDirectory(prefix="supabase-local-", dir=reachable_parent()) as name:
        Path(name).chmod(0o711)  # PostgreSQL may have an account of its own
        yield replace(options, directory=Path(name))


def _wait_for_stdin(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    try:
        loop.call_soon_threadsafe(stop.set)
    except RuntimeError:  # the loop is closed: the end has come by another way
        return
