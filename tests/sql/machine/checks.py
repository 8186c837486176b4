"""What two snapshots and the calls between them have to agree on."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from tests.sql.machine.model import SETTLED, TERMINAL, Call, Job, Violation, reachable, singles
from tests.sql.machine.sessions import Answer, Refused, Transaction
from tests.sql.machine.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Known:
    """An answer that was given, and what the job was then."""

    answer: Any
    job: Job | None
    """None where others may have changed it since the call."""


@dataclass(slots=True)
class Witness:
    """Remembers what was promised and compares it with what is."""

    limits: dict[str, tuple[int | None, int | None]]
    """Of each type: how many may run in total, and of one user."""
    seen: Snapshot = field(default_factory=lambda: Snapshot({}, {}))
    _stuck: set[str] = field(default_factory=set)
    _stale: set[tuple[str, str | None]] = field(default_factory=set)
    _forgiven: dict[str, int] = field(default_factory=dict)
    _keys: dict[tuple[str | None, str], str] = field(default_factory=dict)
    _answers: dict[tuple[str, str, str], Known] = field(default_factory=dict)

    def look(self, after: Snapshot, done: list[Transaction], alone: bool) -> None:
        """`done` has been committed since the last look; `alone` says that nothing was open meanwhile."""
        after = self._with_memory(after)
        answered = [(each.call, each.answer.result()) for each in done]
        calls = [call for call, answer in answered if not isinstance(answer, Refused)]
        self._check_presence(after, answered)
        self._check_jobs(after, calls)
        self._check_attempts(after, calls)
        self._check_limits(after)
        for call, answer in answered:
            if not isinstance(answer, Refused):
                self._check_answer(call, answer, after, alone)
        self.seen = after

    def _with_memory(self, after: Snapshot) -> Snapshot:
        """A lease that was stale once may have been ended or replaced in the meantime, whatever it looks like now."""
        self._stuck = {job_id for job_id, job in after.jobs.items() if job.stale}
        self._stale |= {(job_id, after.jobs[job_id].lease_id) for job_id in self._stuck}
        jobs = {id_: replace(job, stale=(id_, job.lease_id) in self._stale) for id_, job in after.jobs.items()}
        return Snapshot(jobs, after.attempts)

    def _check_presence(self, after: Snapshot, answered: list[tuple[Call, Answer]]) -> None:
        enqueued = {
            answer["id"]
            for call, answer in answered
            if call.function == "enqueue_analysis" and not isinstance(answer, Refused)
        }
        _require(after.jobs.keys() == self.seen.jobs.keys() | enqueued, "jobs came or went", self.seen.jobs, after.jobs)

    def _check_jobs(self, after: Snapshot, calls: list[Call]) -> None:
        for job_id, before in self.seen.jobs.items():
            now = after.jobs[job_id].fixed()
            legal = reachable(calls, job_id, before)
            _require(now in legal, "illegal change of a job", job_id, before, now, calls)
            if before.status in TERMINAL and now.status not in TERMINAL:
                operator = any(call.function == "replay_job" for call in calls)
                _require(operator, "an ended job came back", job_id, before, now)

    def _check_attempts(self, after: Snapshot, calls: list[Call]) -> None:
        for key, before in self.seen.attempts.items():
            now = after.attempts.get(key)
            _require(now is not None, "an attempt went", key, before)
            _require(before.outcome is None or now == before, "a settled attempt changed", key, before, now)
        for lease_id in {lease_id for _, lease_id in self.seen.attempts}:
            _require(after.under(lease_id) == self.seen.under(lease_id), "a used lease took more jobs", lease_id)
        for call in calls:
            if call.function == "replay_job":
                self._forgiven[call["job_id"]] = after.counted(call["job_id"]) - after.jobs[call["job_id"]].attempt
        for job_id, job in after.jobs.items():
            counted = after.counted(job_id) - self._forgiven.get(job_id, 0)
            _require(counted == job.attempt, "the count of attempts is wrong", job_id, counted, job)

    def _check_limits(self, after: Snapshot) -> None:
        running = [(job_id, job) for job_id, job in after.jobs.items() if job.status == "processing"]
        for job_id, job in running:
            if (job_id, job.lease_id) in self.seen.attempts:
                continue
            total, of_one = self.limits[job.type]
            peers = [peer for _, peer in running if peer.type == job.type and not peer.stale]
            own = [peer for peer in peers if peer.user_id == job.user_id]
            _require(total is None or len(peers) <= total, "more running than the type allows", peers)
            _require(of_one is None or len(own) <= of_one, "more running than the type allows one user", own)

    def _check_answer(self, call: Call, answer: Any, after: Snapshot, alone: bool) -> None:
        match call.function:
            case "enqueue_analysis":
                self._check_enqueued(call, answer, after)
            case "claim_job":
                told, under = {row["id"] for row in answer}, after.under(call["lease_id"])
                held = {job_id for job_id in under if after.jobs[job_id].lease_id == call["lease_id"]}
                _require(told <= under and len(under) <= call["max_jobs"], "a claim told other jobs", call, told, under)
                _require(not alone or told == held, "a claim did not tell what it holds", call, told, held)
            case "heartbeat_worker":
                lost = {
                    pair["job_id"]
                    for pair in call["held"].obj
                    if after.attempts[pair["job_id"], pair["lease_id"]].outcome not in {None, *SETTLED}
                }
                _require(not alone or set(answer["lost"]) == lost, "a heartbeat told other losses", call, answer, lost)
            case "reconcile_jobs":
                _require(not alone or answer["ran"], "a reconciliation did not run", answer)
                _require(not alone or not self._stuck, "a reconciliation left jobs of the dead", self._stuck)
            case "complete_job" | "fail_job" | "defer_job" | "release_job" | "report_progress":
                self._check_lease_answer(call, answer, after, alone)
            case "settle_jobs":
                for single, own in zip(singles(call), answer, strict=True):
                    self._check_lease_answer(single, own, after, alone)

    def _check_enqueued(self, call: Call, answer: Any, after: Snapshot) -> None:
        job = after.jobs[answer["id"]]
        _require((job.user_id, job.type) == (call.user_id, call["type"]), "another's job was enqueued", call, job)
        if call["idempotency_key"] is not None:
            known = self._keys.setdefault((call.user_id, call["idempotency_key"]), answer["id"])
            _require(known == answer["id"], "one key, two jobs", call, known, answer)

    def _check_lease_answer(self, call: Call, answer: Any, after: Snapshot, alone: bool) -> None:
        job_id, lease_id = call["job_id"], call["lease_id"]
        job, outcome = after.jobs[job_id], after.attempts[job_id, lease_id].outcome
        if alone:
            lease = "held" if job.lease_id == lease_id or outcome in SETTLED else "lost"
            expected = {"status": job.status, "lease": lease, "settled": outcome in SETTLED, "outcome": outcome}
            _require(answer.items() >= expected.items(), "an answer that is not so", call, answer, expected)
        known = self._answers.get((call.function, job_id, lease_id))
        if known is None or known.answer["outcome"] is None:
            self._answers[call.function, job_id, lease_id] = Known(answer, job.fixed() if alone else None)
            return
        same = ["lease", "settled", "outcome", *(["status"] if known.job == job.fixed() else [])]
        told = all(known.answer[name] == answer[name] for name in same)
        _require(told, "another answer than before", call, known.answer, answer)


def _require(holds: bool, what: str, *evidence: Any) -> None:
    if not holds:
        raise Violation(f"{what}: " + ", ".join(map(repr, evidence)))
