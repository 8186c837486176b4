"""What goes together and how often: rules a day has to keep, so that the plan is one that people eat."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from maxnutrition.meal_plans.day import Option, Rule
from maxnutrition.meal_plans.patterns import MAIN

BOWL = frozenset({"aveia", "granola", "cereal-milho"})
"""Breakfast that is eaten out of a bowl, with milk or yogurt."""

MOIST = frozenset({"leite", "leite-desnatado", "leite-semidesnatado", "bebida-soja", "iogurte-natural"})
SPREADABLE = frozenset(
    {"pao-frances", "pao-forma", "pao-forma-integral", "torrada", "tapioca", "cuscuz-milho", "batata-doce"}
)
SPREADS = frozenset({"manteiga", "requeijao", "pasta-amendoim", "geleia"})
NOT_WITH_A_BOWL = frozenset(
    {"queijo-minas", "mussarela", "queijo-prato", "ricota", "cottage", "presunto", "peito-peru"}
)
RICE = frozenset({"arroz-branco", "arroz-integral"})
_MOST_OF_A_FOOD = 2
_UNLIMITED = frozenset({"azeite"})


def rules_of(options: Sequence[Option]) -> Iterator[Rule]:
    yield from _breakfast(options)
    yield from _once_a_meal(options)
    yield from _one_kind_of_beans(options)
    yield from _different_mains(options)
    yield from _seldom_a_day(options)


def _breakfast(options: Sequence[Option]) -> Iterator[Rule]:
    def at_breakfast(wanted: Callable[[Option], bool]) -> list[int]:
        return [at for at, option in enumerate(options) if option.meal == "breakfast" and wanted(option)]

    bowls = at_breakfast(lambda option: option.food.id in BOWL)
    moist = at_breakfast(lambda option: option.food.id in MOIST)
    dry = at_breakfast(lambda option: option.food.id in NOT_WITH_A_BOWL)
    spreads = at_breakfast(lambda option: option.food.id in SPREADS)
    spreadable = at_breakfast(lambda option: option.food.id in SPREADABLE)
    topping = at_breakfast(lambda option: option.slot.name == "topping")
    if bowls:
        yield {**dict.fromkeys(bowls, 1.0), **dict.fromkeys(moist, -1.0)}, -float("inf"), 0.0
        yield dict.fromkeys([*bowls, *dry], 1.0), 0.0, 1.0
    if spreads:
        yield {**dict.fromkeys(spreads, 1.0), **dict.fromkeys(spreadable, -1.0)}, -float("inf"), 0.0
    if topping:
        yield dict.fromkeys([*bowls, *topping], 1.0), 1.0, 2.0


def _once_a_meal(options: Sequence[Option]) -> Iterator[Rule]:
    return _at_most(options, 1.0, lambda option: (option.meal, option.food.id))


def _one_kind_of_beans(options: Sequence[Option]) -> Iterator[Rule]:
    """Beans may be the main dish, but not beside other beans."""
    beans = (at for at, option in enumerate(options) if option.food.id.startswith("feijao-"))
    return _at_most(options, 1.0, lambda option: option.meal, beans)


def _different_mains(options: Sequence[Option]) -> Iterator[Rule]:
    mains = (at for at, option in enumerate(options) if option.slot.name == MAIN)
    return _at_most(options, 1.0, lambda option: option.food.id, mains)


def _seldom_a_day(options: Sequence[Option]) -> Iterator[Rule]:
    seldom = (at for at, option in enumerate(options) if option.food.id not in _UNLIMITED)
    return _at_most(options, float(_MOST_OF_A_FOOD), lambda option: option.food.id, seldom)


def _at_most(
    options: Sequence[Option], most: float, key: Callable[[Option], object], among: Iterable[int] | None = None
) -> Iterator[Rule]:
    alike: dict[object, list[int]] = {}
    for at in range(len(options)) if among is None else among:
        alike.setdefault(key(options[at]), []).append(at)
    for together in alike.values():
        if len(together) > most:
            yield dict.fromkeys(together, 1.0), 0.0, most
