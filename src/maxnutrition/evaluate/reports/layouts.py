"""How Brazilian laboratories lay out their reports, after what Fleury, DASA, Hermes Pardini and small ones print.

The laboratories, people and numbers are invented.
"""

from __future__ import annotations

from collections.abc import Sequence

from maxnutrition.evaluate.reports.paper import A4_LANDSCAPE, Font, Sheet
from maxnutrition.evaluate.reports.rows import Row


def ruled_table(title: str, rows: Sequence[Row]) -> Sheet:
    """Columns with lines between all cells: test, result, unit, reference."""
    heads = ("EXAME", "RESULTADO", "UNIDADE", "VALORES DE REFERÊNCIA")
    return _ruled(title, rows, heads, (40, 210, 290, 370, 555))


def table_with_history(title: str, rows: Sequence[Row]) -> Sheet:
    """The same with the patient's results of the year before in a column of their own."""
    heads = ("EXAME", "RESULTADO", "UNIDADE", "REFERÊNCIA", "ANTERIOR (11/03/2024)")
    return _ruled(title, rows, heads, (40, 170, 240, 305, 430, 555))


def _ruled(title: str, rows: Sequence[Row], heads: Sequence[str], edges: Sequence[float]) -> Sheet:
    sheet = Sheet()
    _letterhead(sheet, "LABORATÓRIO SANTA AURÉLIA", "Análises Clínicas desde 1987", "Helvetica-Bold")
    _patient(sheet, 84, "Helvetica")
    sheet.text(40, 150, title, "Helvetica-Bold", 12)
    sheet.text(40, 164, "Material: sangue    Método: automatizado", size=7.5, grey=0.35)
    top = 176.0
    sheet.band(40, top, 555, top + 18, 0.86)
    for x, head in zip(edges, heads, strict=False):
        sheet.text(x + 5, top + 13, head, "Helvetica-Bold", 8)
    y = top + 18
    for row in rows:
        y = _ruled_row(sheet, row, edges, y)
    for x in edges:
        sheet.column_line(x, top, y)
    _footer(sheet, "Liberado por: Dr. Tomás Arruda  CRBM 00000")
    return sheet


def _ruled_row(sheet: Sheet, row: Row, edges: Sequence[float], y: float) -> float:
    """Where the next row begins: a reference may have several lines."""
    height = 20.0
    for number, (x, cell) in enumerate(zip(edges, row.cells, strict=False)):
        lines = cell.split("/ ")
        for position, line in enumerate(lines):
            sheet.text(x + 5, y + 13 + 12 * position, line, "Helvetica-Bold" if number == 1 else "Helvetica")
        height = max(height, 8 + 12.0 * len(lines))
    sheet.line(40, y + height, 555)
    return y + height


def blocks(title: str, rows: Sequence[Row]) -> Sheet:
    """A block for each test: title, material and method, result at the left, reference at the right, notes below."""
    sheet = Sheet()
    _letterhead(sheet, "Instituto Serra Clara de Medicina Diagnóstica", "Belo Horizonte - MG", "Times-Bold")
    _patient(sheet, 84, "Times-Roman")
    sheet.text(40, 142, title, "Times-Bold", 11, grey=0.3)
    y = 162.0
    for row in rows:
        name, result, method, reference, *notes = row.cells
        references = [line.strip() for line in reference.split("/ ")]
        height = 50 + 11 * max(0, len(references) - 2) + 11 * len(notes)
        sheet.text(40, y, name.upper(), "Times-Bold", 10.5)
        sheet.text(40, y + 12, f"Material: Soro   Método: {method}", "Times-Roman", 8, 0.35)
        sheet.text(40, y + 28, "Resultado:", "Times-Roman", 10)
        sheet.text(100, y + 28, result, "Times-Bold", 10.5)
        sheet.text(330, y + 2, "Valores de referência:", "Times-Roman", 8.5, 0.3)
        for number, line in enumerate(references):
            sheet.text(330, y + 14 + 11 * number, line, "Times-Roman", 9)
        for number, note in enumerate(notes, start=1):
            sheet.text(40, y + height - 29 + 11 * (number - len(notes) + 1), note, "Times-Roman", 8, 0.3)
        sheet.line(40, y + height - 14, 555, 0.75)
        y += height
    _footer(sheet, "Assinado eletronicamente por: Dra. Noemi Vidal  CRF 00000")
    return sheet


