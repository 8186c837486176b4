"""What a stack keeps on disk, and who may use it: one process at a time, told by a lock that dies with its holder."""

from __future__ import annotations

import fcntl
import os
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from supabase_local.keys import Keys, new_keys

_KEYS = TypeAdapter(Keys)


class StackError(RuntimeError):
    """A stack could not be started, found or stopped; the message is for the person at the terminal."""


class AlreadyRunning(StackError):  # noqa: N818 - a state of the directory more than an error
    """Another process serves this directory."""


class StackVariables(BaseModel):
    """What clients need; in JSON the names are those of `supabase status -o json`."""

    model_config = ConfigDict(frozen=True, alias_generator=str.upper, populate_by_name=True)

    api_url: str
    db_url: str
    anon_key: str
    service_role_key: str
    publishable_key: str
    secret_key: str
    jwt_secret: str


class RunningStack(BaseModel):
    """The content of `stack.json`: who serves the directory, and how to reach it."""

    pid: int
    gateway_port: int
    postgres_port: int
    variables: StackVariables


@dataclass(frozen=True, slots=True)
class StackDirectory:
    path: Path

    @property
    def log_file(self) -> Path:
        return self.path / "stack.log"

    @property
    def files(self) -> Path:
        return self.path / "files"

    @property
    def _lock_file(self) -> Path:
        return self.path / "lock"

    @property
    def _state_file(self) -> Path:
        return self.path / "stack.json"

    def hold(self) -> None:
        """Keep every other process out for as long as this one lives; raises AlreadyRunning.

        The descriptor stays open: the system frees the lock when the process is really gone, however it ended.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        lock = os.open(self._lock_file, os.O_RDWR | os.O_CREAT, 0o600)
        if not _locked(lock):
            os.close(lock)
            raise AlreadyRunning(f"a stack is already running in {self.path}")
        os.truncate(lock, 0)
        os.write(lock, str(os.getpid()).encode())

    def holder(self) -> int | None:
        """The process that serves this directory now."""
        try:
            with self._lock_file.open("r") as lock:
                try:
                    fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
                except BlockingIOError:
                    return int(lock.read() or 0) or None
        except FileNotFoundError:
            pass
        return None

    def running(self) -> RunningStack | None:
        """The ready stack of this directory; what a dead or a starting process left behind does not count."""
        stack = self.last()
        return stack if stack is not None and stack.pid == self.holder() else None

    def last(self) -> RunningStack | None:
        """The stack that wrote the state file last, running or not."""
        try:
            return RunningStack.model_validate_json(self._state_file.read_text())
        except (FileNotFoundError, ValidationError):
            return None

    def announce(self, stack: RunningStack) -> None:
        _write_secret(self._state_file, stack.model_dump_json(by_alias=True, indent=2))

    def keys(self) -> Keys:
        """The keys of this directory, made on first use and kept from then on."""
        file = self.path / "keys.json"
        if not file.exists():
            _write_secret(file, _KEYS.dump_json(new_keys()).decode())
        return _KEYS.validate_json(file.read_bytes())

    def postgres(self) -> Path:
        """Where PostgreSQL lives. Its account must be able to walk there, so that root's own folders will not do."""
        pointer = self.path / "postgres.path"
        if pointer.exists() and Path(pointer.read_text()).is_dir():
            return Path(pointer.read_text())
        chosen = self.path / "postgres"
        if not _postgres_can_enter(self.path):
            chosen = Path(tempfile.mkdtemp(prefix="supabase-local-", dir=reachable_parent())) / "postgres"
            chosen.parent.chmod(0o711)
            pointer.write_text(str(chosen))
        chosen.mkdir(exist_ok=True)
        return chosen


def to_json(variables: StackVariables) -> str:
    return variables.model_dump_json(by_alias=True)


def from_keys(api_url: str, db_url: str, keys: Keys) -> StackVariables:
    return StackVariables(api_url=api_url, db_url=db_url, **asdict(keys))


def _locked(file: int) -> bool:
    """Tries for half a second: somebody who only looks holds the lock for a moment, too."""
    for _ in range(10):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.05)
        else:
            return True
    return False


def reachable_parent() -> str:
    """A folder for temporary things that PostgreSQL's account can reach."""
    usual = tempfile.gettempdir()
    return usual if _postgres_can_enter(Path(usual)) else "/var/tmp"  # noqa: S108 - only the parent of a random name


def _postgres_can_enter(path: Path) -> bool:
    """PostgreSQL runs as whoever started it, but never as root: root's server has an account of its own."""
    resolved = path.resolve()
    return os.geteuid() != 0 or all(parent.stat().st_mode & 0o001 for parent in (resolved, *resolved.parents))


def _write_secret(file: Path, text: str) -> None:
    """Readable by its owner alone, and never half written."""
    partial = file.with_suffix(".partial")
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as handle:
        handle.write(text)
    partial.replace(file)
