"""Requests about food: models name foods and grams, code computes the nutrients."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, create_model

from maxnutrition.contracts.common import Confidence, Name
from maxnutrition.prompts.fences import fenced
from maxnutrition.prompts.library import PromptName, load_prompt
from maxnutrition.providers.forms import Structured
from maxnutrition.providers.request import Message, ModelRequest

FoodId = Annotated[str, StringConstraints(min_length=1, max_length=80)]
Grams = Annotated[float, Field(gt=0, le=5000)]


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SeenFood(_Answer):
    food_id: FoodId
    grams: Grams
    confidence: Confidence


class SeenFoods(_Answer):
    """What a model sees in the photo of a meal."""

    is_food: bool
    items: Annotated[list[SeenFood], Field(max_length=30)]
    unlisted: Annotated[list[Name], Field(max_length=10)]


class PortionedFood(_Answer):
    food_id: FoodId
    grams: Annotated[int, Field(ge=1, le=2000)]


class PortionedFoods(_Answer):
    """How much of what a detector saw a model takes for usual."""

    items: list[PortionedFood]


class NamedFood(_Answer):
    span: Annotated[int, Field(ge=1)]
    food_id: FoodId
    grams: Grams
    confidence: Confidence


class NamedFoods(_Answer):
    """What a model makes of the spans that the parser left over."""

    items: Annotated[list[NamedFood], Field(max_length=30)]


def photo_request(image: bytes, foods: Mapping[str, str], hints: Sequence[str]) -> ModelRequest[SeenFoods]:
    """`image` is a JPEG, `foods` the names by id that may be answered, `hints` what a detector saw."""
    prompt = load_prompt(PromptName.SOFIA_IMAGE)
    parts = [fenced("alimentos", _listed(foods))]
    if hints:
        parts.append(fenced("detector", "\n".join(hints)))
    message = Message("user", "\n".join([*parts, "Quais alimentos há na foto?"]), (image,))
    form = Structured(SeenFoods, lambda seen: _unknown((item.food_id for item in seen.items), foods))
    return ModelRequest("sofia_image", prompt.text, (message,), form)


def portions_request(foods: Mapping[str, str], hints: Sequence[str]) -> ModelRequest[PortionedFoods]:
    """For a model that sees no photos: `foods`, the names by id, are those that a detector saw."""
    prompt = load_prompt(PromptName.SOFIA_HINTS)
    data = f"{fenced('alimentos', _listed(foods))}\n{fenced('detector', chr(10).join(hints))}"
    message = Message("user", f"{data}\nQuantos gramas de cada alimento?")
    form = Structured(_portioned_among(tuple(foods)))
    return ModelRequest("sofia_image", prompt.text, (message,), form, max_output_tokens=1024)


def _portioned_among(ids: tuple[str, ...]) -> type[PortionedFoods]:
    """Nothing is left to invent: even the smallest model can only name foods that were seen."""
    food_id: Any = Literal[ids]
    food: Any = create_model("PortionedFood", __base__=PortionedFood, food_id=(food_id, ...))
    items: Any = Annotated[list[food], Field(min_length=1, max_length=len(ids))]
    return create_model("PortionedFoods", __base__=PortionedFoods, items=(items, ...))


def completion_request(spans: Sequence[str], foods: Mapping[str, str]) -> ModelRequest[NamedFoods]:
    """`spans` are numbered from 1 in the order given."""
    prompt = load_prompt(PromptName.SOFIA_TEXT)
    numbered = "\n".join(f"{number}: {' '.join(span.split())}" for number, span in enumerate(spans, 1))
    data = f"{fenced('alimentos', _listed(foods))}\n{fenced('trechos', numbered)}"

    def find_problems(named: NamedFoods) -> Sequence[str]:
        beyond = [f"span {item.span} does not exist" for item in named.items if item.span > len(spans)]
        return [*beyond, *_unknown((item.food_id for item in named.items), foods)]

    message = Message("user", f"{data}\nQuais alimentos os trechos nomeiam?")
    return ModelRequest("sofia_text", prompt.text, (message,), Structured(NamedFoods, find_problems))


def _listed(foods: Mapping[str, str]) -> str:
    return "\n".join(f"{food_id}: {name}" for food_id, name in foods.items())


def _unknown(ids: Iterable[str], foods: Mapping[str, str]) -> list[str]:
    return [f"food_id {food_id!r} is not in the list" for food_id in dict.fromkeys(ids) if food_id not in foods]
