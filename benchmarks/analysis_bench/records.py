"""What the workers of one trial noted in their files, read while they write."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path

LOOK_S = 0.005


@dataclass(slots=True)
class Records:
    """Times by kind of event and by key, in the order in which they were noted; see peers/protocol.py."""

    directory: Path
    times: dict[str, dict[str, list[float]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))
    workers: dict[str, int] = field(default_factory=dict)
    """Process ids by the key of the job that each started last."""
    _read: dict[Path, int] = field(default_factory=dict)

    @property
    def starts(self) -> dict[str, list[float]]:
        return self.times["s"]

    def processes(self) -> int:
        return sum(1 for _ in self.directory.iterdir())

    def look(self) -> None:
        for path in self.directory.iterdir():
            with path.open("rb") as file:
                file.seek(self._read.get(path, 0))
                new = file.read()
            whole = new[: new.rfind(b"\n") + 1]
            self._read[path] = self._read.get(path, 0) + len(whole)
            for line in whole.decode().splitlines():
                what, key, at = line.split()
                self.times[what][key].append(float(at))
                if what == "s":
                    self.workers[key] = int(path.name)

    def wait(self, what: str, keys: Collection[str], seconds: float) -> bool:
        """Until each of the keys has such an event, or so many seconds have passed."""
        return self.wait_for(lambda: self._has(what, keys), seconds)

    def wait_for(self, is_there: Callable[[], bool], seconds: float) -> bool:
        give_up_at = time.monotonic() + seconds
        while True:
            self.look()
            if is_there():
                return True
            if time.monotonic() > give_up_at:
                return False
            time.sleep(LOOK_S)

    def first(self, what: str, keys: Iterable[str]) -> list[float]:
        """The time of the first event of each key that has one."""
        return [self.times[what][key][0] for key in keys if key in self.times[what]]

    def _has(self, what: str, keys: Collection[str]) -> bool:
        seen = self.times[what]
        return len(seen) >= len(keys) and all(key in seen for key in keys)
