"""What a person sees of a demo: a live line while it runs, a table at the end."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from analysis_worker.client import JobView
from maxnutrition.demo.journey import Journey
from maxnutrition.demo.tables import show

_WAKES = {
    "realtime": "woken by Supabase Realtime",
    "sweep": "found by the worker's own sweep, without Realtime",
    "capacity": "taken when a slot became free",
}


class Display:
    """A progress line on standard error; says nothing when `quiet`."""

    def __init__(self, *, quiet: bool) -> None:
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
        self._progress = Progress(*columns, console=Console(stderr=True), transient=True, disable=quiet)
        self._line = self._progress.add_task("", total=1.0)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._progress.stop()

    def say(self, text: str) -> None:
        self._progress.update(self._line, description=text)

    def show(self, job: JobView) -> None:
        phase = f" · {job.phase}" if job.phase else ""
        self._progress.update(self._line, description=f"{job.status.value}{phase}", completed=job.progress or 0.0)


def show_result(journey: Journey) -> None:
    console = Console()
    if journey.job.result is None:
        error = journey.job.error
        console.print(
            f"[bold red]{journey.job.status.value}[/] {error.message if error else ''} "
            f"({error.code if error else 'no error given'})",
            highlight=False,
        )
    else:
        show(console, journey.type, journey.job.result)
    times = ", ".join(
        f"{name.removesuffix('_ms')} {ms:.0f} ms" for name, ms in journey.timings.items() if ms is not None
    )
    console.print(f"{_WAKES.get(journey.woken_by or '', 'never claimed')} · {times}", style="dim", highlight=False)
