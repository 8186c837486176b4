"""A worker with its real surroundings: an application's handlers, PostgREST, Realtime, and the process's signals."""

from __future__ import annotations

import importlib
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import anyio
from loguru import logger

from analysis_worker.adapters.observed import ObservedJobStore
from analysis_worker.adapters.postgrest import PostgrestJobStore, new_http_client
from analysis_worker.adapters.realtime import NoWakeSource, RealtimeWakeSource
from analysis_worker.errors import ConfigurationError
from analysis_worker.handlers import App
from analysis_worker.lease import OpenStore
from analysis_worker.monitoring import open_monitoring
from analysis_worker.observer import Observer
from analysis_worker.ports import JobStore, WakeSource
from analysis_worker.settings import Settings
from analysis_worker.worker import Surroundings, Worker, new_worker_id


class AppNotFoundError(Exception):
    """`--app` names nothing that can be imported and called."""


def load_app(path: str) -> App:
    """The application at `package.module:name`, looked for in the working directory first."""
    module_name, _, name = path.partition(":")
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.insert(0, here)
    try:
        app: App = getattr(importlib.import_module(module_name), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise AppNotFoundError(f"no application at {path!r}: {error}") from error
    if not callable(app):
        raise AppNotFoundError(f"{path!r} is no application: it cannot be called")
    return app


async def run_worker(settings: Settings, app: App, on_started: Callable[[Worker], object]) -> None:
    """Run one worker of `app` until `Worker.stop` is called on what `on_started` got."""
    worker_id = new_worker_id()
    async with open_monitoring(settings) as observer, app(settings) as handlers:
        surroundings = _surroundings(settings, worker_id, observer)
        worker = Worker(surroundings, handlers, settings, worker_id)
        on_started(worker)
        await worker.run()


def _surroundings(settings: Settings, worker_id: str, observer: Observer) -> Surroundings:
    if settings.database_url is None:
        open_store, wake_source = _over_http(settings, worker_id, observer)
    else:
        open_store, wake_source = _next_to_database(settings.database_url.get_secret_value(), observer)

    @asynccontextmanager
    async def open_observed() -> AsyncIterator[JobStore]:
        async with open_store() as store:
            yield ObservedJobStore(store, observer)

    return Surroundings(open_observed, wake_source if settings.realtime else NoWakeSource(), observer)


def _over_http(settings: Settings, worker_id: str, observer: Observer) -> tuple[OpenStore, WakeSource]:
    @asynccontextmanager
    async def open_store() -> AsyncIterator[JobStore]:
        async with new_http_client(settings.supabase_url, settings.current_key) as client:
            yield PostgrestJobStore(client)

    return open_store, RealtimeWakeSource(settings.supabase_url, settings.current_key, worker_id, observer=observer)


def _next_to_database(url: str, observer: Observer) -> tuple[OpenStore, WakeSource]:
    try:
        from analysis_worker.adapters.listen import ListenWakeSource  # noqa: PLC0415 - an extra
        from analysis_worker.adapters.postgres import open_job_store, read_database_url  # noqa: PLC0415
    except ImportError as error:
        needed = "pip install 'analysis-worker[postgres]'"
        raise ConfigurationError(f"ANALYSIS_WORKER_DATABASE_URL needs psycopg and a pool: {needed}") from error
    conninfo = read_database_url(url)
    return partial(open_job_store, conninfo), ListenWakeSource(conninfo, observer)


async def run_until_signalled(settings: Settings, app: App) -> bool:
    """Run until SIGTERM or SIGINT, then drain. False where a second signal ended it at once."""
    drained = True

    async def watch_signals(worker: Worker) -> None:
        nonlocal drained
        with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as received:
            async for number in received:
                if worker.is_stopping:
                    logger.warning("second signal, stopping at once", signal=number.name)
                    drained = False
                    group.cancel_scope.cancel()
                    return
                logger.info("signal received, draining", signal=number.name)
                worker.stop()

    async with anyio.create_task_group() as group:
        await run_worker(settings, app, lambda worker: group.start_soon(watch_signals, worker))
        group.cancel_scope.cancel()
    return drained
