"""Twelve reports in eight layouts, most of them damaged on the way, with what each of them says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from PIL import Image

from maxnutrition.evaluate.reports import damage
from maxnutrition.evaluate.reports.layouts import (
    blocks,
    differential,
    reference_below,
    reference_first,
    ruled_table,
    table_with_history,
    two_columns,
    typewriter,
)
from maxnutrition.evaluate.reports.paper import Sheet
from maxnutrition.evaluate.reports.rows import Row, Truth, tables

Damage = Callable[[Image.Image, Random], Image.Image]


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    sheet: Sheet
    rows: Sequence[Row]
    damage: Damage

    @property
    def truths(self) -> list[Truth]:
        return [truth for row in self.rows for truth in row.truths]

    def picture(self) -> Image.Image:
        """Seeded by the name: the same pixels each time."""
        return self.damage(self.sheet.picture(), Random(self.name))  # noqa: S311 - noise, not a secret


def _untouched(picture: Image.Image, _: Random) -> Image.Image:
    return picture


def _askew(picture: Image.Image, _: Random) -> Image.Image:
    return damage.turn(picture, 3.5)


def _out_of_focus(picture: Image.Image, _: Random) -> Image.Image:
    return damage.blur(picture, 1.4)


def _on_its_side(picture: Image.Image, _: Random) -> Image.Image:
    return damage.turn(picture, 90)


def _pale(picture: Image.Image, _: Random) -> Image.Image:
    return damage.fade(picture)


def _by_messenger(picture: Image.Image, random: Random) -> Image.Image:
    return damage.compress(damage.grain(picture, random, 0.1), 28)


def _photographed(picture: Image.Image, random: Random) -> Image.Image:
    return damage.compress(damage.grain(damage.shade(damage.tilt(picture)), random, 0.06), 75)


def _pale_and_askew(picture: Image.Image, random: Random) -> Image.Image:
    return damage.turn(damage.fade(damage.grain(picture, random, 0.05)), -4)


def _in_the_dark(picture: Image.Image, random: Random) -> Image.Image:
    return damage.grain(damage.shade(damage.tilt(damage.turn(picture, -2), 0.03)), random, 0.15)


def _compressed(picture: Image.Image, random: Random) -> Image.Image:
    return damage.compress(damage.blur(damage.grain(picture, random, 0.04), 0.7), 22)


def _on_its_head(picture: Image.Image, _: Random) -> Image.Image:
    return damage.compress(damage.turn(picture, 181.5), 60)


_REPORTS: Sequence[tuple[str, Callable[[str, Sequence[Row]], Sheet], str, str, Damage]] = (
    ("ruled table, as sent", ruled_table, "HEMOGRAMA", "haemogram", _untouched),
    ("table with history, by messenger", table_with_history, "BIOQUÍMICA", "biochemistry", _by_messenger),
    ("blocks, askew", blocks, "BIOQUÍMICA", "lipids", _askew),
    ("blocks, photographed", blocks, "IMUNOENSAIOS", "thyroid", _photographed),
    ("typewriter, out of focus", typewriter, "Hemograma", "typed blood", _out_of_focus),
    ("typewriter, on its side", typewriter, "Bioquimica", "typed chemistry", _on_its_side),
    ("two columns, as sent", two_columns, "Check-up", "check up", _untouched),
    ("two columns, pale and askew", two_columns, "Acompanhamento renal", "follow up", _pale_and_askew),
    ("reference first, pale", reference_first, "PERFIL METABÓLICO", "metabolic", _pale),
    ("reference first, in the dark", reference_first, "FUNÇÃO HEPÁTICA", "liver", _in_the_dark),
    ("reference below, compressed", reference_below, "HORMÔNIOS", "hormones", _compressed),
    ("leucogram, on its head", differential, "HEMOGRAMA COMPLETO", "leucogram", _on_its_head),
)


def cases() -> list[Case]:
    printed = tables()
    return [
        Case(name, layout(title, printed[table]), printed[table], damaged)
        for name, layout, title, table, damaged in _REPORTS
    ]
