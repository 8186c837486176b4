from uuid import UUID, uuid4

import httpx
import pytest
import respx

from analysis_worker import RetryableError
from maxnutrition.providers.budget import PostgrestSpending, Spent
from tests.unit.providers.doubles import Clock

pytestmark = pytest.mark.anyio

URL = "http://127.0.0.1:54321"
RPC = f"{URL}/rest/v1/rpc/get_spending"
SPENT = {"total_micro_usd": 500, "user_micro_usd": 20, "resets_in_seconds": 3600.5}


async def ask(clock: Clock, *times: tuple[UUID | None, float]) -> list[Spent]:
    """The spending of each user, asked so many seconds after the one before."""
    answers = []
    async with httpx.AsyncClient() as client:
        spending = PostgrestSpending(client, URL, lambda: "service-key", clock)
        for user_id, seconds in times:
            clock.now += seconds
            answers.append(await spending.today(user_id))
    return answers


@respx.mock
async def test_the_database_is_asked_with_the_workers_key(respx_mock: respx.MockRouter) -> None:
    route = respx_mock.post(RPC).respond(json=SPENT)
    user_id = uuid4()
    [spent] = await ask(Clock(), (user_id, 0))
    assert (spent.total_micro_usd, spent.user_micro_usd, spent.resets_in_seconds) == (500, 20, 3600.5)
    request = route.calls.last.request
    assert request.content == f'{{"user_id":"{user_id}"}}'.encode()
    assert (request.headers["apikey"], request.headers["authorization"]) == ("service-key", "Bearer service-key")


@respx.mock
async def test_an_answer_is_believed_for_some_seconds_and_for_its_user_only(respx_mock: respx.MockRouter) -> None:
    route = respx_mock.post(RPC).respond(json=SPENT)
    first, second = uuid4(), uuid4()
    await ask(Clock(), (first, 0), (first, 4), (second, 0), (None, 0), (first, 1))
    assert route.call_count == 4


@respx.mock
async def test_an_answer_is_not_believed_past_the_end_of_the_day(respx_mock: respx.MockRouter) -> None:
    route = respx_mock.post(RPC).respond(json={**SPENT, "resets_in_seconds": 2})
    await ask(Clock(), (None, 0), (None, 3))
    assert route.call_count == 2


@pytest.mark.parametrize("response", [httpx.Response(404), httpx.Response(503), httpx.Response(200, json=[])])
@respx.mock
async def test_without_an_answer_nothing_is_spent(respx_mock: respx.MockRouter, response: httpx.Response) -> None:
    respx_mock.post(RPC).mock(return_value=response)
    with pytest.raises(RetryableError) as caught:
        await ask(Clock(), (None, 0))
    assert caught.value.code == "budget_unknown"
    assert "service-key" not in repr(caught.value)