def typewriter(title: str, rows: Sequence[Row]) -> Sheet:
    """What old systems print: one font of fixed width, dots to the result, the reference behind it."""
    sheet = Sheet()
    sheet.text(40, 40, "CENTRO DE PATOLOGIA CLINICA SAO BENTO", "Courier-Bold", 11)
    sheet.text(40, 56, "NOME....: FULANA DE TAL SILVEIRA        IDADE: 052A   SEXO: F", "Courier", 8.5)
    sheet.text(40, 68, "MEDICO..: DR. SILVIO PRATES  CRM 00000  DATA COLETA: 14/02/2025", "Courier", 8.5)
    sheet.text(40, 80, "=" * 88, "Courier", 8.5)
    sheet.text(220, 100, title.upper(), "Courier-Bold", 10)
    y = 124.0
    for row in rows:
        name, result, reference = row.cells
        sheet.text(40, y, f"{name.upper():.<30}: {result}", "Courier", 8.5)
        sheet.text(350, y, f"VR: {reference}", "Courier", 8.5)
        y += 19
    sheet.text(40, y + 8, "=" * 88, "Courier", 8.5)
    sheet.text(40, y + 24, "A INTERPRETACAO DESTE EXAME COMPETE AO MEDICO", "Courier", 7.5)
    return sheet


def two_columns(title: str, rows: Sequence[Row]) -> Sheet:
    """A landscape sheet with two tables side by side: test, result with unit, reference in brackets."""
    sheet = Sheet(A4_LANDSCAPE)
    _letterhead(sheet, "Diagnósticos Vale Verde", "Unidade Centro  -  Joinville - SC", "Helvetica-Bold")
    sheet.text(40, 74, "Paciente: Cícero Amaral Fontes    Nascimento: 02/05/1968    Coleta: 21/08/2025 07:10", size=8.5)
    sheet.text(40, 100, title, "Helvetica-Bold", 12)
    half = (len(rows) + 1) // 2
    for left, part in ((40, rows[:half]), (440, rows[half:])):
        sheet.line(left, 112, left + 365, 0.3)
        y = 130.0
        for row in part:
            name, result, reference = row.cells
            sheet.text(left, y, name, "Helvetica", 9.5)
            sheet.text(left + 140, y, result, "Helvetica-Bold", 9.5)
            sheet.text(left + 235, y, f"({reference})", "Helvetica", 8.5, 0.25)
            y += 22
    _footer(sheet, "Responsável técnico: Dr. Ulisses Bragança  CRM 00000")
    return sheet


def reference_first(title: str, rows: Sequence[Row]) -> Sheet:
    """Striped rows, the reference before the result, which stands at the far right with a mark where it is outside."""
    sheet = Sheet()
    _letterhead(sheet, "Rede Horizonte Medicina", "Resultado de exames laboratoriais", "Helvetica-Bold")
    _patient(sheet, 84, "Helvetica")
    sheet.text(40, 150, title, "Helvetica-Bold", 12, 0.25)
    for x, head in ((46, "Descrição"), (230, "Referência"), (400, "Unidade"), (490, "Resultado")):
        sheet.text(x, 172, head, "Helvetica-Bold", 8.5, 0.35)
    y = 178.0
    for number, row in enumerate(rows):
        name, reference, unit, result = row.cells
        if number % 2 == 0:
            sheet.band(40, y, 555, y + 22, 0.93)
        sheet.text(46, y + 15, name, size=9.5)
        sheet.text(230, y + 15, reference, size=8.5, grey=0.25)
        sheet.text(400, y + 15, unit, size=8.5, grey=0.25)
        number_alone, _, mark = result.partition(" ")
        sheet.number(530, y + 15, number_alone, "Helvetica-Bold", 10)
        sheet.text(535, y + 15, mark, "Helvetica-Bold", 10)
        y += 22
    _footer(sheet, "Liberado por: Dra. Filomena Sá  CRBM 00000")
    return sheet


