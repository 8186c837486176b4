"""Processes of a trial: what they cost, and their end, whatever happens."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

READY_S = 40.0


class ChildError(RuntimeError):
    """A process ended or fell silent; the message ends with the last line of its log."""


@dataclass(frozen=True, slots=True)
class Child:
    """A process in a session of its own, so that whatever it starts ends with it. A worker must not print much."""

    process: subprocess.Popen[bytes]
    log: Path

    @classmethod
    def start(cls, command: Sequence[str], environment: Mapping[str, str], log: Path) -> Child:
        """Its words go to the log; what it is asked, it answers on standard output."""
        with log.open("ab") as errors:
            process = subprocess.Popen(
                command,
                env=os.environ | environment,
                cwd=log.parent,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
            )
        return cls(process, log)

    def read_line(self, timeout: float = READY_S) -> str:
        output = self.process.stdout
        assert output is not None
        readable, _, _ = select.select([output], [], [], timeout)
        line = output.readline().decode().strip() if readable else ""
        if not line:
            raise self.trouble("said nothing" if not readable else "ended")
        return line

    def ask(self, wish: Mapping[str, Any], timeout: float = READY_S) -> Any:
        """Send a line of JSON and wait for the answer."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps(wish).encode() + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError as error:
            raise self.trouble("ended") from error
        return json.loads(self.read_line(timeout))

    def check(self) -> None:
        if self.process.poll() is not None:
            raise self.trouble("ended")

    def trouble(self, what: str) -> ChildError:
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return ChildError(f"{self.log.stem} {what}: {lines[-1][-300:] if lines else 'no word'}")

    def has(self, pid: int) -> bool:
        """Whether it is, or has started, this process."""
        return any(each.pid == pid for each in self._family())

    def cpu_seconds(self) -> float:
        return sum(each.cpu_times().user + each.cpu_times().system for each in self._family())

    def rss_mib(self) -> float:
        return sum(each.memory_info().rss for each in self._family()) / 2**20

    def kill(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()

    def _family(self) -> list[psutil.Process]:
        process = psutil.Process(self.process.pid)
        return [process, *process.children(recursive=True)]
