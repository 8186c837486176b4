from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from uuid import UUID, uuid4

import anyio
import pytest

from analysis_worker import DeferredError, PermanentError, RetryableError
from analysis_worker.metrics import Instrument
from maxnutrition.providers.breaker import CircuitBreaker
from maxnutrition.providers.budget import Budget, Spent
from maxnutrition.providers.cooldowns import Cooldowns
from maxnutrition.providers.errors import (
    ProviderDownError,
    ProviderNotConfiguredError,
    RateLimitedError,
    RefusedError,
)
from maxnutrition.providers.gateway import Gateway, Plan, Route
from maxnutrition.providers.port import Answer, Call, Meter
from maxnutrition.providers.request import OnText
from maxnutrition.settings import Price
from tests.unit.providers.doubles import PLATE, Clock, ScriptedProvider, context_for, plate_request

pytestmark = pytest.mark.anyio

GOOD = Answer(PLATE, "stop")
PRICE = Price(input=Decimal(1), cached_input=Decimal(0), output=Decimal(10))
NO_LIMIT = Budget(None, None, "defer")


@dataclass(slots=True)
class KnownSpending:
    spent: Spent = field(default_factory=lambda: Spent(total_micro_usd=0, user_micro_usd=0, resets_in_seconds=600))

    async def today(self, user_id: UUID | None) -> Spent:
        del user_id
        return self.spent


class Counted(Instrument):
    def __init__(self) -> None:
        self.counts: Counter[tuple[str, ...]] = Counter()

    def add(self, amount: float, **labels: str) -> None:
        self.counts[tuple(labels.values())] += int(amount)


def gateway_of(
    *providers: ScriptedProvider,
    budget: Budget = NO_LIMIT,
    spent: Spent | None = None,
    requests: Instrument | None = None,
) -> Gateway:
    clock = Clock()
    routes = [
        Route(provider, f"model-{n}", CircuitBreaker(clock, 5, 30), anyio.CapacityLimiter(9))
        for n, provider in enumerate(providers)
    ]
    prices = {"model-0": PRICE}
    plan = Plan(lambda _, __: routes, lambda _: "Defina MAXNUTRITION_X.", prices, 10, requests or Instrument())
    return Gateway(plan, budget, KnownSpending(spent) if spent else KnownSpending(), Cooldowns(clock))


async def test_without_providers_the_settings_are_named() -> None:
    context, _ = context_for("sofia_image")
    with pytest.raises(ProviderNotConfiguredError, match="MAXNUTRITION_X") as caught:
        await gateway_of().generate(plate_request(), context)
    assert caught.value.code == "provider_not_configured"


async def test_what_was_used_is_counted_for_failed_and_repaired_turns_too() -> None:
    context, recorded = context_for("sofia_image")
    provider = ScriptedProvider([Answer("{", "stop"), GOOD])
    await gateway_of(provider).generate(plate_request(), context)
    failing = ScriptedProvider([ProviderDownError("HTTP 503")])
    with pytest.raises(RetryableError):
        await gateway_of(failing).generate(plate_request(), context)
    assert recorded.sum_of("requests") == 3
    assert recorded.sum_of("cost_micro_usd") == 3 * (800 * 1 + 100 * 10)
    assert recorded.usage[-1]["model"] == "model-0"
    assert recorded.usage[-1]["provider"] == "scripted"


async def test_calls_are_counted_by_what_came_of_them() -> None:
    busy = ScriptedProvider([RateLimitedError("429", 30.0)], name="busy")
    counted = Counted()
    gateway = gateway_of(busy, ScriptedProvider([Answer(PLATE, "stop")]), requests=counted)
    context, _ = context_for("sofia_image")
    await gateway.generate(plate_request(), context)
    assert counted.counts == {("busy", "model-0", "RateLimited"): 1, ("scripted", "model-1", "Answered"): 1}


