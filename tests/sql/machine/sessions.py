"""Sessions of one database whose transactions overlap as told: a call may be held open, and others may wait for it."""

from __future__ import annotations

import json
import time
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import psycopg

from tests.sql.factories import Session, call_set
from tests.sql.machine.model import Call, Violation

REFUSALS = ("PT400", "PT404", "PT409")
SETS = ("claim_job",)


@dataclass(frozen=True, slots=True)
class Refused:
    """The call was a mistake and changed nothing."""

    sqlstate: str


Answer: TypeAlias = Any


@dataclass(slots=True)
class Transaction:
    """One call on its way: running or waiting for a lock until `answer` is done, then held open if so wanted."""

    call: Call
    hold: bool
    answer: Future[Answer]


@dataclass(slots=True)
class Caller:
    """A connection, and the thread that may block in it."""

    connection: Session
    transaction: Transaction | None = None
    _thread: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(max_workers=1))

    def begin(self, call: Call, hold: bool) -> None:
        assert self.transaction is None
        self.transaction = Transaction(call, hold, self._thread.submit(self._run, call, hold))

    def end(self, commit: bool) -> Transaction:
        """The held transaction, over now."""
        held, self.transaction = self.transaction, None
        assert held is not None
        if commit:
            self.connection.commit()
        else:
            self.connection.rollback()
        return held

    def close(self) -> None:
        self._thread.shutdown()
        self.connection.close()

    def _run(self, call: Call, hold: bool) -> Answer:
        role = "authenticated" if call.user_id else "service_role"
        claims = {"role": role} | ({"sub": str(call.user_id)} if call.user_id else {})
        try:
            self.connection.execute(
                "select set_config('role', %s, true), set_config('request.jwt.claims', %s, true)",
                [role, json.dumps(claims)],
            )
            answer = call_set(self.connection, call.function, **call.arguments)
            if not hold:
                self.connection.commit()
        except psycopg.Error as error:
            self.connection.rollback()
            if error.sqlstate not in REFUSALS:
                raise Violation(f"{call} ended in {error.sqlstate}: {error}") from error
            return Refused(error.sqlstate)
        return answer if call.function in SETS else answer[0]


@dataclass(slots=True)
class Callers:
    """All sessions, seen from an observer's that takes part in nothing."""

    observer: Session
    members: list[Caller]

    def idle(self) -> list[Caller]:
        return [caller for caller in self.members if caller.transaction is None]

    def held(self) -> list[Caller]:
        """Those whose call is over and whose transaction is not."""
        return [
            caller for caller in self.members if caller.transaction is not None and caller.transaction.answer.done()
        ]

    def settle(self, within_seconds: float = 10) -> list[Transaction]:
        """Wait until every call is over or waits for the lock of another; returns those committed by that."""
        deadline = time.monotonic() + within_seconds
        while running := [caller for caller in self.members if _is_running(caller)]:
            wait([each.transaction.answer for each in running if each.transaction is not None], timeout=0.003)
            if self._all_blocked(running):
                break
            if time.monotonic() > deadline:
                raise Violation(f"neither over nor waiting: {[caller.transaction for caller in running]}")
        over = [caller for caller in self.held() if _is_over(caller)]
        return [_taken(caller) for caller in over]

    def abort(self) -> None:
        """Roll back whatever is open, as if all clients had died."""
        while open_ones := [caller for caller in self.members if caller.transaction is not None]:
            for caller in self.held():
                _taken(caller)
                caller.connection.rollback()
            wait([each.transaction.answer for each in open_ones if each.transaction is not None], timeout=0.01)

    def close(self) -> None:
        for caller in self.members:
            caller.close()
        self.observer.close()

    def _all_blocked(self, running: list[Caller]) -> bool:
        pids = [caller.connection.info.backend_pid for caller in running]
        query = "select bool_and(cardinality(pg_blocking_pids(pid)) > 0) from unnest(%s::integer[]) as pid"
        row = self.observer.execute(query, [pids]).fetchone()
        return row is not None and bool(row[0])


def _is_running(caller: Caller) -> bool:
    return caller.transaction is not None and not caller.transaction.answer.done()


def _is_over(caller: Caller) -> bool:
    """Committed or refused: nothing is held any more."""
    transaction = caller.transaction
    assert transaction is not None
    return not transaction.hold or isinstance(transaction.answer.result(), Refused)


def _taken(caller: Caller) -> Transaction:
    transaction, caller.transaction = caller.transaction, None
    assert transaction is not None
    return transaction
