"""Copies of the migrations with one fence taken out each: what the machine has to notice."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from supabase_local.database import Migration


@dataclass(frozen=True, slots=True)
class Mutation:
    """`fence`, a regular expression, gives way to `gap` wherever it stands in the bodies of these functions."""

    functions: tuple[str, ...]
    fence: str
    gap: str = ""

    def apply(self, migrations: list[Migration]) -> list[Migration]:
        """Fails unless each function is there and, as it was defined last, has the fence in it."""
        for function in self.functions:
            migrations = self._apply_to(function, migrations)
        return migrations

    def _apply_to(self, function: str, migrations: list[Migration]) -> list[Migration]:
        definition = re.compile(rf"create (?:or replace )?function private\.{function}\(.*?\n\$\$;", re.DOTALL)
        found = [match[0] for migration in migrations for match in definition.finditer(migration.sql)]
        assert found, f"private.{function} is not defined"
        mutated, count = re.subn(self.fence, self.gap, found[-1])
        assert count == 1, f"private.{function} has {count} of {self.fence}"
        return [replace(each, sql=each.sql.replace(found[-1], mutated)) for each in migrations]


def _lease_check(function: str, named: str) -> Mutation:
    """Writes reach the job whatever lease they name, as long as somebody has it."""
    return Mutation((function,), rf"job\.lease_id = {named}\.lease_id", "job.lease_id is not null")


MUTATIONS = {
    "settlements write under any lease": _lease_check("end_attempts", "settlement"),
    "report_progress writes under any lease": _lease_check("report_progress", "report_progress"),
    "a claim sent twice claims twice": Mutation(
        ("claim_job",), r"if not exists \(select from public\.analysis_attempts as used.*?\) then", "if true then"
    ),
    "claims do not lock what they take": Mutation(
        ("claim_claimable", "claim_waiting"), r"for update of queue, job skip locked"
    ),
    "claims of limited types do not wait for each other": Mutation(("claim_new",), r"pg_advisory_xact_lock\(", "abs("),
    "the living are rescued": Mutation(
        ("end_stuck_attempts",), r"worker\.heartbeat_at \+ make_interval\([^)]*\) > now\(\)", "false"
    ),
    "a cancelled job keeps its lease": Mutation(
        ("cancel_analysis",), r", lease_id = null, leased_by = null, deadline_at = null", ""
    ),
}
