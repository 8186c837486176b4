from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maxnutrition.providers.errors import UnusableAnswerError
from maxnutrition.providers.streams import MAX_ANSWER_BYTES, cooldown_of, events_of, lines_of, retry_after_of

pytestmark = pytest.mark.anyio


def response_of(*chunks: bytes) -> httpx.Response:
    async def body() -> object:
        for chunk in chunks:
            yield chunk

    return httpx.Response(200, content=body())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("body", "events"),
    [
        (b"data: a\n\ndata: b\n\n", ["a", "b"]),
        (b"data: a\r\n\r\ndata:b\r\n\r\n", ["a", "b"]),
        (b": ping\n\nevent: x\nid: 1\ndata: a\n\n", ["a"]),
        (b"data: a\ndata: b\n\n", ["a\nb"]),
        (b"data: without an end", ["without an end"]),
        (b"\n\n\n", []),
        (b"", []),
    ],
)
async def test_events_are_read_as_the_standard_says(body: bytes, events: list[str]) -> None:
    assert [event async for event in events_of(response_of(body))] == events


@given(st.text(alphabet=st.characters(exclude_characters="\n\r", codec="utf-8")), st.integers(1, 7))
async def test_lines_survive_every_split(text: str, size: int) -> None:
    body = f"{text}\n\n{text}".encode()
    chunks = [body[at : at + size] for at in range(0, len(body), size)]
    expected = [text, "", text] if text else ["", ""]
    assert [line async for line in lines_of(response_of(*chunks))] == expected


async def test_a_stream_without_end_is_cut() -> None:
    with pytest.raises(UnusableAnswerError):
        _ = [line async for line in lines_of(response_of(*[b"x" * 65536] * (MAX_ANSWER_BYTES // 65536 + 1)))]


def test_retry_after_is_a_number_or_a_date() -> None:
    assert retry_after_of({"retry-after": "34"}) == 34
    assert retry_after_of({"retry-after": "soon"}) is None
    assert retry_after_of({}) is None
    seconds = retry_after_of({"retry-after": format_datetime(datetime.now(UTC) + timedelta(minutes=1), usegmt=True)})
    assert seconds is not None
    assert 55 < seconds <= 60


@pytest.mark.parametrize(("wanted", "seconds"), [(None, 15), (0, 1), (-5, 1), (34, 34), (10**9, 3600)])
def test_cooldowns_stay_within_bounds(wanted: float | None, seconds: float) -> None:
    assert cooldown_of(wanted) == seconds
