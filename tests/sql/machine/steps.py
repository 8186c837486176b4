"""What may happen next, as strategies: the name of a method of the machine, and its arguments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from tests.sql.factories import ERROR
from tests.sql.machine.world import LIMITS, USERS, WORKERS

ANY = st.integers(0, 1000)
"""Which of those that there are, counted round and round."""
HOLD = st.integers(0, 3).map(lambda one_of_four: one_of_four == 3)
"""Whether the transaction stays open after the call, while others go on."""
KINDS = st.sampled_from(sorted(LIMITS))
TYPES = st.sampled_from([sorted(LIMITS), *([kind] for kind in sorted(LIMITS))])
"""What a worker asks for."""
TIMES = (40, 700, 4000)
"""Seconds: longer than a worker may be silent, than a schedule lies ahead, than anything."""
WRITES: Mapping[str, Mapping[str, Any]] = {
    "complete": {"result": {"answer": 42}, "usage": {"tokens": 7}},
    "fail": {"error": ERROR, "retryable": True, "delay_seconds": None},
    "fail at once": {"error": ERROR, "retryable": True, "delay_seconds": 0},
    "fail for good": {"error": ERROR, "retryable": False, "delay_seconds": None},
    "defer": {"delay_seconds": 3600, "reason": "busy"},
    "release": {},
    "report": {"progress": 0.5, "phase": "reading"},
}


def _step(name: str, **arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[str, dict[str, Any]]]:
    return st.fixed_dictionaries(arguments).map(lambda drawn: (name, drawn))


_CLAIM = _step(
    "claim",
    worker=st.sampled_from(WORKERS),
    types=TYPES,
    max_jobs=st.integers(1, 5),
    hold=st.booleans(),
)
_WRITE = _step("write", kind=st.sampled_from(sorted(WRITES)), which=ANY, hold=HOLD)
_SETTLE = _step(
    "settle",
    kinds=st.lists(st.sampled_from(sorted(WRITES.keys() - {"report"})), min_size=1, max_size=5),
    which=ANY,
    hold=HOLD,
)
_HAUNT = _step("haunt", kind=st.sampled_from(sorted(WRITES)), which=ANY, hold=HOLD)
_RACE = _step("race", which=ANY, types=TYPES, max_jobs=st.integers(1, 5))
_WRITE_LATE = _step("write_late", kind=st.sampled_from(sorted(WRITES)), which=ANY, hold=HOLD)
_SEND_AGAIN = _step("send_again", which=ANY, latest=st.booleans(), hold=HOLD)
_ENQUEUE = _step(
    "enqueue",
    of=st.tuples(st.sampled_from(USERS), KINDS, st.integers(0, 5)),
    key=st.booleans(),
    priority=st.sampled_from([None, -3, 0, 2]),
    delay=st.sampled_from([None, None, 600]),
    hold=HOLD,
)
_INTERVENE = _step(
    "intervene",
    what=st.sampled_from(["cancel", "cancel", "replay", "heartbeat", "deregister", "reconcile"]),
    which=ANY,
    hold=HOLD,
)
_SUFFER = _step("suffer", what=st.sampled_from(["silence", "overrun", "time"]), which=ANY, reconcile=st.booleans())
_FINISH = _step("finish", which=ANY, commit=st.sampled_from([True, True, True, False]))
STEPS = st.one_of(
    *(_ENQUEUE, _CLAIM, _CLAIM, _RACE, _WRITE, _SETTLE, _SETTLE, _WRITE_LATE, _HAUNT),
    *(_SEND_AGAIN, _INTERVENE, _INTERVENE, _SUFFER, _FINISH, _FINISH),
)
"""Any of them. One rule for all: with a rule for each, most games would do without the one or the other."""
