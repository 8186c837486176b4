"""What comes in an address or a form is read strictly; what goes out reads well."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import parse_qs

import anyio
import pytest
from anyio.lowlevel import checkpoint

from analysis_worker.dashboard.filters import BadRequestError, JobFilter, choice, whole_number
from analysis_worker.dashboard.formats import ago, dollars, duration, moment, number, share
from analysis_worker.dashboard.shared import SharedAnswers

USER = "0f0e0d0c-0b0a-4908-8706-050403020100"


@pytest.mark.parametrize(
    "query",
    [
        {"status": "done"},
        {"user_id": "me"},
        {"since": "yesterday"},
        {"before_at": "x"},
        {"before_id": "'; drop table"},
    ],
)
def test_a_filter_that_cannot_be_is_refused(query: dict[str, str]) -> None:
    with pytest.raises(BadRequestError):
        JobFilter.read(query)


def test_an_empty_field_filters_nothing() -> None:
    assert JobFilter.read({"type": " ", "status": "", "unknown": "x"}) == JobFilter()


def test_a_filter_survives_the_way_through_an_address() -> None:
    wanted = JobFilter(type="a&b", status="failed", user_id=USER, error_code="x y", since="2026-01-02T03:04")
    query = {name: values[0] for name, values in parse_qs(str(wanted)).items()}
    assert JobFilter.read(query) == wanted


def test_a_time_without_a_zone_is_in_utc() -> None:
    assert JobFilter(since="2026-01-02T03:04").arguments()["since"] == "2026-01-02T03:04:00+00:00"


def test_only_ended_jobs_of_everybody_are_replayed_by_filter() -> None:
    assert JobFilter(status="failed").is_replayable
    assert not JobFilter().is_replayable
    assert not JobFilter(status="completed").is_replayable
    assert not JobFilter(status="failed", user_id=USER).is_replayable


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "²", "١", "1e3", "101", "x"])
def test_a_number_that_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(BadRequestError, match="from 1 to 100"):
        whole_number({"limit": text}, "limit", 100)


def test_a_number_may_be_left_out() -> None:
    assert whole_number({}, "limit") is None
    assert whole_number({"limit": " 7 "}, "limit") == 7


def test_a_choice_is_one_of_those_there_are() -> None:
    assert choice({}, "window", ["1h", "7d"]) == "1h"
    assert choice({}, "window", ["1h", "7d"], "7d") == "7d"
    with pytest.raises(BadRequestError, match="1h, 7d"):
        choice({"window": "2h"}, "window", ["1h", "7d"])


def test_numbers_and_times_read_well() -> None:
    assert [duration(seconds) for seconds in (None, 0.42, 25, 200, 8000, 500_000)] == [
        "–", "0.4 s", "25 s", "3.3 min", "2.2 h", "6 d"
    ]  # fmt: skip
    assert [dollars(micro) for micro in (0, 450, 1_234_567)] == ["$0.00", "$0.0004", "$1.23"]
    assert (number(1234.5), number(None), share(0.0512)) == ("1,234", "–", "5.1%")
    assert moment("2026-01-02T03:04:05.6+00:00") == "2026-01-02 03:04:05"
    assert ago("2026-01-02T03:04:05+00:00", datetime(2026, 1, 2, 3, 4, 30, tzinfo=UTC)) == "25 s ago"


@pytest.mark.anyio
async def test_who_asks_the_same_at_the_same_time_gets_the_same_answer() -> None:
    asked, now = list[str](), 0.0
    answers = SharedAnswers(lambda: now)

    async def ask() -> str:
        asked.append("again")
        await checkpoint()
        return f"answer {len(asked)}"

    heard = list[str]()

    async def listen() -> None:
        heard.append(await answers.get("question", 3, ask))

    async with anyio.create_task_group() as group:
        for _ in range(20):
            group.start_soon(listen)
    assert heard == ["answer 1"] * 20
    now = 3
    assert await answers.get("question", 3, ask) == "answer 2"
    answers.forget()
    assert await answers.get("question", 3, ask) == "answer 3"


@pytest.mark.anyio
async def test_an_error_is_nobodys_answer_but_of_who_asked() -> None:
    answers = SharedAnswers(lambda: 0.0)

    async def fail() -> str:
        raise ZeroDivisionError

    async def ask() -> str:
        return "answer"

    with pytest.raises(ZeroDivisionError):
        await answers.get("question", 3, fail)
    assert await answers.get("question", 3, ask) == "answer"
