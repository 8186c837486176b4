"""What is stored at one moment, and what may never be found there."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from tests.sql.factories import Session
from tests.sql.machine.model import Job, Violation

# A job whose time comes within ten seconds may become due before the next look; jitter makes such times.
_EVERYTHING = """
select
    coalesce((
        select jsonb_agg(jsonb_build_object(
            'id', job.id, 'type', job.type, 'user_id', job.user_id, 'status', job.status,
            'attempt', job.attempt, 'max_attempts', job.max_attempts,
            'lease_id', job.lease_id, 'leased_by', job.leased_by,
            'progress', job.progress, 'phase', job.phase,
            'result', job.result ->> 'answer', 'error_code', job.error ->> 'code',
            'due', job.scheduled_at <= now() + interval '10 seconds',
            'stale', job.status = 'processing' and (
                worker.id is null
                or worker.heartbeat_at + make_interval(secs => worker.lease_seconds) <= now()
                or job.deadline_at + interval '15 seconds' <= now()
            )
        ) order by job.created_at)
        from public.analysis_jobs as job
        left join public.analysis_workers as worker on worker.id = job.leased_by
    ), '[]'),
    coalesce((
        select jsonb_agg(jsonb_build_object(
            'job_id', attempt.job_id, 'lease_id', attempt.lease_id, 'attempt', attempt.attempt,
            'worker_id', attempt.worker_id, 'outcome', attempt.outcome, 'error', attempt.error, 'usage', attempt.usage
        ) order by attempt.lease_id, job.created_at)
        from public.analysis_attempts as attempt
        join public.analysis_jobs as job on job.id = attempt.job_id
    ), '[]')
"""
_NEVER = {
    "of no legal status": """
        select id from public.analysis_jobs
        where status not in ('pending', 'processing', 'completed', 'failed', 'cancelled')""",
    "tried more often than allowed": "select id from public.analysis_jobs where attempt not between 0 and max_attempts",
    "without a live lease while processing, or with one otherwise, or with two": """
        select job.id
        from public.analysis_jobs as job
        left join public.analysis_attempts as live on live.job_id = job.id and live.outcome is null
        group by job.id
        having count(live) <> case job.status when 'processing' then 1 else 0 end
            or bool_or(live.lease_id is distinct from job.lease_id and job.status = 'processing')""",
    "completed without being settled exactly once": """
        select job.id
        from public.analysis_jobs as job
        left join public.analysis_attempts as done on done.job_id = job.id and done.outcome = 'completed'
        group by job.id
        having count(done) <> case when job.status = 'completed' and not job.cached then 1 else 0 end""",
    "pending without a row in the queue, or queued without being pending": """
        select coalesce(job.id, queue.job_id)
        from (select id from public.analysis_jobs where status = 'pending') as job
        full join public.analysis_queue as queue on queue.job_id = job.id
        where job.id is null or queue.job_id is null""",
}
_VIOLATIONS = " union all ".join(f"select '{name}', found.* from ({query}) as found" for name, query in _NEVER.items())


@dataclass(frozen=True, slots=True)
class Attempt:
    attempt: int
    worker_id: str
    outcome: str | None
    rest: str
    """Error and usage, to compare."""

    @property
    def counts(self) -> bool:
        return self.outcome not in {"deferred", "released"}


@dataclass(frozen=True, slots=True)
class Snapshot:
    jobs: dict[str, Job]
    """In the order in which they came, as everything here: games can be played again."""
    attempts: dict[tuple[str, str], Attempt]
    """By job and lease."""

    def under(self, lease_id: str) -> set[str]:
        """The jobs that were claimed under this lease."""
        return {job for job, lease in self.attempts if lease == lease_id}

    def counted(self, job_id: str) -> int:
        return sum(attempt.counts for (job, _), attempt in self.attempts.items() if job == job_id)


def take_snapshot(observer: Session) -> Snapshot:
    """What is committed; raises where it breaks a rule that holds at every moment."""
    if found := observer.execute(_VIOLATIONS).fetchall():
        raise Violation("; ".join(f"job {job_id}: {name}" for name, job_id in found))
    row = observer.execute(_EVERYTHING).fetchone()
    assert row is not None
    jobs, attempts = row
    return Snapshot(
        {job.pop("id"): Job(**job) for job in jobs},
        {(row["job_id"], row["lease_id"]): _attempt(row) for row in attempts},
    )


def _attempt(row: dict[str, Any]) -> Attempt:
    rest = json.dumps([row["error"], row["usage"]], sort_keys=True)
    return Attempt(row["attempt"], row["worker_id"], row["outcome"], rest)