def reference_below(title: str, rows: Sequence[Row]) -> Sheet:
    """Large results at the right of the name, the reference in small print on the line below."""
    sheet = Sheet()
    _letterhead(sheet, "Laboratório Jequitibá Medicina e Saúde", "São Paulo - SP", "Times-Bold")
    _patient(sheet, 84, "Times-Roman")
    sheet.text(40, 146, title, "Times-Bold", 13)
    y = 172.0
    for row in rows:
        name, result, unit, reference = row.cells
        sheet.text(40, y, name, "Times-Bold", 11)
        sheet.text(330, y, result, "Times-Bold", 12)
        sheet.text(400, y, unit, "Times-Roman", 10)
        sheet.text(40, y + 14, f"Valor de referência: {reference}", "Times-Roman", 8.5, 0.3)
        sheet.line(40, y + 22, 555, 0.8)
        y += 42
    _footer(sheet, "Responsável: Dr. Plínio Castanho  CRM 00000")
    return sheet


def differential(title: str, rows: Sequence[Row]) -> Sheet:
    """A leucogram: relative and absolute result, each with its own reference; rows of four cells are plain results."""
    sheet = Sheet()
    _letterhead(sheet, "Hematologia Morro Alto", "Laboratório de Análises Clínicas", "Helvetica-Bold")
    _patient(sheet, 84, "Helvetica")
    sheet.text(40, 150, title, "Helvetica-Bold", 12)
    y, columns = 176.0, (40, 190, 270, 360, 450)
    was_plain = None
    for row in rows:
        is_plain = len(row.cells) == 4
        if is_plain is not was_plain:
            y += 8
            plain = ("Eritrograma", "Resultado", "Unidade", "Referência")
            heads = plain if is_plain else ("Leucograma", "%", "/mm³", "Ref. %", "Ref. /mm³")
            for x, head in zip(columns, heads, strict=False):
                sheet.text(x, y, head, "Helvetica-Bold", 9)
            sheet.line(40, y + 5, 555, 0.3)
            y, was_plain = y + 20, is_plain
        for x, cell in zip(columns, row.cells, strict=False):
            sheet.text(x, y, cell, size=9.5)
        y += 19
    _footer(sheet, "Liberado por: Dra. Berenice Luz  CRBM 00000")
    return sheet


def _letterhead(sheet: Sheet, name: str, subtitle: str, font: Font) -> None:
    sheet.text(40, 40, name, font, 15, 0.2)
    sheet.text(40, 54, subtitle, "Helvetica", 8.5, 0.4)
    sheet.line(40, 62, sheet.width - 40, 0.3)


def _patient(sheet: Sheet, y: float, font: Font) -> None:
    sheet.text(40, y, "Paciente: Dalva Ribeiro Nogueira", font, 9)
    sheet.text(340, y, "Pedido: 771-00412", font, 9)
    sheet.text(40, y + 14, "Idade: 47 anos     Sexo: Feminino", font, 9)
    sheet.text(340, y + 14, "Data da coleta: 03/06/2025 06:58", font, 9)
    sheet.text(40, y + 28, "Solicitante: Dr. Heitor Pimenta  CRM 00000", font, 9)


def _footer(sheet: Sheet, text: str) -> None:
    sheet.line(40, sheet.height - 44, sheet.width - 40, 0.6)
    sheet.text(40, sheet.height - 32, text, "Helvetica", 7.5, 0.35)
    sheet.text(40, sheet.height - 22, "A interpretação deste resultado compete ao médico.", "Helvetica", 7.5, 0.35)