async def test_a_model_without_a_price_costs_nothing() -> None:
    context, recorded = context_for("sofia_image")
    await gateway_of(ScriptedProvider([RefusedError("no")]), ScriptedProvider([GOOD])).generate(
        plate_request(), context
    )
    assert [usage["cost_micro_usd"] for usage in recorded.usage] == [1800, 0]


async def test_a_model_that_cools_down_leaves_the_job_to_the_next_provider() -> None:
    context, _ = context_for("sofia_image")
    first, second = ScriptedProvider([RateLimitedError("HTTP 429", 30)], "first"), ScriptedProvider([GOOD], "second")
    gateway = gateway_of(first, second)
    replies = [await gateway.generate(plate_request(), context) for _ in range(2)]
    assert [reply.provider for reply in replies] == ["second", "second"]
    assert len(first.calls) == 1


async def test_with_every_provider_failing_a_cooldown_defers_the_job() -> None:
    context, _ = context_for("sofia_image")
    gateway = gateway_of(
        ScriptedProvider([ProviderDownError("HTTP 503")]), ScriptedProvider([RateLimitedError("HTTP 429", 30)])
    )
    with pytest.raises(DeferredError) as caught:
        await gateway.generate(plate_request(), context)
    assert caught.value.delay_seconds == 30


async def test_refusals_never_open_the_breaker() -> None:
    context, _ = context_for("sofia_image")
    provider = ScriptedProvider([RefusedError("HTTP 400")])
    gateway = gateway_of(provider)
    for _ in range(7):
        with pytest.raises(PermanentError):
            await gateway.generate(plate_request(), context)
    assert len(provider.calls) == 7


async def test_a_job_that_runs_out_of_time_is_not_held_against_the_provider() -> None:
    clock = Clock()

    class Slow(ScriptedProvider):
        async def answer(self, call: Call, meter: Meter, on_text: OnText) -> Answer:
            del call, meter, on_text
            await anyio.sleep_forever()
            raise AssertionError("unreachable")

    breaker = CircuitBreaker(clock, 1, 30)
    plan = Plan(lambda _, __: [Route(Slow([GOOD]), "m", breaker, anyio.CapacityLimiter(1))], str, {}, call_seconds=10)
    gateway = Gateway(plan, NO_LIMIT, KnownSpending(), Cooldowns(clock))
    context, _ = context_for("sofia_image", deadline=anyio.current_time() + 1.1)
    with pytest.raises(RetryableError):
        await gateway.generate(plate_request(), context)
    assert breaker.admits()


@pytest.mark.parametrize(
    ("total", "own", "user_id", "allowed"),
    [(99, 9, uuid4(), True), (100, 0, uuid4(), False), (50, 10, uuid4(), False), (50, 10, None, True)],
)
async def test_a_budget_holds_in_all_and_per_user(total: int, own: int, user_id: UUID | None, allowed: bool) -> None:
    context, recorded = context_for("sofia_image", user_id)
    spent = Spent(total_micro_usd=total, user_micro_usd=own, resets_in_seconds=600)
    gateway = gateway_of(ScriptedProvider([GOOD]), budget=Budget(100, 10, "defer"), spent=spent)
    if allowed:
        await gateway.generate(plate_request(), context)
        return
    with pytest.raises(DeferredError) as caught:
        await gateway.generate(plate_request(), context)
    assert (caught.value.code, caught.value.delay_seconds) == ("budget_exceeded", 600)
    assert recorded.usage == []


async def test_over_budget_can_be_refused_instead() -> None:
    context, _ = context_for("sofia_image", uuid4())
    spent = Spent(total_micro_usd=100, user_micro_usd=0, resets_in_seconds=600)
    gateway = gateway_of(ScriptedProvider([GOOD]), budget=Budget(100, None, "refuse"), spent=spent)
    with pytest.raises(PermanentError) as caught:
        await gateway.generate(plate_request(), context)
    assert caught.value.code == "budget_exceeded"
