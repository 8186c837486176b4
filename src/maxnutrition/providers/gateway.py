"""Chooses among providers and stands between them and the jobs: budget, cool-downs, breakers, accounting."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import anyio

from analysis_worker import DeferredError, JobContext, PermanentError, RetryableError
from analysis_worker.metrics import Instrument
from maxnutrition.providers.breaker import CircuitBreaker
from maxnutrition.providers.budget import Budget, Spending
from maxnutrition.providers.conversation import converse
from maxnutrition.providers.cooldowns import Cooldowns
from maxnutrition.providers.cost import cost_micro_usd
from maxnutrition.providers.errors import (
    CircuitOpenError,
    ConnectionLostError,
    NoUsableAnswerError,
    OutOfTimeError,
    ProviderDownError,
    ProviderError,
    ProviderNotConfiguredError,
    RateLimitedError,
    RefusedError,
)
from maxnutrition.providers.port import Answer, Call, Meter, Provider
from maxnutrition.providers.request import ModelReply, ModelRequest, OnText
from maxnutrition.settings import Price

T = TypeVar("T")

_SETTLE_SECONDS = 1.0
"""Left of a job's time, so that it ends with our error and not in the middle of a call."""
_FAIR_SECONDS = 10.0
"""A provider that had less than this is not to blame for a timeout."""


@dataclass(frozen=True, slots=True)
class Route:
    """A provider with the model that serves a purpose."""

    provider: Provider
    model: str
    breaker: CircuitBreaker
    turns: anyio.CapacityLimiter
    """Of the provider: some refuse more calls at once than they are set up for."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What the settings say: routes by purpose, and what to tell where there are none."""

    routes: Callable[[str, bool], Sequence[Route]]
    """By job type and whether images are sent."""
    missing: Callable[[bool], str]
    """The message of provider_not_configured."""
    prices: Mapping[str, Price]
    call_seconds: float
    requests: Instrument = field(default_factory=Instrument)
    """Counts calls by provider, model and outcome."""


class Gateway:
    """The `Models` of a worker."""

    def __init__(self, plan: Plan, budget: Budget, spending: Spending, cooldowns: Cooldowns) -> None:
        self._plan = plan
        self._budget = budget
        self._spending = spending
        self._cooldowns = cooldowns

    async def generate(self, request: ModelRequest[T], context: JobContext) -> ModelReply[T]:
        with_images = any(message.images for message in request.messages)
        routes = self._plan.routes(request.purpose, with_images)
        if not routes:
            raise ProviderNotConfiguredError("provider_not_configured", self._plan.missing(with_images))
        await self._budget.check(self._spending, context.job.user_id)
        failures: list[ProviderError] = []
        for route in routes:
            try:
                return await self._ask(route, request, context)
            except ProviderError as error:
                failures.append(error)
                log = context.log.bind(provider=route.provider.name, model=route.model)
                log.warning("provider failed", error=str(error), kind=type(error).__name__)
        raise _verdict_on(failures)

    async def _ask(self, route: Route, request: ModelRequest[T], context: JobContext) -> ModelReply[T]:
        session = _Session(route, self._plan, self._cooldowns, context, request.form.on_text)
        output = await converse(request, route.model, session.call)
        return ModelReply(output, route.provider.name, route.model)


class _Session:
    """The calls of one job to one provider: at most one reconnect among them."""

    def __init__(self, route: Route, plan: Plan, cooldowns: Cooldowns, context: JobContext, on_text: OnText) -> None:
        self._route = route
        self._plan = plan
        self._cooldowns = cooldowns
        self._context = context
        self._on_text = on_text
        self._reconnected = False

    async def call(self, call: Call) -> Answer:
        try:
            return await self._counted(call)
        except ConnectionLostError:
            if self._reconnected:
                raise
            self._reconnected = True
            return await self._counted(call)

    async def _counted(self, call: Call) -> Answer:
        outcome = "Cancelled"
        try:
            answer = await self._admitted(call)
        except ProviderError as error:
            outcome = type(error).__name__.removesuffix("Error")
            raise
        else:
            outcome = "Answered"
            return answer
        finally:
            route = self._route
            self._plan.requests.add(1, provider=route.provider.name, model=route.model, outcome=outcome)

    async def _admitted(self, call: Call) -> Answer:
        """Asks unless the model or its provider wants to be left alone, and remembers what came of it."""
        route, breaker = self._route, self._route.breaker
        if (remaining := self._cooldowns.remaining(route.provider.name, route.model)) > 0:
            raise RateLimitedError("cooling down", remaining)
        if not breaker.admits():
            raise CircuitOpenError("circuit open", breaker.seconds_until_probe())
        try:
            answer = await self._metered(call)
        except ProviderDownError:
            breaker.failed()
            raise
        except OutOfTimeError:
            breaker.left()
            raise
        except ProviderError as error:
            breaker.succeeded()
            if isinstance(error, RateLimitedError):
                self._cooldowns.start(route.provider.name, route.model, error.after)
            raise
        except BaseException:
            breaker.left()
            raise
        breaker.succeeded()
        return answer

    async def _metered(self, call: Call) -> Answer:
        """Waits for a turn as long as the job has time: a queue of ours is no fault of the provider's."""
        turns = self._route.turns
        try:
            with anyio.fail_after(self._seconds_left()):
                await turns.acquire()
        except TimeoutError:
            raise OutOfTimeError("no turn in time") from None
        try:
            return await self._timed(call)
        finally:
            turns.release()

    async def _timed(self, call: Call) -> Answer:
        """What was used counts whatever the outcome, as far as the provider has told."""
        meter = Meter()
        left = self._seconds_left()
        try:
            with anyio.fail_after(min(self._plan.call_seconds, left)):
                return await self._route.provider.answer(call, meter, self._on_text)
        except TimeoutError:
            if left < min(self._plan.call_seconds, _FAIR_SECONDS):
                raise OutOfTimeError("the job's time ran out") from None
            raise ProviderDownError("timeout: whole call") from None
        finally:
            self._account(meter)

    def _seconds_left(self) -> float:
        return max(0.0, self._context.deadline - anyio.current_time() - _SETTLE_SECONDS)

    def _account(self, meter: Meter) -> None:
        price = self._plan.prices.get(self._route.model)
        usage = meter.usage
        self._context.add_usage(
            {
                "requests": 1,
                "input_tokens": usage.input_tokens,
                "cached_tokens": usage.cached_tokens,
                "output_tokens": usage.output_tokens,
                "cost_micro_usd": 0 if price is None else cost_micro_usd(usage, price),
                "model": self._route.model,
                "provider": self._route.provider.name,
            }
        )


def _verdict_on(failures: Sequence[ProviderError]) -> PermanentError | RetryableError | DeferredError:
    """What becomes of the job when every provider failed: the soonest way on decides."""
    cooldowns = [failure.after for failure in failures if isinstance(failure, RateLimitedError)]
    if cooldowns:
        return DeferredError("provider_busy", "O serviço de inteligência artificial está ocupado.", min(cooldowns))
    if all(isinstance(failure, RefusedError) for failure in failures):
        return PermanentError("provider_refused", "O serviço de inteligência artificial recusou o pedido.")
    if any(isinstance(failure, ProviderDownError | CircuitOpenError | OutOfTimeError) for failure in failures):
        probes = [failure.after for failure in failures if isinstance(failure, CircuitOpenError)]
        message = "O serviço de inteligência artificial não respondeu."
        return RetryableError("provider_unavailable", message, min(probes, default=None))
    return NoUsableAnswerError(
        "answer_unusable", "O serviço de inteligência artificial não deu uma resposta utilizável."
    )
