"""Sets the stage for a demo and clears it: the stack, a worker in this process, and the journey between them."""

from __future__ import annotations

from collections.abc import Callable

import anyio
from anyio.abc import TaskStatus

from analysis_worker import Settings
from analysis_worker.logs import configure_logging
from analysis_worker.migrations import migrations_directory
from analysis_worker.service import run_worker
from analysis_worker.worker import Worker
from maxnutrition.app import app
from maxnutrition.demo.journey import Journey, WorkerEvents, travel
from maxnutrition.demo.request import DemoRequest
from maxnutrition.demo.show import Display
from maxnutrition.demo.stack import StackVariables, throwaway_stack

_LISTEN_SECONDS = 20.0


async def perform(request: DemoRequest, realtime: bool, display: Display) -> Journey:
    """Raises StackError where there is no stack to play on."""
    configure_logging("text", "WARNING")
    events = WorkerEvents()
    display.say("starting a local Supabase")
    with events.listening():
        async with throwaway_stack(migrations_directory()) as variables, anyio.create_task_group() as group:
            display.say("starting a worker")
            worker: Worker = await group.start(_work, variables, realtime)
            if realtime:
                with anyio.move_on_after(_LISTEN_SECONDS):
                    await events.ready.wait()
            display.say(f"sending {request.title}")
            try:
                journey = await travel(variables.api_url, variables.anon_key, request, events, display.show)
            finally:
                worker.stop()
    return journey


async def _work(
    variables: StackVariables, realtime: bool, *, task_status: TaskStatus[Worker] = anyio.TASK_STATUS_IGNORED
) -> None:
    settings = Settings(supabase_url=variables.api_url, supabase_key=variables.secret_key, realtime=realtime)
    on_started: Callable[[Worker], object] = task_status.started
    await run_worker(settings, app, on_started)
