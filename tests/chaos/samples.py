"""What a soak holds of this machine: looked at every few seconds, written down, drawn, and judged for growth."""

from __future__ import annotations

import csv
import re
import statistics
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import httpx
import psutil

from tests.chaos.fleet import Fleet
from tests.chaos.stack import ChaosStack

MOST_GROWTH = 1.1
FEWEST = 60
_MIB = 2**20
_CLIENT = re.compile(r"^postgres: .+ 127\.0\.0\.1\(\d+\) ")


@dataclass(frozen=True, slots=True)
class Sample:
    """`worker` is the one that lives from the beginning; memory of PostgreSQL is what its processes do not share."""

    seconds: float
    worker_mib: float
    stack_mib: float
    postgres_mib: float
    worker_files: float
    stack_files: float
    worker_threads: float
    stack_threads: float
    postgres_connections: float
    realtime_connections: float


@dataclass(frozen=True, slots=True)
class Growth:
    """Medians of the first and of the last third of a run."""

    column: str
    first: float
    last: float

    @property
    def ratio(self) -> float:
        return self.last / self.first if self.first else 1.0

    @property
    def is_flat(self) -> bool:
        return self.ratio <= MOST_GROWTH

    def __str__(self) -> str:
        verdict = "flat" if self.is_flat else "GROWS"
        return f"{verdict:<6} {self.column:<21} {self.first:8.1f} -> {self.last:8.1f}   x {self.ratio:.2f}"


def growth_of(samples: Sequence[Sample]) -> list[Growth]:
    third = len(samples) // 3
    columns = [field.name for field in fields(Sample) if field.name != "seconds"]
    return [Growth(column, _median(samples[:third], column), _median(samples[-third:], column)) for column in columns]


def _median(samples: Iterable[Sample], column: str) -> float:
    return float(statistics.median(getattr(sample, column) for sample in samples))


def read_samples(file: Path) -> list[Sample]:
    with file.open(newline="") as opened:
        return [Sample(**{column: float(value) for column, value in row.items()}) for row in csv.DictReader(opened)]


@contextmanager
def sampling(file: Path, look: Callable[[float], Sample | None], every_s: float) -> Iterator[None]:
    """Rows of `look` go to `file` in the background. Where it gives None there is no row."""
    stop, began = threading.Event(), time.monotonic()
    with file.open("w", newline="", buffering=1) as opened:
        writer = csv.DictWriter(opened, [field.name for field in fields(Sample)])
        writer.writeheader()

        def sample() -> None:
            while not stop.wait(every_s):
                if seen := look(time.monotonic() - began):
                    writer.writerow(asdict(seen))

        thread = threading.Thread(target=sample, daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(30)


def look_at(stack: ChaosStack, fleet: Fleet, seconds: float) -> Sample | None:
    """None while the database is away or a process ends under our eyes."""
    with suppress(psutil.Error, httpx.HTTPError, OSError, ValueError):
        worker, gateway = psutil.Process(fleet.workers[0].process.pid), psutil.Process(stack.running.pid)
        backends = _processes_of(stack)
        return Sample(
            seconds=round(seconds, 1),
            worker_mib=round(worker.memory_info().rss / _MIB, 1),
            stack_mib=round(gateway.memory_info().rss / _MIB, 1),
            postgres_mib=round(sum(private for _, private in backends) / _MIB, 1),
            worker_files=worker.num_fds(),
            stack_files=gateway.num_fds(),
            worker_threads=worker.num_threads(),
            stack_threads=gateway.num_threads(),
            postgres_connections=sum(bool(_CLIENT.match(title)) for title, _ in backends),
            realtime_connections=stack.realtime_faults()["sockets"],
        )
    return None


def _processes_of(stack: ChaosStack) -> list[tuple[str, int]]:
    """Title and bytes that are not shared of each process of PostgreSQL."""
    postmaster = psutil.Process(int((stack.postgres.data_dir / "postmaster.pid").read_text().split()[0]))
    processes = [postmaster, *postmaster.children(recursive=True)]
    return [(" ".join(each.cmdline()), each.memory_info().rss - each.memory_info().shared) for each in processes]
