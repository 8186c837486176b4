"""A rollout by numbers: the right share, nobody dropped, and the same buckets in every language."""

from __future__ import annotations

import hashlib
import json
import random
from uuid import UUID

import pytest

from tests.databases import ROOT
from tests.sql.factories import Queue, call
from tests.sql.flags.states import KEYS

USERS = 10_000
VECTORS = ROOT / "tests" / "contract" / "functions" / "rollout_vectors.json"
# The decision of get_flags for many users at once.
_DECIDED = """
select asked.user_id
from public.analysis_flags as flag
cross join unnest(%s::uuid[]) as asked (user_id)
where flag.key = %s and private.decide_flag(flag, true, asked.user_id) in ('allowed', 'rolled_out')
"""


def bucket(key: str, user_id: UUID) -> int:
    return int.from_bytes(hashlib.sha256(f"{key}:{user_id}".encode()).digest()[:4], "big") % 10000


@pytest.fixture(scope="module")
def users() -> list[UUID]:
    draw = random.Random("rollout")
    return [UUID(int=draw.getrandbits(128), version=4) for _ in range(USERS)]


def rolled_out(queue: Queue, users: list[UUID], key: str, percent: int) -> set[UUID]:
    call(queue.worker(), "roll_out_flag", key=key, rollout_bps=percent * 100)
    return {user_id for (user_id,) in queue.owner.execute(_DECIDED, [users, key]).fetchall()}


@pytest.mark.parametrize("key", KEYS)
def test_shares_are_as_asked_for_and_a_larger_one_contains_the_smaller(
    queue: Queue, users: list[UUID], key: str
) -> None:
    shares = {percent: rolled_out(queue, users, key, percent) for percent in (0, 10, 50, 100)}
    for percent, chosen in shares.items():
        assert abs(len(chosen) / USERS - percent / 100) <= 0.01
    assert shares[0] < shares[10] < shares[50] < shares[100]
    assert len(shares[100]) == USERS
    assert shares[10] == {user_id for user_id in users if bucket(key, user_id) < 1000}


def test_not_the_same_users_come_first_every_time(queue: Queue, users: list[UUID]) -> None:
    sofia, exams = rolled_out(queue, users, "sofia", 10), rolled_out(queue, users, "exams", 10)
    assert len(sofia & exams) / USERS == pytest.approx(0.01, abs=0.005)


def test_the_published_buckets_are_those_of_the_database(queue: Queue) -> None:
    vectors = json.loads(VECTORS.read_text())
    assert len(vectors) == 50
    assert {vector["key"] for vector in vectors} == set(KEYS)
    for vector in vectors:
        query = "select private.draw_bucket(%s, %s)"
        assert queue.owner.execute(query, [vector["key"], vector["user_id"]]).fetchone() == (vector["bucket"],)
        assert bucket(vector["key"], UUID(vector["user_id"])) == vector["bucket"]
