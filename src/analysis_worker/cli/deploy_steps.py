"""What a deployment consists of: planned first, so that what is missing is found before anything is changed."""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from time import perf_counter
from urllib.parse import urlsplit

from analysis_worker.adapters.pages import post_json
from analysis_worker.cli.supabase_cli import HOW_TO_GET_IT, CliFailedError, SupabaseCli
from analysis_worker.errors import AnalysisError

MIGRATIONS = Path("supabase/migrations")
FUNCTIONS = Path("supabase/functions")
_PUSH = ("db", "push", "--linked", "--include-all", "--yes")
# Names that a function reads, but for those with a default behind them.
_READ = re.compile(r"\b(?:read|Deno\.env\.get)\(\s*[\"']([A-Z][A-Z0-9_]+)[\"']\s*\)(?!\s*(?:\|\||\?\?))")
_GIVEN = ("SUPABASE_", "SB_", "DENO_")


class Part(StrEnum):
    MIGRATIONS = "migrations"
    FUNCTIONS = "functions"
    WORKER = "worker"


class State(StrEnum):
    PLANNED = "planned"
    DONE = "done"
    FAILED = "failed"
    NOT_DONE = "not done"
    SKIPPED = "skipped"


@dataclass(slots=True)
class Step:
    name: str
    does: str
    state: State = State.PLANNED
    seconds: float = 0.0
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Means:
    """What a deployment is done with; None is what nobody gave."""

    project: Path
    cli: SupabaseCli | None
    db_url: str | None
    webhook: str | None


class NotPossibleError(Exception):
    """Something is missing that a step needs; nothing was begun."""


class StepFailedError(Exception):
    """The message says why."""


Planned = tuple[Step, Callable[[], str]]


def plan(means: Means, part: Part | None) -> list[Planned]:
    """The steps, and what does each and says what came of it. Raises NotPossibleError.

    Without `part` those are passed over for which the project has nothing.
    """
    parts = {
        Part.MIGRATIONS: _plan_migrations,
        Part.FUNCTIONS: _plan_functions,
        Part.WORKER: _plan_worker,
    }
    planned: list[Planned] = []
    for each, steps in parts.items():
        if part in {None, each}:
            planned += steps(means, part is not None)
    return planned


def carry_out(planned: Sequence[Planned]) -> Iterator[Step]:
    """Each step when it has ended. After one that failed, the others are not done."""
    failed = False
    for step, act in planned:
        if failed:
            step.state = State.NOT_DONE
        elif step.state is State.PLANNED:
            began_at = perf_counter()
            try:
                step.detail, step.state = act(), State.DONE
            except (StepFailedError, CliFailedError, AnalysisError) as error:
                step.detail, step.state, failed = str(error), State.FAILED, True
            step.seconds = round(perf_counter() - began_at, 1)
        yield step


def _plan_migrations(means: Means, is_asked_for: bool) -> list[Planned]:
    files = sorted((means.project / MIGRATIONS).glob("*.sql"))
    if not files:
        return _nothing("migrations", f"no files in {MIGRATIONS}", is_asked_for)
    if means.db_url is None:
        cli = _need_cli(means)
        return [(Step("migrations", f"supabase {' '.join(_PUSH)}"), lambda: _last_line(cli.run(*_PUSH)))]
    if importlib.util.find_spec("psycopg") is None:
        raise NotPossibleError("--db-url needs psycopg: pip install 'analysis-worker[postgres]'")
    url = means.db_url
    does = f"{len(files)} files of {MIGRATIONS} into {urlsplit(url).hostname}, where they are not there yet"
    return [(Step("migrations", does), lambda: _migrate(url, files))]


def _migrate(url: str, files: Sequence[Path]) -> str:
    from analysis_worker.adapters.migrating import apply_migrations  # noqa: PLC0415 - an extra

    applied = apply_migrations(url, files)
    return f"{len(applied)} applied, {len(files) - len(applied)} were there"


def _plan_functions(means: Means, is_asked_for: bool) -> list[Planned]:
    folder = means.project / FUNCTIONS
    names = sorted(path.parent.name for path in folder.glob("*/index.ts"))
    if not names:
        return _nothing("functions", f"none in {FUNCTIONS}", is_asked_for)
    cli = _need_cli(means)
    return [
        (
            Step("secrets", "supabase secrets list, against what the functions read"),
            lambda: _check_secrets(cli, folder),
        ),
        (
            Step("functions", f"supabase functions deploy ({', '.join(names)})"),
            lambda: _last_line(cli.run("functions", "deploy", "--yes")),
        ),
    ]


def _check_secrets(cli: SupabaseCli, folder: Path) -> str:
    """Only told: a function says itself what it misses, and works as soon as it is there."""
    wanted = {
        name
        for source in folder.rglob("*.ts")
        if "tests" not in source.parts
        for name in _READ.findall(source.read_text())
        if not name.startswith(_GIVEN)
    }
    try:
        listed = json.loads(cli.run("secrets", "list", "--output", "json"))
        missing = wanted - {secret["name"] for secret in listed}
    except (ValueError, TypeError, KeyError) as error:
        raise StepFailedError("the CLI lists secrets in a way that is not understood") from error
    return f"not set: {', '.join(sorted(missing))}" if missing else f"all {len(wanted)} are set"


def _plan_worker(means: Means, is_asked_for: bool) -> list[Planned]:
    if means.webhook is None:
        return _nothing("worker", "ANALYSIS_WORKER_DEPLOY_WEBHOOK is not set", is_asked_for)
    webhook = means.webhook
    return [(Step("worker", f"POST to the webhook at {urlsplit(webhook).hostname}"), lambda: _call(webhook))]


def _call(webhook: str) -> str:
    answer = post_json(webhook, {})
    if not 200 <= answer.status < 300:
        raise StepFailedError(f"the webhook answered HTTP {answer.status}")
    return "its build has begun"


def _nothing(name: str, why: str, is_asked_for: bool) -> list[Planned]:
    if is_asked_for:
        raise NotPossibleError(f"{name}: {why}")
    return [(Step(name, "", State.SKIPPED, detail=why), lambda: "")]


def _need_cli(means: Means) -> SupabaseCli:
    if means.cli is None:
        raise NotPossibleError(HOW_TO_GET_IT)
    return means.cli


def _last_line(output: str) -> str:
    return output.strip().rpartition("\n")[2]
