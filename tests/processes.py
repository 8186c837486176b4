"""Programs under test as real processes, and what they leave behind."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import psutil

COMMAND = str(Path(sys.executable).with_name("analysis-worker"))
_MARK = "ANALYSIS_TEST_MARK"


@dataclass(slots=True)
class Playground:
    """A temporary directory and a mark in the environment, by which everything a program starts is found again."""

    directory: Path
    mark: str = field(default_factory=lambda: uuid4().hex)

    def environment(self, **more: str) -> dict[str, str]:
        return os.environ | {"TMPDIR": str(self.directory), _MARK: self.mark} | more

    def run(self, *arguments: str, timeout: float = 90) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [COMMAND, *arguments],
            env=self.environment(),
            cwd=self.directory,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    @contextmanager
    def started(self, *arguments: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
        """The program in a session of its own; killed at the end, with all that it started."""
        process = subprocess.Popen(
            [COMMAND, *arguments],
            env=self.environment(**environment),
            cwd=self.directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            process.kill()
            for left in self.processes():
                left.kill()
            process.communicate(timeout=10)

    def processes(self) -> list[psutil.Process]:
        """Living processes with our mark or, where they got an empty environment, with our directory."""
        return [process for process in psutil.process_iter() if self._is_ours(process)]

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            if process.status() == psutil.STATUS_ZOMBIE:
                return False
            return (
                process.environ().get(_MARK) == self.mark
                or process.cwd() == str(self.directory)
                or any(str(self.directory) in argument for argument in process.cmdline())
            )
        except psutil.Error:
            return False

    def files(self) -> list[str]:
        return sorted(path.name for path in self.directory.iterdir())

    def wait_until_empty(self, seconds: float = 20) -> tuple[list[str], list[str]]:
        """Command lines and files still there once nothing is, or after `seconds`."""
        give_up_at = time.monotonic() + seconds
        while (self.processes() or self.files()) and time.monotonic() < give_up_at:
            time.sleep(0.05)
        return [" ".join(process.cmdline()) for process in self.processes()], self.files()
