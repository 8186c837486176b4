"""The database's table of types is what the application's code says."""

from __future__ import annotations

import pytest
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from maxnutrition.job_types import JOB_TYPES, JobType
from maxnutrition.publishing import migration_of, policy_of
from tests.sql.factories import Queue, call


@pytest.mark.parametrize("kind", JOB_TYPES, ids=lambda kind: kind.name)
def test_the_policy_of_a_type_is_the_codes(shared_queue: Queue, kind: JobType) -> None:
    policy = policy_of(kind)
    with shared_queue.owner.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute("select * from public.analysis_types where type = %s", [kind.name]).fetchone()
    assert row is not None
    assert {column: row[column] for column in policy} == policy


def test_there_is_no_type_that_the_code_does_not_know(shared_queue: Queue) -> None:
    types = {name for (name,) in shared_queue.owner.execute("select type from public.analysis_types").fetchall()}
    assert types == {kind.name for kind in JOB_TYPES}


@pytest.mark.parametrize("kind", JOB_TYPES, ids=lambda kind: kind.name)
def test_the_example_of_a_type_is_accepted(queue: Queue, kind: JobType) -> None:
    user_id = queue.new_user()
    example = dict(kind.examples[0])
    if "file" in example:
        example["file"] = queue.new_file(f"{user_id}/photo.jpg")
    if "files" in example:
        example["files"] = [queue.new_file(f"{user_id}/page.jpg")]
    answer = call(queue.user(user_id), "enqueue_analysis", type=kind.name, input=Jsonb(example))
    assert queue.job(answer["id"])["status"] == "pending"


def test_a_migration_can_be_applied_again_and_leaves_alone_what_is_paused(queue: Queue) -> None:
    queue.owner.execute("update public.analysis_types set paused = true, rate_limit = 7 where type = 'meal_plan'")
    queue.owner.execute(migration_of(JOB_TYPES).encode())
    query = "select paused, rate_limit from public.analysis_types where type = 'meal_plan'"
    assert queue.owner.execute(query).fetchone() == (True, 30)
