"""Everything that people, workers, operators and accidents do to the queue, in any order and at the same time."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from psycopg.types.json import Jsonb

from tests.sql.machine.checks import Witness
from tests.sql.machine.model import TERMINAL, Call, Violation
from tests.sql.machine.sessions import Caller, Transaction
from tests.sql.machine.snapshot import take_snapshot
from tests.sql.machine.steps import KINDS, STEPS, TIMES, WRITES
from tests.sql.machine.world import LIMITS, USERS, WORKERS, World


class QueueMachine(RuleBasedStateMachine):
    """`world` is emptied and used by one machine at a time."""

    def __init__(self, world: World) -> None:
        super().__init__()
        world.empty()
        self.world = world
        self.witness = Witness(LIMITS)
        self.sent: list[Call] = []
        """Claims and settles: what a worker repeats when the answer is lost."""
        self.sound = True

    @initialize(jobs=st.lists(st.tuples(st.sampled_from(USERS), KINDS), min_size=3, max_size=10))
    def fill(self, jobs: list[tuple[str | None, str]]) -> None:
        for content, (user, kind) in enumerate(jobs):
            self.enqueue((user, kind, content), key=False, priority=None, delay=None, hold=False)

    @rule(step=STEPS)
    def take(self, step: tuple[str, dict[str, Any]]) -> None:
        name, arguments = step
        getattr(self, name)(**arguments)

    def enqueue(
        self, of: tuple[str | None, str, int], key: bool, priority: int | None, delay: int | None, hold: bool
    ) -> None:
        user, kind, content = of
        arguments = {
            "type": kind,
            "input": {"content": content},
            "idempotency_key": f"{kind} {content}" if key else None,
            "priority": priority,
            "scheduled_at": None if delay is None else self.world.later(delay),
        }
        self._call(Call("enqueue_analysis", arguments, user), hold)

    def claim(self, worker: str, types: list[str], max_jobs: int, hold: bool) -> None:
        lease_id = str(UUID(int=len(self.sent) + 1))
        arguments = {"worker_id": worker, "lease_id": lease_id, "types": types, "max_jobs": max_jobs}
        self._send(Call("claim_job", arguments), hold)

    def write(self, kind: str, which: int, hold: bool) -> None:
        if lease := _pick(self._live(), which):
            self._send(_writing(kind, lease), hold)

    def write_late(self, kind: str, which: int, hold: bool) -> None:
        """By a worker that does not know what became of its lease."""
        if lease := _pick(self._gone(), which):
            self._send(_writing(kind, lease), hold)

    def haunt(self, kind: str, which: int, hold: bool) -> None:
        """A worker is taken for dead, its job goes to another, and then it writes."""
        if lease := _pick(self._live(), which):
            seen = self.witness.seen
            self.suffer("silence", WORKERS.index(seen.attempts[lease].worker_id), reconcile=True)
            self.claim(WORKERS[which % len(WORKERS)], [seen.jobs[lease[0]].type], 5, hold=False)
            self._send(_writing(kind, lease), hold)

    def settle(self, kinds: list[str], which: int, hold: bool) -> None:
        """Many outcomes in one call, in any order, some of leases that have ended."""
        leases = [*self._live(), *self._gone()[:2]]
        chosen = [(kind, _pick(leases, which * (number + 1))) for number, kind in enumerate(kinds)]
        settlements = [_settlement(kind, lease) for kind, lease in chosen if lease]
        if settlements:
            self._send(Call("settle_jobs", {"settlements": Jsonb(settlements)}), hold)

    def race(self, which: int, types: list[str], max_jobs: int) -> None:
        """Two workers ask for the same at the same time."""
        for worker, hold in ((which, True), (which + 1, False)):
            self.claim(WORKERS[worker % len(WORKERS)], types, max_jobs, hold)

    def send_again(self, which: int, latest: bool, hold: bool) -> None:
        """The answer was lost, or the whole transaction."""
        if call := _pick(self.sent[-3:] if latest else self.sent, which):
            self._call(call, hold)

    def intervene(self, what: str, which: int, hold: bool) -> None:
        """What users, operators and workers do to jobs beside working on them."""
        jobs, worker = self.witness.seen.jobs, WORKERS[which % len(WORKERS)]
        ended = [job_id for job_id, job in jobs.items() if job.status in TERMINAL]
        match what:
            case "cancel" if job_id := _pick([*(job_id for job_id, _ in self._live()), *jobs], which):
                self._call(Call("cancel_analysis", {"job_id": job_id}, jobs[job_id].user_id), hold)
            case "replay" if self.world.has_replay and (job_id := _pick(ended, which)):
                self._call(Call("replay_job", {"job_id": job_id}), hold)
            case "heartbeat":
                self._call(Call("heartbeat_worker", {"worker_id": worker, "held": self._leases_of(worker)}), hold)
            case "deregister":
                self._call(Call("deregister_worker", {"worker_id": worker}), hold)
            case "reconcile":
                self._call(Call("reconcile_jobs", {}), hold)

    def suffer(self, what: str, which: int, reconcile: bool) -> None:
        """A worker that hangs or dies, an attempt that takes too long, time that passes; somebody may look after it."""
        match what:
            case "silence":
                self.world.silence(WORKERS[which % len(WORKERS)])
            case "overrun" if lease := _pick(self._live(), which):
                self.world.expire(lease[0])
            case "time" if len(self.world.callers.idle()) == len(self.world.callers.members):
                self.world.pass_time(TIMES[which % len(TIMES)])
        self._check([], alone=False)
        if reconcile:
            self._call(Call("reconcile_jobs", {}), hold=False)

    def finish(self, which: int, commit: bool) -> None:
        """Commit what was held open, or lose it as a dying connection does."""
        if caller := _pick(self.world.callers.held(), which):
            self._finish(caller, commit)

    def teardown(self) -> None:
        """No job may be stuck: with workers that work, all of them end."""
        try:
            while self.sound and (held := self.world.callers.held()):
                self._finish(held[0], commit=True)
            for _ in range(20):
                if not self.sound or all(job.status in TERMINAL for job in self.witness.seen.jobs.values()):
                    return
                self._work_off()
            raise Violation(f"never ended: {self.witness.seen.jobs}")
        finally:
            self.world.callers.abort()

    def _work_off(self) -> None:
        self.world.pass_time(100_000)
        self._check([], alone=False)
        self._call(Call("reconcile_jobs", {}), hold=False)
        while True:
            before = self.witness.seen.attempts.keys()
            self.claim("w1", sorted(LIMITS), 5, hold=False)
            if not (claimed := self.witness.seen.attempts.keys() - before):
                return
            for lease in claimed:
                self._call(_writing("complete", lease), hold=False)

    def _leases_of(self, worker: str) -> Jsonb:
        """All that it was ever given, as a worker reports those that it believes to hold."""
        leases = [lease for lease, attempt in self.witness.seen.attempts.items() if attempt.worker_id == worker]
        return Jsonb([{"job_id": job_id, "lease_id": lease_id} for job_id, lease_id in leases])

    def _live(self) -> list[tuple[str, str]]:
        return [lease for lease, attempt in self.witness.seen.attempts.items() if attempt.outcome is None]

    def _gone(self) -> list[tuple[str, str]]:
        """Leases that have ended; if there are any, only those of jobs that run under another one now."""
        seen = self.witness.seen
        gone = [lease for lease, attempt in seen.attempts.items() if attempt.outcome is not None]
        return [lease for lease in gone if seen.jobs[lease[0]].lease_id] or gone

    def _send(self, call: Call, hold: bool) -> None:
        self.sent.append(call)
        self._call(call, hold)

    def _call(self, call: Call, hold: bool) -> None:
        callers = self.world.callers
        while not callers.idle():
            self._finish(callers.held()[0], commit=True)
        alone = len(callers.idle()) == len(callers.members)
        callers.idle()[0].begin(call, hold)
        self._check([], alone and not hold)

    def _finish(self, caller: Caller, commit: bool) -> None:
        held = caller.end(commit)
        self._check([held] if commit else [], alone=False)

    def _check(self, done: list[Transaction], alone: bool) -> None:
        self.sound = False
        done = [*done, *self.world.callers.settle()]
        self.witness.look(take_snapshot(self.world.owner), done, alone)
        self.sound = True


def play(world: World, chosen: settings) -> None:
    """Play many games in this world; raises the Violation of the shortest that found one."""

    class Game(QueueMachine):
        def __init__(self) -> None:
            super().__init__(world)

    run_state_machine_as_test(Game, settings=chosen)


def _writing(kind: str, lease: tuple[str, str]) -> Call:
    function = "report_progress" if kind == "report" else f"{kind.split(maxsplit=1)[0]}_job"
    return Call(function, {"job_id": lease[0], "lease_id": lease[1], **WRITES[kind]})


def _settlement(kind: str, lease: tuple[str, str]) -> dict[str, Any]:
    """The same as one of a batch."""
    outcome = {"complete": "completed", "fail": "failed", "defer": "deferred", "release": "released"}
    return {"outcome": outcome[kind.split(maxsplit=1)[0]], **_writing(kind, lease).arguments}


def _pick(items: list[Any], which: int) -> Any:
    """None where there are none."""
    return items[which % len(items)] if items else None
