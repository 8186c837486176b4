"""A model copies a report; our own parser reads the copy."""

from __future__ import annotations

import pytest

from analysis_worker import PermanentError, RetryableError
from maxnutrition.exams.model_reader import ModelReader
from maxnutrition.prompts.exams import CopiedAnalyte, CopiedReport
from tests.unit.providers.doubles import NO_MODELS, ScriptedModels, context_for

pytestmark = pytest.mark.anyio


def copied(name: str, value_text: str, unit: str | None, reference_text: str | None) -> CopiedAnalyte:
    return CopiedAnalyte(
        page=1, name=name, value_text=value_text, unit=unit, reference_text=reference_text, confidence=0.9
    )


async def test_a_copy_becomes_analytes_with_numbers_ranges_and_flags() -> None:
    report = CopiedReport(
        laboratory="Laboratório Vila Serena",
        collected_at=None,
        analytes=[
            copied("Hemoglobina", "10,9", "g/dL", "12,0 a 15,5 g/dL"),
            copied("TSH", "2,15", "µUI/mL", "0,40 a 4,30"),
            copied("Anti-HIV", "Não reagente", None, "Não reagente"),
        ],
    )
    context, _ = context_for("medical_exam")
    draft = await ModelReader(ScriptedModels(report.model_dump_json())).read([b"page"], context)
    assert draft is not None
    assert draft.laboratory == "Laboratório Vila Serena"
    haemoglobin, tsh = draft.analytes[:2]
    assert (haemoglobin.key, haemoglobin.value, haemoglobin.unit, haemoglobin.flag) == (
        "hemoglobin",
        10.9,
        "g/dL",
        "low",
    )
    assert haemoglobin.reference is not None
    assert (haemoglobin.reference.low, haemoglobin.reference.high) == (12.0, 15.5)
    assert (tsh.key, tsh.value, tsh.flag) == ("tsh", 2.15, "normal")


async def test_without_a_model_there_is_no_second_reader() -> None:
    context, _ = context_for("medical_exam")
    assert await ModelReader(NO_MODELS).read([b"page"], context) is None


@pytest.mark.parametrize("error", [RetryableError("provider_unavailable", "x"), PermanentError("answer_blocked", "x")])
async def test_the_trouble_of_a_model_is_told_on(error: Exception) -> None:
    context, _ = context_for("medical_exam")
    with pytest.raises(type(error)):
        await ModelReader(ScriptedModels(error)).read([b"page"], context)
