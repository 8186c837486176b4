"""All foods, loaded once and never changed."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import get_args

from pydantic import ValidationError

from maxnutrition.foods.model import Food, Group, Role
from maxnutrition.foods.reading import read_group, read_mixed


class FoodFileError(Exception):
    """A file of foods cannot be used; the message says which and why."""


class FoodTable:
    """Foods by id, in the order of the files. Raises FoodFileError where two share an id."""

    def __init__(self, foods: Iterable[Food]) -> None:
        by_id: dict[str, Food] = {}
        for food in foods:
            if food.id in by_id:
                raise FoodFileError(f"two foods with the id {food.id!r}")
            by_id[food.id] = food
        self._by_id: Mapping[str, Food] = MappingProxyType(by_id)

    def __iter__(self) -> Iterator[Food]:
        return iter(self._by_id.values())

    def __len__(self) -> int:
        return len(self._by_id)

    def __contains__(self, food_id: object) -> bool:
        return food_id in self._by_id

    def __getitem__(self, food_id: str) -> Food:
        return self._by_id[food_id]

    def get(self, food_id: str) -> Food | None:
        return self._by_id.get(food_id)

    def in_group(self, group: Group) -> list[Food]:
        return self.where(lambda food: food.group == group)

    def with_role(self, role: Role) -> list[Food]:
        return self.where(lambda food: role in food.roles)

    def where(self, wanted: Callable[[Food], bool]) -> list[Food]:
        return [food for food in self if wanted(food)]


@cache
def core_foods() -> FoodTable:
    """The curated foods that are part of the package."""
    directory = resources.files("maxnutrition.foods.data")
    groups: tuple[Group, ...] = get_args(Group)
    texts = {group: (directory / f"{group}.toml").read_text(encoding="utf-8") for group in groups}
    return FoodTable(food for group, text in texts.items() for food in read_group(tomllib.loads(text), group))


def load_foods(extra: Path | None = None) -> FoodTable:
    """The core, and the foods of a file that `foods import` wrote. Raises FoodFileError.

    A food of the file that has the same source as one of the core is left out: the core knows more about it.
    """
    core = core_foods()
    if extra is None:
        return core
    try:
        added = read_mixed(extra.read_bytes())
    except OSError as error:
        raise FoodFileError(f"{extra}: {error.strerror or error}") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise FoodFileError(f"{extra}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    known = {food.source for food in core}
    return FoodTable([*core, *(food for food in added if food.source not in known)])
