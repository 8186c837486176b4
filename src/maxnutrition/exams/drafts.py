"""First half of the parser: which name, results and reference text belong together."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from maxnutrition.exams.lines import Cell, Line
from maxnutrition.exams.names import Known, find_analyte, find_exact
from maxnutrition.exams.numbers import Span, scan
from maxnutrition.exams.reference import MARKER, is_range_label
from maxnutrition.exams.text import fold, mend, squeeze
from maxnutrition.exams.units import read_unit, split_unit

_BESIDE_THE_POINT = re.compile(
    r"\s*(?:material|metodo|metodologia|amostra|nota|obs|observac|coleta|data|liberad|assinad|responsavel|paciente|nome"
    r"|cliente|cpf|rg\b|idade|sexo|nascimento|medic|dr\.|dra\.|solicitante|convenio|pedido|protocolo|atendimento|pagina"
    r"|resultado\s*anterior|resultados\s*anteriores|historico|jejum\s*informado|tel\b|telefone|fone\b|cep\b|rua\b|av\.)"
)
_RESULT = {
    squeeze(word) for word in ("resultado", "resultados", "resultado atual", "valor", "valor obtido", "result", "")
}
_HEADER = {
    squeeze(word) for word in ("resultado", "resultados", "unidade", "unid", "exame", "exames", "absoluto", "relativo")
}
_COLUMN_UNITS = {squeeze("relativo"): "%", squeeze("absoluto"): "/mm³"}
_CUT = re.compile(r"\t|:|[.…_·]{2,}|\.\s*$|…")
_LONG_WORD = re.compile(r"[a-z]{4,}")
_WORDS_OF_A_RANGE = 6
"""Longer ones: "Indivíduos saudáveis com jejum de 8 horas: inferior a 100" has five."""
_TRIM = " \t.:;…_·*-–—•|"
_WORD = re.compile(
    r"(?:nao\s*)?(?:reagente|detectad[oa]|detectavel)|negativ[oa]|positiv[oa]|ausentes?|presentes?|indetectavel"
)


@dataclass(slots=True)
class Draft:
    """What the lines have said about one analyte so far. `unit` is one that stands in a cell of its own."""

    name: str
    known: Known | None
    columns: tuple[str, ...]
    scores: list[float] = field(default_factory=list)
    results: list[Span] = field(default_factory=list)
    word: str | None = None
    unit: str | None = None
    references: list[str] = field(default_factory=list)

    @property
    def has_result(self) -> bool:
        return bool(self.results) or self.word is not None


def collect(lines: Iterable[Line]) -> list[Draft]:
    collector = _Collector()
    for line in lines:
        collector.read(line)
    return [draft for draft in collector.drafts if draft.has_result]


class _Collector:
    def __init__(self) -> None:
        self.drafts: list[Draft] = []
        self.open: Draft | None = None
        self.title = ""
        self.columns: tuple[str, ...] = ()

    def read(self, line: Line) -> None:
        cells = [to_the_point for cell in line.cells if (to_the_point := _to_the_point(cell))]
        if cells and (columns := _columns(cells)) is not None:
            self.columns = columns
            return
        for group in _side_by_side(cells):
            self._read_row(group)

    def _read_row(self, cells: Sequence[Cell]) -> None:
        row = _Row.of(mend("\t".join(cell.text for cell in cells)), min(cell.score for cell in cells))
        if row.known is not None or row.is_unknown_result:
            self._begin(row.name, row.known, row)
        elif squeeze(row.name) in _RESULT and row.values:
            self._take_result(row)
        elif row.spans or row.tail is not None or is_range_label(row.name):
            self._continue(row)
        else:
            self._heading(row)

    def _begin(self, name: str, known: Known | None, row: "_Row") -> None:
        self.title = ""
        self.open = Draft(name, known, self.columns)
        self.drafts.append(self.open)
        self._take_result(row)

    def _take_result(self, row: "_Row") -> None:
        """Into the open draft, or under the title above when the open one has its result already."""
        if self.title and (self.open is None or self.open.has_result):
            self._begin(self.title, find_analyte(self.title), row)
        elif self.open is not None and not self.open.has_result:
            self.open.scores.append(row.score)
            _fill_result(self.open, row)
            _fill_references(self.open, row.head, row.spans, row.values, row.tail)

    def _continue(self, row: "_Row") -> None:
        if self.open is None or row.is_prose:
            return
        before = len(self.open.references)
        _fill_references(self.open, row.whole, scan(row.whole), [], row.tail)
        if len(self.open.references) > before:
            self.open.scores.append(row.score)

    def _heading(self, row: "_Row") -> None:
        if squeeze(row.name) in _RESULT:
            return
        if row.name.isupper():
            self._begin(row.name, None, row)
        elif self.open is not None and self.open.has_result and self.open.references:
            self.open = None
        self.title = row.name


@dataclass(frozen=True, slots=True)
class _Row:
    """A line taken apart: `whole` up to "VR:" is a name and then `head` with its `spans`; `tail` stands after "VR:"."""

    name: str
    known: Known | None
    unit: str | None
    whole: str
    head: str
    spans: Sequence[Span]
    tail: str | None
    score: float

    @classmethod
    def of(cls, text: str, score: float) -> "_Row":
        marker = MARKER.search(fold(text))
        whole, tail = (text[: marker.start()], text[marker.end() :]) if marker else (text, None)
        end, known = _end_of_name(whole, scan(whole))
        name, unit = split_unit(whole[:end].strip(_TRIM))
        head = whole[end:]
        return cls(name.strip(_TRIM)[:120], known, unit, whole, head, scan(head), tail, score)

    @property
    def values(self) -> list[Span]:
        """The results in this row: bare numbers, or else one comparison that directly follows the name.

        In words ("inferior a 10") it must be told from a reference: by "Resultado:" before or by "VR:" behind it.
        """
        numbers = [span for span in self.spans if span.kind == "value"]
        if numbers or not self.spans:
            return numbers
        first = self.spans[0]
        follows = not self.head[: first.start].strip(_TRIM) and None in {first.low, first.high}
        is_told = first.is_comparison or self.tail is not None or (self.name and squeeze(self.name) in _RESULT)
        return [first] if follows and is_told else []

    @property
    def is_prose(self) -> bool:
        """A sentence about references, such as a society's recommendation, is none itself."""
        ranges = sum(span.kind == "range" for span in self.spans)
        return self.tail is None and len(_LONG_WORD.findall(fold(self.whole))) > _WORDS_OF_A_RANGE * max(1, ranges)

    @property
    def is_unknown_result(self) -> bool:
        named = sum(char.isalpha() for char in self.name) >= 2 and not is_range_label(self.name)
        return named and squeeze(self.name) not in _RESULT and any(value.unit for value in self.values)


