"""Composition: the providers that the settings name, as the `Models` of a worker."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal

import anyio
import httpx

from analysis_worker.metrics import current_meters
from maxnutrition.providers.breaker import CircuitBreaker
from maxnutrition.providers.budget import Budget, PostgrestSpending
from maxnutrition.providers.cooldowns import Cooldowns
from maxnutrition.providers.cost import MICRO
from maxnutrition.providers.gateway import Gateway, Plan, Route
from maxnutrition.providers.gemini import Gemini
from maxnutrition.providers.ollama import Ollama
from maxnutrition.providers.openai import OpenAi
from maxnutrition.providers.port import Provider
from maxnutrition.providers.request import Models
from maxnutrition.providers.streams import provider_client
from maxnutrition.settings import AnalysisSettings, ProviderName

# Below warnings they write whole URLs, headers and bodies.
_TALKATIVE = ("httpx", "httpcore", "google_genai")
_SPENDING_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class _Source:
    """What all jobs share of a provider."""

    provider: Provider
    breaker: CircuitBreaker
    turns: anyio.CapacityLimiter


@asynccontextmanager
async def open_models(
    settings: AnalysisSettings,
    supabase_url: str,
    current_key: Callable[[], str],
    clock: Callable[[], float] = time.monotonic,
) -> AsyncIterator[Models]:
    """`current_key`: the worker's key for Supabase, which knows what was spent. It never goes to a provider."""
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    tls = httpx.create_ssl_context(trust_env=False)
    async with (
        provider_client(settings.idle_seconds, tls) as client,
        provider_client(settings.idle_seconds, tls) as gemini_client,
        provider_client(_SPENDING_SECONDS, tls) as own,
    ):
        sources = {
            provider.name: _Source(
                provider,
                CircuitBreaker(clock, settings.breaker_failures, settings.breaker_seconds),
                anyio.CapacityLimiter(settings.ollama_parallel if provider.name == "ollama" else math.inf),
            )
            for provider in _configured(settings, client, gemini_client)
        }
        requests = current_meters().counter(
            "maxnutrition_provider_requests", "Calls of models, by what came of them.", ("provider", "model", "outcome")
        )
        plan = Plan(_routes_of(settings, sources), missing_message, settings.prices, settings.call_seconds, requests)
        spending = PostgrestSpending(own, supabase_url, current_key, clock)
        yield Gateway(plan, budget_of(settings), spending, Cooldowns(clock))


def _routes_of(settings: AnalysisSettings, sources: Mapping[str, _Source]) -> Callable[[str, bool], Sequence[Route]]:
    def routes(job_type: str, with_images: bool) -> Sequence[Route]:
        named = [
            (sources[name], _model_of(settings, name, job_type, with_images))
            for name in settings.order_for(job_type)
            if name in sources
        ]
        return [Route(one.provider, model, one.breaker, one.turns) for one, model in named if model is not None]

    return routes


def _configured(
    settings: AnalysisSettings, client: httpx.AsyncClient, gemini_client: httpx.AsyncClient
) -> Iterator[Provider]:
    if settings.gemini_api_key is not None:
        yield Gemini(gemini_client, settings.gemini_url, settings.gemini_api_key, settings.gemini_thinking)
    if settings.openai_url is not None:
        yield OpenAi(client, settings.openai_url, settings.openai_api_key)
    if settings.ollama_url is not None:
        yield Ollama(client, settings.ollama_url, settings.ollama_context_tokens)


def _model_of(settings: AnalysisSettings, name: ProviderName, job_type: str, with_images: bool) -> str | None:
    match name:
        case "gemini":
            return settings.gemini_exam_model if job_type == "medical_exam" else settings.gemini_model
        case "openai":
            return settings.openai_vision_model if with_images else settings.openai_model
        case "ollama":
            return settings.ollama_vision_model if with_images else settings.ollama_model


def budget_of(settings: AnalysisSettings) -> Budget:
    return Budget(
        _micro(settings.daily_budget_usd), _micro(settings.daily_user_budget_usd), when_over=settings.over_budget
    )


def missing_message(with_images: bool) -> str:
    """Which settings would make it work."""
    model = "VISION_MODEL" if with_images else "MODEL"
    return (
        "Este recurso precisa de um serviço de inteligência artificial, e nenhum está configurado para ele. Defina "
        f"MAXNUTRITION_GEMINI_API_KEY, MAXNUTRITION_OPENAI_URL com MAXNUTRITION_OPENAI_{model} ou "
        f"MAXNUTRITION_OLLAMA_URL com MAXNUTRITION_OLLAMA_{model}."
    )


def _micro(dollars: Decimal | None) -> int | None:
    return None if dollars is None else int(dollars * MICRO)
