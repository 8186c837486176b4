"""A whole lab report: lines in, validated result out."""

import re
from collections import Counter
from collections.abc import Sequence
from datetime import date

from analysis_worker import PermanentError
from maxnutrition.contracts.medical_exam import DISCLAIMER, Analyte, ExamKind, MedicalExamResult
from maxnutrition.exams.analytes import Reading, read_analytes
from maxnutrition.exams.lines import Line
from maxnutrition.exams.names import PANEL_OF
from maxnutrition.exams.privacy import without_personal_data
from maxnutrition.exams.text import fold

_COLLECTED = re.compile(r"(?:coleta|coletad[oa]|colhid[oa])[^\d]{0,20}(\d{2})[/.-](\d{2})[/.-](\d{4})")
_LABORATORY = re.compile(r"laborator|analises|diagnostic|medicina")
_LETTERHEAD_LINES = 3


def read_report(lines: Sequence[Line]) -> MedicalExamResult:
    """Raises `PermanentError` when too little on the page looks like a result."""
    readings = read_analytes(lines)
    analytes = [reading.analyte for reading in readings]
    if not _is_report(analytes):
        raise PermanentError(
            "not_a_lab_report",
            "Não encontrei resultados de exame nesta imagem. Envie uma foto nítida do laudo inteiro.",
        )
    return MedicalExamResult(
        exam_kind=_kind(analytes),
        collected_at=_collected_at(lines),
        laboratory=_laboratory(lines),
        analytes=analytes,
        confidence=round(sum(analyte.confidence for analyte in analytes) / len(analytes), 3),
        raw_text=without_personal_data(lines),
        warnings=_warnings(readings),
        disclaimer=DISCLAIMER,
    )


def _is_report(analytes: Sequence[Analyte]) -> bool:
    """One known analyte with unit and reference, or two with either, are more than chance."""
    known = [analyte for analyte in analytes if analyte.key]
    complete = [analyte for analyte in analytes if analyte.unit and analyte.reference]
    partial = [analyte for analyte in known if analyte.unit or analyte.reference]
    return any(analyte.key for analyte in complete) or len(complete) >= 2 or len(partial) >= 2


def _kind(analytes: Sequence[Analyte]) -> ExamKind:
    panels = Counter(PANEL_OF[a.key.removesuffix("_percent")] for a in analytes if a.key)
    if not panels:
        return "outro"
    panel, count = panels.most_common(1)[0]
    return panel if count > 0.5 * panels.total() else "misto"


def _collected_at(lines: Sequence[Line]) -> date | None:
    for line in lines:
        if found := _COLLECTED.search(fold(line.text)):
            try:
                return date(int(found[3]), int(found[2]), int(found[1]))
            except ValueError:
                return None
    return None


def _laboratory(lines: Sequence[Line]) -> str | None:
    """A name is only taken from the letterhead, and only where it says what it is."""
    for line in lines[:_LETTERHEAD_LINES]:
        name = line.cells[0].text.strip()
        if _LABORATORY.search(fold(name)) and not re.search(r"[\d:]", name) and len(name) <= 80:
            return name
    return None


def _warnings(readings: Sequence[Reading]) -> list[str]:
    misread = [r.analyte.name for r in readings if r.lost_comma]
    unsure = [r.analyte.name for r in readings if r.analyte.confidence < 0.7 and not r.lost_comma]
    bare = [r.analyte.name for r in readings if r.analyte.reference is None]
    notes = (
        (misread, "A vírgula do valor pode ter se perdido na leitura, confira no laudo: {}."),
        (unsure, "Leitura pouco segura, confira no laudo: {}."),
        (bare, "Sem valor de referência impresso: {}."),
    )
    return [note.format(", ".join(names)) for names, note in notes if names]