def _end_of_name(head: str, spans: Sequence[Span]) -> tuple[int, Known | None]:
    """Names may hold digits ("CA 19-9"), so the longest known beginning wins; else the name ends at the first cut."""
    starts = {span.start for span in spans}
    cuts = starts | {found.start() for found in _CUT.finditer(head)} | {len(head)}
    for cut in sorted(cuts, reverse=True):
        known = find_exact(head[:cut].strip(_TRIM))
        if known is not None:
            return cut, known
    first = min(cut for cut in cuts if head[:cut].strip(_TRIM) or cut in starts or cut == len(head))
    return first, find_analyte(split_unit(head[:first].strip(_TRIM))[0])


def _to_the_point(cell: Cell) -> Cell | None:
    """Without what describes the sample, the method or the patient; a reference in the same cell stays."""
    folded = fold(cell.text)
    if not _BESIDE_THE_POINT.match(folded):
        return cell
    marker = MARKER.search(folded)
    return Cell(cell.text[marker.start() :], cell.score) if marker else None


def _side_by_side(cells: Sequence[Cell]) -> Iterator[list[Cell]]:
    """A line with two results next to each other is two rows."""
    row: list[Cell] = []
    key = None
    for cell in cells:
        _, known = _end_of_name(cell.text, scan(cell.text))
        if row and key and known and known.key != key:
            yield row
            row = []
        key = known.key if known else key
        row.append(cell)
    if row:
        yield row


def _columns(cells: Sequence[Cell]) -> tuple[str, ...] | None:
    """The units of a table's header line, None for any other line."""
    words = [squeeze(cell.text) for cell in cells]
    units = [_unit_of(cell.text) or _COLUMN_UNITS.get(word) for cell, word in zip(cells, words, strict=True)]
    is_header = any(word in _HEADER for word in words) or len([unit for unit in units if unit]) > 1
    if len(cells) < 2 or not is_header or any(scan(cell.text) for cell in cells):
        return None
    return tuple(unit for unit in units if unit)


def _unit_of(cell: str) -> str | None:
    unit = read_unit(cell)
    return unit[0] if unit and not cell[unit[1] :].strip() else None


def _fill_result(draft: Draft, row: _Row) -> None:
    draft.results += row.values
    cells = [cell.strip() for cell in row.head.split("\t")]
    draft.unit = next((unit for cell in cells if (unit := _unit_of(cell))), row.unit)
    word = row.head.strip(_TRIM).split("\t")[0]
    if not row.spans and _WORD.fullmatch(fold(word)):
        draft.word = word


def _fill_references(draft: Draft, text: str, spans: Sequence[Span], values: Sequence[Span], tail: str | None) -> None:
    """Each range with the words before it; a label alone ("Homens:") waits for the range in the next line."""
    position = 0
    for span in spans:
        if span.kind == "range" and span not in values:
            draft.references.append(text[position : span.end].strip(" \t.:;"))
        position = span.end
    label = text.strip(_TRIM)
    if not spans and is_range_label(label):
        draft.references.append(f"{label}:")
    if tail and (is_range_label(tail) or any(span.kind == "range" for span in scan(tail))):
        draft.references.append(tail.strip())
