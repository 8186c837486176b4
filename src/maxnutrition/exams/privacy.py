"""Who the patient is does not leave this package: neither a field nor the raw text says it."""

import re
from collections.abc import Sequence

from maxnutrition.exams.lines import Line
from maxnutrition.exams.text import fold

REMOVED = "[dados pessoais removidos]"

_LABEL = re.compile(
    r"\s*(?:nome|paciente|cliente|cpf|rg|cns|idade|sexo|(?:data\s*de\s*)?nasc\w*|d\.?\s?n\.?\s*:|mae|endereco|telefone|tel|fone"
    r"|celular|e-?mail|medic[oa]|solicitante|dra?\.|convenio|plano|matricula|prontuario|pedido|protocolo|atendimento|registro"
    r"|codigo|senha|carteirinha|liberado|assinado|responsavel|conferido|crm|crbm|crf)(?![a-z])"
)
_NUMBER = re.compile(
    r"\d{3}\.?\d{3}\.?\d{3}\s?[-.]\s?\d{2}(?!\d)|\(\d{2}\)\s?\d{4,5}-?\d{4}|\S+@\S+\.\w+|\bcr(?:m|bm|f)\b[\s\w/-]{0,12}\d+"
)


def without_personal_data(lines: Sequence[Line]) -> str:
    """The text as read, cells that name people, addresses or numbers of people replaced. Best effort: OCR may
    break a label."""
    return "\n".join("\t".join(_safe(cell.text) for cell in line.cells) for line in lines)


def _safe(cell: str) -> str:
    folded = fold(cell)
    return REMOVED if _LABEL.match(folded) or _NUMBER.search(folded) else cell
