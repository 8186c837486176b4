"""What OCR read, held against what a model read. A model sees the layout well and invents digits, OCR does neither."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from maxnutrition.contracts.medical_exam import Analyte
from maxnutrition.exams.identity import identity, says_the_same
from maxnutrition.exams.names import PANEL_OF
from maxnutrition.exams.reference import judge_value

TRUSTED = 0.7
"""From this confidence on OCR's digits win over a model's."""
_DISPUTED = 0.6
_UNCONFIRMED = 0.5
_CERTAIN = 0.99


@dataclass(slots=True)
class Checked:
    """`disputed` are pairs of what was kept and what the other reader saw; `unconfirmed` only the model saw."""

    analytes: list[Analyte] = field(default_factory=list)
    disputed: list[tuple[Analyte, Analyte]] = field(default_factory=list)
    unconfirmed: list[Analyte] = field(default_factory=list)


def cross_check(printed: Sequence[Analyte], seen: Sequence[Analyte]) -> Checked:
    """`printed` by OCR, `seen` by the model. Agreement raises the confidence, disagreement lowers it."""
    checked = Checked()
    by_identity: dict[str, list[Analyte]] = {}
    for analyte in seen:
        by_identity.setdefault(identity(analyte), []).append(analyte)
    confirmed = {identity(analyte) for analyte in printed}
    for analyte in printed:
        _check(analyte, by_identity.get(identity(analyte), []), checked)
    for name, analytes in by_identity.items():
        if name not in confirmed:
            added = [_unconfirmed(analyte) for analyte in analytes]
            checked.analytes += added
            checked.unconfirmed += added
    return checked


def _check(printed: Analyte, seen: Sequence[Analyte], checked: Checked) -> None:
    if not seen:
        checked.analytes.append(printed)
        return
    same = next((other for other in seen if says_the_same(printed, other)), None)
    if same is not None:
        checked.analytes.append(_agreed(printed, same))
        return
    kept, other = _settled(printed, seen[0])
    checked.analytes.append(kept)
    checked.disputed.append((kept, other))


def _agreed(printed: Analyte, seen: Analyte) -> Analyte:
    confidence = 1 - (1 - printed.confidence) * (1 - seen.confidence)
    return printed.model_copy(
        update={
            "unit": printed.unit or seen.unit,
            "confidence": max(printed.confidence, min(_CERTAIN, round(confidence, 3))),
        }
    )


def _settled(printed: Analyte, seen: Analyte) -> tuple[Analyte, Analyte]:
    """OCR's result where it was sure, else the model's under OCR's name and reference."""
    if printed.confidence >= TRUSTED:
        return printed.model_copy(update={"confidence": _DISPUTED}), seen
    reference = printed.reference or seen.reference
    changed = {
        "value": seen.value,
        "value_text": seen.value_text,
        "unit": seen.unit or printed.unit,
        "reference": reference,
        "confidence": min(seen.confidence, _UNCONFIRMED),
    }
    return _judged(printed.model_copy(update=changed)), printed


def _unconfirmed(seen: Analyte) -> Analyte:
    key = identity(seen)
    is_known = key.removesuffix("_percent") in PANEL_OF
    changed = {"key": key if is_known else None, "confidence": min(seen.confidence, _UNCONFIRMED)}
    return _judged(seen.model_copy(update=changed))


def _judged(analyte: Analyte) -> Analyte:
    """With the flag that the printed reference gives, whatever the model thinks of it."""
    text = analyte.reference.text if analyte.reference else ""
    flag = judge_value(analyte.value, analyte.unit, text) if analyte.value is not None else "unknown"
    return analyte.model_copy(update={"flag": flag})
