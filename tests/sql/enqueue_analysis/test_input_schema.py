"""enqueue_analysis lets in only what the handler of the type can parse."""

from __future__ import annotations

import json
from typing import Any

import pytest

from maxnutrition.contracts.medical_exam import MedicalExamInput
from tests.sql.factories import Queue, call, refused

SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}


def test_an_input_that_does_not_fit_its_type_is_refused_with_the_field(queue: Queue) -> None:
    queue.new_type("counted", input_schema=SCHEMA)
    session = queue.user(queue.new_user())
    with refused("PT400", "invalid input: n must be integer") as told:
        call(session, "enqueue_analysis", type="counted", input={"n": "1"})
    assert json.loads(told.detail) == {"field": "n"}
    assert queue.everything() == []
    call(session, "enqueue_analysis", type="counted", input={"n": 1})


def test_services_are_held_to_the_schema_too(queue: Queue) -> None:
    queue.new_type("counted", input_schema=SCHEMA)
    with refused("PT400", "n is missing"):
        call(queue.worker(), "enqueue_analysis", type="counted", input={})


def test_the_schema_of_medical_exam_is_the_models(queue: Queue) -> None:
    query = "select input_schema from public.analysis_types where type = 'medical_exam'"
    assert queue.owner.execute(query).fetchone() == (MedicalExamInput.model_json_schema(),)


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ([], "files has too few items"),
        ([{"path": "{user}/a.jpg"}] * 11, "files has too many items"),
        ([{"path": ""}], "files[0].path is too short"),
        ([{"bucket": "avatars", "path": "{user}/a.jpg"}], "files[0].bucket is not one of the allowed values"),
        ([{"bucket": "analysis-inputs", "path": "{user}/a.jpg", "crop": 1}], "files[0].crop is not allowed"),
    ],
)
def test_a_medical_exam_needs_one_file_of_the_right_shape(queue: Queue, files: list[Any], problem: str) -> None:
    user_id = queue.new_user()
    wanted = json.loads(json.dumps(files).replace("{user}", str(user_id)))
    with refused("PT400", f"invalid input: {problem}"):
        call(queue.user(user_id), "enqueue_analysis", type="medical_exam", input={"files": wanted})


def test_a_medical_exam_with_a_file_of_its_user_is_enqueued(queue: Queue) -> None:
    user_id = queue.new_user()
    wanted = {"files": [queue.new_file(f"{user_id}/exam.jpg")]}
    answer = call(queue.user(user_id), "enqueue_analysis", type="medical_exam", input=wanted)
    assert queue.job(answer["id"])["input"] == wanted
