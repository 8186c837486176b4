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
    """A list, so that reports of several pages need no other shape; one page for now."""

    files: Annotated[list[StoredFile], Field(min_length=1, max_length=1)]


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
