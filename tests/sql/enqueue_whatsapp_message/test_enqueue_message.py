"""enqueue_whatsapp_message and find_whatsapp_user: jobs of people who are known by their phone alone."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.sql.factories import Queue, call, refused

PHONE = "5511987654321"


@pytest.fixture
def ana(queue: Queue) -> UUID:
    user_id = queue.new_user()
    confirm(queue, user_id, PHONE)
    return user_id


def confirm(queue: Queue, user_id: UUID, phone: str) -> None:
    queue.owner.execute("update auth.users set phone = %s, phone_confirmed_at = now() where id = %s", [phone, user_id])


def find(queue: Queue, phone: str) -> Any:
    return call(queue.worker(), "find_whatsapp_user", phone=phone)


def enqueue(queue: Queue, message_id: str | None = "wamid.1", phone: str = PHONE, **input: Any) -> Any:
    arguments = {"phone": phone, "message_id": message_id, "input": input or {"message": "oi"}}
    return call(queue.worker(), "enqueue_whatsapp_message", **arguments)


def jobs_of(queue: Queue, user_id: UUID) -> list[tuple[Any, ...]]:
    query = "select type, input from public.analysis_jobs where user_id = %s order by created_at"
    return queue.owner.execute(query, [user_id]).fetchall()


def test_a_confirmed_number_is_its_users_however_it_is_written(queue: Queue, ana: UUID) -> None:
    assert find(queue, PHONE) == ana
    assert find(queue, "+55 (11) 98765-4321") == ana


def test_the_ninth_digit_that_whatsapp_leaves_out_is_put_in(queue: Queue, ana: UUID) -> None:
    assert find(queue, "551187654321") == ana


def test_the_number_as_it_is_comes_before_the_one_with_a_ninth_digit(queue: Queue, ana: UUID) -> None:
    bia = queue.new_user()
    confirm(queue, bia, "551187654321")
    assert (find(queue, "551187654321"), find(queue, PHONE)) == (bia, ana)


def test_a_number_that_nobody_has_proved_is_nobodys(queue: Queue, ana: UUID) -> None:
    queue.owner.execute("update auth.users set phone_confirmed_at = null")
    assert find(queue, PHONE) is None
    assert enqueue(queue) is None
    assert (find(queue, "5511000000000"), find(queue, "")) == (None, None)
    assert jobs_of(queue, ana) == []


def test_talk_is_a_message_and_what_has_a_file_is_a_meal(queue: Queue, ana: UUID) -> None:
    file = queue.new_file(f"{ana}/whatsapp/wamid.2")
    enqueue(queue, "wamid.1", message="oi")
    enqueue(queue, "wamid.2", file=file, text="almoço")
    assert jobs_of(queue, ana) == [
        ("whatsapp_message", {"message": "oi"}),
        ("whatsapp_nutrition", {"file": file, "text": "almoço"}),
    ]


def test_the_same_message_is_one_job(queue: Queue, ana: UUID) -> None:
    assert enqueue(queue)["id"] == enqueue(queue)["id"]
    assert len(jobs_of(queue, ana)) == 1


def test_a_file_of_somebody_else_is_refused_though_a_service_asks(queue: Queue, ana: UUID) -> None:
    with refused("PT403", "not yours"):
        enqueue(queue, file=queue.new_file(f"{uuid4()}/whatsapp/wamid.1"))
    assert jobs_of(queue, ana) == []


def test_the_rate_is_the_senders(queue: Queue, ana: UUID) -> None:
    queue.owner.execute("update public.analysis_types set rate_limit = 1 where type = 'whatsapp_message'")
    bia = queue.new_user()
    confirm(queue, bia, "5521987654321")
    enqueue(queue, "wamid.1")
    with refused("PT429"):
        enqueue(queue, "wamid.2", message="oi de novo")
    enqueue(queue, "wamid.3", phone="5521987654321")
    assert (len(jobs_of(queue, ana)), len(jobs_of(queue, bia))) == (1, 1)


@pytest.mark.parametrize("message_id", [None, "", "x" * 181])
def test_a_message_without_an_id_cannot_be_told_from_its_repetition(
    queue: Queue, ana: UUID, message_id: str | None
) -> None:
    with refused("PT400", "message_id"):
        enqueue(queue, message_id)


def test_the_sender_sees_the_job(queue: Queue, ana: UUID) -> None:
    job = enqueue(queue)
    assert call(queue.user(ana), "get_analysis_status", job_id=job["id"])["status"] == "pending"
