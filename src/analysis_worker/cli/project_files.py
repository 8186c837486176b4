"""What a project of one's own needs of the queue: which files, and what is in them. Reads, and writes nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

from analysis_worker.migrations import engine_migrations, migrations_directory

CONFIG = Path("supabase/config.toml")
MIGRATIONS = Path("supabase/migrations")
SECRETS = Path(".env")
_LINKED = Path("supabase/.temp/project-ref")  # written by `supabase link`
_TEMPLATE = Path(__file__).parent / "template"
_JOB_TYPES = "_job_types.sql"


class SameVersionError(Exception):
    """A migration of the project has the version of one of the queue's; the message names both."""


@dataclass(frozen=True, slots=True)
class ProjectFiles:
    """By path in the project: what is missing, with its text; what is there as it should be; what is there and differs,
    which of files for people to edit nobody asks."""

    missing: Mapping[Path, str]
    there: tuple[Path, ...]
    differ: tuple[Path, ...]


def compare_files(project: Path, now: datetime) -> ProjectFiles:
    """Raises SameVersionError. `now` names the migration with the application's own types."""
    migrations = _read_migrations(project)
    starters = dict(_starters(project, migrations, now))
    wanted = migrations | starters
    there = [path for path in wanted if (project / path).exists()]
    differ = [path for path in there if path in migrations and (project / path).read_text() != migrations[path]]
    missing = {path: text for path, text in wanted.items() if path not in there}
    return ProjectFiles(missing, tuple(path for path in there if path not in differ), tuple(differ))


def _read_migrations(project: Path) -> dict[Path, str]:
    files = engine_migrations(migrations_directory())
    versions = {_version(file): file.name for file in files}
    for other in sorted((project / MIGRATIONS).glob("*.sql")):
        if versions.get(_version(other), other.name) != other.name:
            raise SameVersionError(f"{other.name} has the version of {versions[_version(other)]}: rename yours")
    return {MIGRATIONS / file.name: file.read_text() for file in files}


def _starters(project: Path, migrations: Mapping[Path, str], now: datetime) -> Iterator[tuple[Path, str]]:
    """Files that are made once and then belong to the application."""
    yield CONFIG, _template("config.toml", name=re.sub(r"[^\w-]", "-", project.resolve().name))
    own = next((project / MIGRATIONS).glob(f"*{_JOB_TYPES}"), None)
    last = max(int(_version(path)) for path in migrations)
    name = own.name if own else f"{max(int(f'{now:%Y%m%d%H%M%S}'), last + 1)}{_JOB_TYPES}"
    yield MIGRATIONS / name, _template("job_types.sql")
    for path in ("worker/app.py", "worker/Dockerfile"):
        yield Path(path), _template(path)
    yield Path("worker/requirements.txt"), _template("worker/requirements.txt", version=version("analysis-worker"))
    yield Path(".env.example"), _template("env", url="https://your-project.supabase.co")
    yield SECRETS, _template("env", url=_find_url(project))


def _find_url(project: Path) -> str:
    linked = project / _LINKED
    return f"https://{linked.read_text().strip()}.supabase.co" if linked.is_file() else ""


def _template(file: str, **values: str) -> str:
    text = (_TEMPLATE / file).read_text()
    return text.format(**values) if values else text


def _version(file: Path) -> str:
    return file.name.partition("_")[0]
