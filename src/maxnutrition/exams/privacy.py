"""Who the patient is does not leave this package: neither a field nor the raw text says it."""

import re
from collections.abc import Iterator, Sequence

from maxnutrition.exams.lines import Line
from maxnutrition.exams.text import fold

REMOVED = "[dados pessoais removidos]"

_LABEL = re.compile(
    r"\s*(?:nome|paciente|cliente|cpf|rg|cns|idade|sexo|(?:data\s*de\s*)?nasc\w*|d\.?\s?n\.?\s*:|mae|endereco|telefone|tel|fone"
    r"|celular|e-?mail|medic[oa]|solicitante|dra?\.|convenio|plano|matricula|prontuario|pedido|protocolo|atendimento|registro"
    r"|codigo|senha|carteirinha|liberado|assinado|responsavel|conferido|crm|crbm|crf)(?![a-z])"
)
_INSIDE = re.compile(r"\b(?:paciente|cliente|cpf|solicitante|nascimento)\s*:")
_NUMBER = re.compile(
    r"\d{3}\.?\d{3}\.?\d{3}\s?[-.]\s?\d{2}(?!\d)|\(\d{2}\)\s?\d{4,5}-?\d{4}|\S+@\S+\.\w+|\bcr(?:m|bm|f)\b[\s\w/-]{0,12}\d+"
)


def without_personal_data(lines: Sequence[Line]) -> str:
    """The text as read, without the cells that name people, their numbers or ways to reach them.

    Best effort: OCR may break a label, and a name that stands without one is not recognised.
    """
    return "\n".join("\t".join(_safe_cells(line)) for line in lines)


def _safe_cells(line: Line) -> Iterator[str]:
    follows_label = False
    for cell in line.cells:
        folded = fold(cell.text)
        label = _LABEL.match(folded)
        is_personal = label or follows_label or _INSIDE.search(folded) or _NUMBER.search(folded)
        yield REMOVED if is_personal else cell.text
        follows_label = label is not None and not folded[label.end() :].strip(" :.-")
