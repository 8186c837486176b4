"""A lab report in, its values out."""

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from maxnutrition.contracts.common import Confidence, Contract, Name, StoredFile

DISCLAIMER = (
    "Leitura automática do laudo, apenas informativa. Pode conter erros: confira com o documento original. "
    "Não é diagnóstico nem substitui a avaliação de um profissional de saúde."
)

Flag = Literal["low", "normal", "high", "unknown"]
ExamKind = Literal[
    "hemograma",
    "perfil lipídico",
    "glicemia",
    "tireoide",
    "função hepática",
    "função renal",
    "eletrólitos",
    "ferro",
    "vitaminas",
    "hormônios",
    "inflamação",
    "misto",
    "outro",
]


class MedicalExamInput(Contract):
    """Photos and PDFs of one report in the order of its pages, of which it may have 20 in all."""

    files: Annotated[list[StoredFile], Field(min_length=1, max_length=10)]


class ReferenceRange(Contract):
    """`low` and `high` are None where the report prints no such bound, or several that may not all apply."""

    low: float | None
    high: float | None
    text: str


class Analyte(Contract):
    """One measured thing. `value` is a number; a result that is none ("< 10,0", "Não reagente") is `value_text`."""

    name: Name
    key: str | None
    value: float | None
    value_text: str | None
    unit: str | None
    reference: ReferenceRange | None
    flag: Flag
    confidence: Confidence

    @model_validator(mode="after")
    def has_one_result(self) -> Self:
        if (self.value is None) == (self.value_text is None):
            raise ValueError("an analyte has either a value or a value_text")
        return self


class MedicalExamResult(Contract):
    exam_kind: ExamKind
    collected_at: date | None
    laboratory: Name | None
    analytes: Annotated[list[Analyte], Field(min_length=1)]
    confidence: Confidence
    raw_text: str
    warnings: list[str]
    disclaimer: str


EXAMPLE_INPUT = {
    "files": [
        {"bucket": "analysis-inputs", "path": "0b0f5b6e-9b57-4a4f-8d4e-0d3f0c6f1a11/hemograma-1.jpg"},
        {"path": "0b0f5b6e-9b57-4a4f-8d4e-0d3f0c6f1a11/hemograma-2.pdf"},
    ]
}
EXAMPLE_RESULT = {
    "exam_kind": "hemograma",
    "collected_at": "2025-03-12",
    "laboratory": "Laboratório Vila Serena",
    "analytes": [
        {
            "name": "Hemoglobina",
            "key": "hemoglobin",
            "value": 10.9,
            "value_text": None,
            "unit": "g/dL",
            "reference": {"low": 12.0, "high": 15.5, "text": "12,0 a 15,5"},
            "flag": "low",
            "confidence": 0.98,
        }
    ],
    "confidence": 0.98,
    "raw_text": "Hemoglobina\t10,9\tg/dL\t12,0 a 15,5",
    "warnings": [],
    "disclaimer": DISCLAIMER,
}
