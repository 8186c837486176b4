"""Flags and health as tests need them, and as the migrations leave them."""

from __future__ import annotations

from typing import Any

from tests.sql.factories import Queue, call

KEYS = ["exams", "meal_plan", "sofia", "unified", "whatsapp"]
_RESTORE = """
update public.analysis_flags
set enabled = key = 'all', rollout_bps = 10000, allow_users = '{}', deny_users = '{}', updated_by = 'migration',
    updated_at = now() - interval '1 year';
delete from public.analysis_health;
insert into public.analysis_health default values;
delete from public.analysis_health_settings;
insert into public.analysis_health_settings default values;
"""


def restore(queue: Queue) -> None:
    """Back to what the migrations leave, long ago."""
    queue.owner.execute(_RESTORE)


def flag(queue: Queue, key: str) -> Any:
    """The stored row."""
    row = queue.owner.execute("select to_jsonb(f) from public.analysis_flags as f where key = %s", [key]).fetchone()
    assert row is not None
    return row[0]


def audit(queue: Queue) -> list[Any]:
    return queue.owner.execute("select actor, action, details from public.analysis_audit order by id").fetchall()


def set_health(queue: Queue, **columns: Any) -> None:
    """Columns of the one row; times as SQL intervals before now."""
    _set(queue, "analysis_health", columns)


def set_settings(queue: Queue, **columns: Any) -> None:
    _set(queue, "analysis_health_settings", columns)


def health(queue: Queue) -> Any:
    """The stored row."""
    row = queue.owner.execute("select to_jsonb(h) from public.analysis_health as h").fetchone()
    assert row is not None
    return row[0]


def new_worker(queue: Queue, name: str = "w1") -> str:
    call(queue.worker(), "heartbeat_worker", worker_id=name)
    return name


def _set(queue: Queue, table: str, columns: dict[str, Any]) -> None:
    assignments = ", ".join(
        f"{name} = now() - %s::interval" if name.endswith(("_at", "_since")) else f"{name} = %s" for name in columns
    )
    queue.owner.execute(f"update public.{table} set {assignments}".encode(), list(columns.values()))
