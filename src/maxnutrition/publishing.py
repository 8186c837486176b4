"""What others are told of the job types: contracts for clients, a migration for the database, a table for readers."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from maxnutrition.job_types import JobType
from maxnutrition.sync_contracts import foods_text, guard_document, sync_of

_HEADER = """\
-- The job types of the application as its code describes them (maxnutrition.job_types), written by
-- `analysis-worker contracts migration`. What operators have changed since is set anew; what is paused stays so.
"""
_COLUMNS = (
    "type",
    "timeout_seconds",
    "max_attempts",
    "priority",
    "input_max_bytes",
    "input_schema",
    "rate_limit",
    "rate_window_seconds",
    "max_pending_per_user",
    "cache_ttl_seconds",
    "cache_scope",
    "prompt_version",
    "retain_completed_days",
    "retain_failed_days",
    "flag_key",
)
_LISTED = ",\n    ".join(_COLUMNS)
_HEADINGS = ("type", "replaces", "needs", "timeout", "tries", "cache", "limit per user", "kept", "flag", "version")


def contract_of(kind: JobType) -> dict[str, Any]:
    """All that a client needs to know to ask for this type and to read its answer."""
    example_input, example_result = kind.examples
    sync = sync_of(kind.name)
    return {
        "type": kind.name,
        "about": kind.about,
        "needs": kind.needs,
        "flag": kind.flag,
        "timeout_seconds": kind.timeout_seconds,
        "prompt_version": kind.version,
        "input_schema": kind.input.model_json_schema(),
        "result_schema": kind.result.model_json_schema(mode="serialization"),
        "example_input": example_input,
        "example_result": example_result,
        **({} if sync is None else {"sync": sync}),
    }


def files_of(kinds: Iterable[JobType], contracts: Path) -> dict[Path, str]:
    """All that the functions read, by where it is committed: `contracts` is the folder of the contracts."""
    return {contracts / f"{kind.name}.json": written(contract_of(kind)) for kind in kinds} | {
        contracts.parent / "guard.json": written(guard_document()),
        contracts.parent / "foods.json": foods_text(),
    }


def policy_of(kind: JobType) -> dict[str, Any]:
    """The row of `analysis_types`, by its columns."""
    values = (
        kind.name,
        float(kind.timeout_seconds),
        kind.max_attempts,
        kind.priority,
        kind.input_max_bytes,
        kind.input.model_json_schema(),
        kind.per_hour,
        3600,
        kind.waiting,
        kind.cache_seconds,
        "user",
        kind.version,
        kind.retention.completed,
        kind.retention.failed,
        kind.flag,
    )
    return dict(zip(_COLUMNS, values, strict=True))


def migration_of(kinds: Iterable[JobType]) -> str:
    rows = ",\n".join(f"({', '.join(map(_literal, policy_of(kind).values()))})" for kind in kinds)
    updates = ",\n    ".join(f"{column} = excluded.{column}" for column in _COLUMNS[1:])
    return (
        f"{_HEADER}\ninsert into public.analysis_types (\n    {_LISTED}\n)\nvalues\n{rows}\n"
        f"on conflict on constraint analysis_types_pkey do update set\n    {updates};\n"
    )


def table_of(kinds: Iterable[JobType]) -> str:
    """Markdown."""
    lines = [f"| {' | '.join(_HEADINGS)} |", f"|{'---|' * len(_HEADINGS)}"]
    for kind in kinds:
        cells = (
            f"`{kind.name}`",
            kind.replaces,
            kind.needs,
            f"{kind.timeout_seconds} s",
            str(kind.max_attempts),
            "no" if kind.cache_seconds is None else f"{kind.cache_seconds // 86_400} d, per user",
            f"{kind.per_hour} an hour, {kind.waiting} waiting",
            "for ever" if kind.retention.completed is None else f"{kind.retention.completed} days",
            f"`{kind.flag}`",
            f"`{kind.version}`",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def written(document: dict[str, Any]) -> str:
    """JSON as it is committed."""
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def _literal(value: object) -> str:
    match value:
        case None:
            return "null"
        case dict():
            return f"\n$schema$\n{json.dumps(value, ensure_ascii=False, indent=1)}\n$schema$"
        case int() | float():
            return f"{value:g}"
        case _:
            return "'" + str(value).replace("'", "''") + "'"
