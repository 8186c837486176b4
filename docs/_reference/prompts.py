"""What is asked of models, measured on the requests that handlers make of their types' examples, and what it costs."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

import anyio
from PIL import Image

from analysis_worker.handlers import AnyHandler
from docs._reference.markdown import code, table
from maxnutrition.exams.model_reader import ModelReader
from maxnutrition.foods.table import core_foods
from maxnutrition.handlers.dr_vital import dr_vital
from maxnutrition.handlers.health_insights import health_insights
from maxnutrition.handlers.sofia_image import meal_photos, sofia_image
from maxnutrition.handlers.sofia_text import meal_texts, sofia_text
from maxnutrition.handlers.unified_assistant import unified_assistant
from maxnutrition.handlers.whatsapp_message import whatsapp_message
from maxnutrition.providers.request import ModelRequest
from maxnutrition.settings import GEMINI_PRICES, AnalysisSettings
from tests.unit.maxnutrition.fakes import StoredFiles
from tests.unit.providers.doubles import ScriptedModels, context_for

# Assumed: Google says about 4, for English. An answer's tokens include what the model thinks.
CHARACTERS_A_TOKEN = 3
TOKENS_AN_IMAGE = 1120
OUTPUT_TOKENS = 800

_CONTRACTS = Path(__file__).parents[2] / "supabase" / "functions" / "_shared" / "contracts"
_HARD_WORDS = "comi uma porção caprichada daquela travessa da minha avó"
_HANDLERS: dict[str, Callable[[ScriptedModels], AnyHandler]] = {
    "sofia_image": lambda models: sofia_image(meal_photos(_AnyFile({}), models, core_foods(), None)),
    "sofia_text": lambda models: sofia_text(meal_texts(core_foods(), models)),
    "unified_assistant": unified_assistant,
    "dr_vital": dr_vital,
    "health_insights": health_insights,
    "whatsapp_message": whatsapp_message,
}


class _AnyFile(StoredFiles):
    async def download(self, *_: object, **__: object) -> bytes:
        encoded = BytesIO()
        Image.new("RGB", (64, 48), "white").save(encoded, "PNG")
        return encoded.getvalue()


class _AskedError(Exception):
    """Instead of an answer: the question is all we want."""


@dataclass(frozen=True, slots=True)
class Asked:
    type: str
    characters: int
    images: int

    @property
    def input_tokens(self) -> int:
        return self.characters // CHARACTERS_A_TOKEN + self.images * TOKENS_AN_IMAGE

    @property
    def model(self) -> str:
        fields = AnalysisSettings.model_fields
        return str(fields["gemini_exam_model" if self.type == "medical_exam" else "gemini_model"].default)

    @property
    def dollars(self) -> Decimal:
        price = GEMINI_PRICES[self.model]
        return (self.input_tokens * price.input + OUTPUT_TOKENS * price.output) / 1_000_000


def describe_prompts() -> str:
    head = ("type", "model", "characters", "images", "input tokens", "dollars a call", "dollars a thousand")
    return table(head, (_row(asked) for asked in measure()))


def _row(asked: Asked) -> tuple[str, ...]:
    return (
        code(asked.type),
        code(asked.model),
        f"{asked.characters:,}",
        str(asked.images),
        f"{asked.input_tokens:,}",
        f"{asked.dollars:.4f}",
        f"{asked.dollars * 1000:.2f}",
    )


def measure() -> list[Asked]:
    return list(_measure())


def _measure() -> Iterator[Asked]:
    for type, make in _HANDLERS.items():
        yield _asked(type, anyio.run(_ask, type, make))
    yield _asked("medical_exam", anyio.run(_ask_of_exam))


def _asked(type: str, request: ModelRequest[Any]) -> Asked:
    texts = [request.system, *(message.text for message in request.messages)]
    schema = json.dumps(request.form.schema) if request.form.schema else ""
    images = sum(len(message.images) for message in request.messages)
    return Asked(type, len("".join(texts)) + len(schema), images)


async def _ask(type: str, make: Callable[[ScriptedModels], AnyHandler]) -> ModelRequest[Any]:
    models = ScriptedModels(_AskedError())
    handler: Any = make(models)
    example = json.loads((_CONTRACTS / f"{type}.json").read_text(encoding="utf-8"))["example_input"]
    if type == "sofia_text":
        example["text"] = _HARD_WORDS
    context, _ = context_for(type)
    with contextlib.suppress(_AskedError):
        await handler.run(handler.input.model_validate(example), context)
    return models.requests[0]


async def _ask_of_exam() -> ModelRequest[Any]:
    models = ScriptedModels(_AskedError())
    context, _ = context_for("medical_exam")
    with contextlib.suppress(_AskedError):
        await ModelReader(models).read([b"one page"], context)
    return models.requests[0]
