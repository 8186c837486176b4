"""A job context whose usage and progress can be read, a clock to be moved, providers that do as they are told."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from loguru import logger
from pydantic import BaseModel, ConfigDict

from analysis_worker import Job, JobContext, PermanentError
from analysis_worker.jobs import Lease
from maxnutrition.providers.forms import PlainText, Structured
from maxnutrition.providers.port import Answer, Call, Meter, Usage
from maxnutrition.providers.request import Message, ModelReply, ModelRequest, OnText, T


@dataclass(slots=True)
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass(slots=True)
class Recorded:
    """What a handler told while it ran."""

    usage: list[Mapping[str, Any]] = field(default_factory=list)
    progress: list[tuple[float, str, str | None]] = field(default_factory=list)

    def sum_of(self, name: str) -> int:
        return sum(usage[name] for usage in self.usage)

    @property
    def partials(self) -> list[str]:
        return [partial for _, _, partial in self.progress if partial is not None]


def context_for(job_type: str, user_id: UUID | None = None, deadline: float = math.inf) -> tuple[JobContext, Recorded]:
    recorded = Recorded()
    job_id = uuid4()
    job = Job(
        id=job_id,
        type=job_type,
        user_id=user_id,
        input={},
        attempt=1,
        max_attempts=3,
        timeout_seconds=60,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        age_seconds=0.1,
        lease=Lease(job_id, job_id),
    )

    async def report_progress(progress: float, phase: str, partial: str | None = None) -> None:
        recorded.progress.append((progress, phase, partial))

    async def save_checkpoint(data: object) -> None:
        raise AssertionError("nothing to save")

    context = JobContext(
        job=job,
        deadline=deadline,
        log=logger.bind(job_id=str(job_id)),
        report_progress=report_progress,
        save_checkpoint=save_checkpoint,
        add_usage=recorded.usage.append,
    )
    return context, recorded


class Food(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    grams: int


class Plate(BaseModel):
    """The form that tests ask for."""

    model_config = ConfigDict(extra="forbid")

    foods: list[Food]


PLATE = '{"foods": [{"name": "arroz", "grams": 100}]}'


def plate_request(purpose: str = "sofia_image", images: tuple[bytes, ...] = ()) -> ModelRequest[Plate]:
    return ModelRequest(purpose, "Liste os alimentos.", (Message("user", "arroz", images),), Structured(Plate), 100)


def text_request(listen: OnText, purpose: str = "unified_assistant") -> ModelRequest[str]:
    return ModelRequest(purpose, "Seja breve.", (Message("user", "oi"),), PlainText(listen), 100)


@dataclass(slots=True)
class ScriptedProvider:
    """Answers, or raises, one after another; the last one again and again."""

    script: Sequence[Answer | Exception]
    name: str = "scripted"
    usage: Usage = field(default_factory=lambda: Usage(1000, 200, 100))
    calls: list[Call] = field(default_factory=list)

    async def answer(self, call: Call, meter: Meter, on_text: OnText) -> Answer:
        self.calls.append(call)
        step = self.script[min(len(self.calls), len(self.script)) - 1]
        meter.usage = self.usage
        if isinstance(step, Exception):
            raise step
        await on_text(step.text)
        return step


@dataclass(slots=True)
class ScriptedModels:
    """A `Models` that gives each text through the form that was asked for, or raises."""

    reply: str | Exception
    steps: Callable[[str], Sequence[str]] = lambda text: [text]
    requests: list[ModelRequest[Any]] = field(default_factory=list)

    async def generate(self, request: ModelRequest[T], context: JobContext) -> ModelReply[T]:
        del context
        self.requests.append(request)
        if isinstance(self.reply, Exception):
            raise self.reply
        for step in self.steps(self.reply):
            await request.form.on_text(step)
        return ModelReply(request.form.parse(self.reply), "scripted", "model-1")


NO_MODELS = ScriptedModels(PermanentError("provider_not_configured", "Defina MAXNUTRITION_GEMINI_API_KEY."))
