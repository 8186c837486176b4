"""Pages that were read become one validated result."""

from collections import Counter
from collections.abc import Sequence

from analysis_worker import PermanentError
from maxnutrition.contracts.medical_exam import DISCLAIMER, Analyte, ExamKind, MedicalExamResult
from maxnutrition.exams.critical import critical_warnings
from maxnutrition.exams.crosscheck import Checked, cross_check
from maxnutrition.exams.merge import merge
from maxnutrition.exams.names import PANEL_OF
from maxnutrition.exams.page_reading import PageReading
from maxnutrition.exams.readers import ExamDraft
from maxnutrition.exams.wording import say_result


def write_report(pages: Sequence[PageReading], draft: ExamDraft | None = None) -> MedicalExamResult:
    """`draft` is what a second reader saw on the same pages.

    Raises `PermanentError` when too little on the pages looks like a result.
    """
    merged = merge(page.analytes for page in pages)
    checked = cross_check(merged.analytes, draft.analytes) if draft else Checked(merged.analytes)
    if not is_report(checked.analytes):
        raise PermanentError(
            "not_a_lab_report",
            "Não encontrei resultados de exame no que foi enviado. Envie uma foto nítida do laudo inteiro.",
        )
    dates = [page.collected_at for page in pages if page.collected_at]
    laboratories = [page.laboratory for page in pages if page.laboratory]
    notes = [
        *critical_warnings(checked.analytes),
        *_conflicts(merged.conflicts),
        *_doubts(checked),
        *(["As páginas têm datas de coleta diferentes."] if len(set(dates)) > 1 else []),
        *_readings_to_check(checked.analytes, {name for page in pages for name in page.misread}),
    ]
    return MedicalExamResult(
        exam_kind=_kind(checked.analytes),
        collected_at=next(iter(dates), draft.collected_at if draft else None),
        laboratory=next(iter(laboratories), draft.laboratory if draft else None),
        analytes=checked.analytes,
        confidence=round(sum(analyte.confidence for analyte in checked.analytes) / len(checked.analytes), 3),
        raw_text="\n\n".join(page.raw_text for page in pages),
        warnings=notes,
        disclaimer=DISCLAIMER,
    )


def is_report(analytes: Sequence[Analyte]) -> bool:
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


def _conflicts(conflicts: Sequence[Sequence[Analyte]]) -> list[str]:
    if not conflicts:
        return []
    told = "; ".join(f"{results[0].name} ({_either(results)})" for results in conflicts)
    return [f"Há resultados diferentes para o mesmo exame, confira no laudo: {told}."]


def _doubts(checked: Checked) -> list[str]:
    notes = []
    if checked.disputed:
        told = "; ".join(f"{kept.name} ({_either((kept, other))})" for kept, other in checked.disputed)
        notes.append(f"Duas leituras não concordam, confira no laudo: {told}.")
    if checked.unconfirmed:
        names = ", ".join(analyte.name for analyte in checked.unconfirmed)
        notes.append(f"Lido por um modelo e não confirmado, confira no laudo: {names}.")
    return notes


def _either(results: Sequence[Analyte]) -> str:
    return " ou ".join(say_result(result) for result in results)


def _readings_to_check(analytes: Sequence[Analyte], misread: set[str]) -> list[str]:
    lost = [a.name for a in analytes if a.name in misread]
    unsure = [a.name for a in analytes if a.confidence < 0.7 and a.name not in misread]
    bare = [a.name for a in analytes if a.reference is None]
    notes = (
        (lost, "A vírgula do valor pode ter se perdido na leitura, confira no laudo: {}."),
        (unsure, "Leitura pouco segura, confira no laudo: {}."),
        (bare, "Sem valor de referência impresso: {}."),
    )
    return [note.format(", ".join(names)) for names, note in notes if names]
