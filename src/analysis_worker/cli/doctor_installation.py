"""Is the queue installed as the migrations leave it? Pure: compares describe_installation with what is expected."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import Any

from analysis_worker.cli.doctor_expected import Expected
from analysis_worker.cli.doctor_findings import Finding, fault, ok, warning

_SKEW_SECONDS, _LEEWAY_SECONDS = 5.0, 30.0
_OLDEST_POSTGRES = 150000
_PUBLISHED = "public.analysis_jobs"
_DOORBELL = "analysis_jobs_ring_doorbell"
_NAMED = 3
_MIGRATE = "analysis-worker setup-db --db-url ..., or: supabase db push --linked"
Installation = Mapping[str, Any]


def check_installation(found: Installation, expected: Expected, now: datetime) -> Iterator[Finding]:
    """`now` is this machine's time when the database told its own."""
    yield _check_migrations(found, expected)
    yield _check_functions(found, expected)
    yield _check_tables(found, expected)
    yield _check_row_security(found)
    yield _check_grants(found, expected)
    yield _check_publication(found)
    yield _check_triggers(found, expected)
    yield _check_clock(found, now)
    yield _check_postgres(found)


def _check_migrations(found: Installation, expected: Expected) -> Finding:
    missing = set(expected.migrations) - set(found["migrations"])
    if not found["migrations"]:
        fix = "None, where you apply them by other means; the next checks look at the objects themselves."
        return warning("migrations", "the database keeps no record of migrations", fix)
    if missing:
        return fault("migrations", f"not applied: {_some(missing)}", f"{_MIGRATE} --include-all")
    return ok("migrations", f"all {len(expected.migrations)} applied")


def _check_functions(found: Installation, expected: Expected) -> Finding:
    missing = expected.functions.keys() - found["functions"].keys()
    if missing:
        return fault("schema", f"missing functions: {_some(missing)}", _MIGRATE)
    changed = {name for name, print_ in expected.functions.items() if found["functions"][name] != print_}
    if changed:
        fix = "Apply the definition in the package's migrations again, or run the program of the database's version."
        return fault("schema", f"functions differ from the migrations: {_some(changed)}", fix)
    return ok("schema", f"{len(expected.functions)} functions as in the migrations")


def _check_tables(found: Installation, expected: Expected) -> Finding:
    if missing := expected.tables.keys() - found["tables"].keys():
        return fault("tables", f"missing: {_some(missing)}", _MIGRATE)
    return ok("tables", f"{len(expected.tables)} tables")


def _check_row_security(found: Installation) -> Finding:
    if open_ := {name for name, table in found["tables"].items() if not table["row_security"]}:
        fix = "; ".join(f"alter table public.{name} enable row level security" for name in sorted(open_))
        return fault("row security", f"off for {_some(open_)}: everybody's jobs are at stake", fix)
    return ok("row security", "on for every table")


def _check_grants(found: Installation, expected: Expected) -> Finding:
    there = {name for name in expected.callable if f"public.{name}" in found["functions"]}
    refused = there - set(found["callable"])
    unreadable = {name for name in expected.tables if not found["tables"].get(name, {"readable": True})["readable"]}
    if refused or unreadable:
        grants = [f"grant execute on function public.{name} to service_role" for name in sorted(refused)]
        grants += [f"grant select on public.{name} to service_role" for name in sorted(unreadable)]
        return fault("grants", f"service_role may not use {_some(refused | unreadable)}", "; ".join(grants))
    return ok("grants", f"service_role may call {len(there)} functions")


def _check_publication(found: Installation) -> Finding:
    if _PUBLISHED not in found["published"]:
        fix = f"alter publication supabase_realtime add table {_PUBLISHED}"
        return fault("publication", "analysis_jobs is not published: no new job is announced", fix)
    if more := {name for name in found["published"] if name.startswith("public.analysis_")} - {_PUBLISHED}:
        fix = "; ".join(f"alter publication supabase_realtime drop table {name}" for name in sorted(more))
        return warning("publication", f"published too, at a cost for every subscriber: {_some(more)}", fix)
    return ok("publication", "analysis_jobs is published, and no other of the tables")


def _check_triggers(found: Installation, expected: Expected) -> Finding:
    missing = {
        (table, name)
        for table, names in expected.tables.items()
        for name in names - set(found["tables"].get(table, {"triggers": names})["triggers"])
    }
    if missing:
        fix = "; ".join(f"alter table public.{table} enable trigger {name}" for table, name in sorted(missing))
        names = {name for _, name in missing}
        rung = " (workers hear of jobs late)" if _DOORBELL in names else ""
        return fault(
            "triggers", f"missing or disabled: {_some(names)}{rung}", f"{fix}; where it is missing: {_MIGRATE}"
        )
    if not found["doorbell"]:
        fix = "Upgrade Realtime; until then workers are woken by changes alone, a quarter of a second later."
        return warning("triggers", "realtime.send does not exist: the doorbell is silent", fix)
    return ok("triggers", "all enabled")


def _check_clock(found: Installation, now: datetime) -> Finding:
    skew = abs((now - datetime.fromisoformat(found["at"])).total_seconds())
    fix = "Synchronise this machine's clock (timedatectl set-ntp true; in a container: the host's)."
    if skew > _LEEWAY_SECONDS:
        return fault("clock", f"{skew:.0f} s off the database's: tokens seem expired or not yet valid", fix)
    if skew > _SKEW_SECONDS:
        return warning("clock", f"{skew:.0f} s off the database's", fix)
    return ok("clock", f"{skew:.1f} s off the database's")


def _check_postgres(found: Installation) -> Finding:
    version = found["postgres"] // 10000
    if found["postgres"] < _OLDEST_POSTGRES:
        return fault("postgres", f"PostgreSQL {version} is too old", "Upgrade the project to PostgreSQL 15 or later.")
    return ok("postgres", f"PostgreSQL {version}")


def _some(names: Collection[str]) -> str:
    first = ", ".join(sorted(names)[:_NAMED])
    return first if len(names) <= _NAMED else f"{first} and {len(names) - _NAMED} more"
