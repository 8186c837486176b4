"""Results as tables for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from maxnutrition.contracts.foods import NutrientTotals
from maxnutrition.contracts.meal_plan import MealPlanResult
from maxnutrition.contracts.medical_exam import Analyte, MedicalExamResult
from maxnutrition.contracts.sofia_text import SofiaTextResult

_FLAGS = {"low": "[bold blue]baixo[/]", "normal": "[green]normal[/]", "high": "[bold red]alto[/]", "unknown": "?"}
_BRAZILIAN = str.maketrans(",.", ".,")


def show(console: Console, type: str, result: Mapping[str, Any]) -> None:
    match type:
        case "medical_exam":
            _show_exam(console, MedicalExamResult.model_validate(result))
        case "sofia_text":
            _show_meal(console, SofiaTextResult.model_validate(result))
        case "meal_plan":
            _show_plan(console, MealPlanResult.model_validate(result))
        case _:
            console.print_json(data=result)


def _show_exam(console: Console, exam: MedicalExamResult) -> None:
    table = _table(f"Exame: {exam.exam_kind}", exam.disclaimer)
    for heading in ("Exame", "Resultado", "Unidade", "Referência", ""):
        table.add_column(heading, justify="right" if heading == "Resultado" else "left")
    for analyte in exam.analytes:
        reference = analyte.reference.text if analyte.reference else "-"
        table.add_row(analyte.name, _value(analyte), analyte.unit or "", reference, _FLAGS[analyte.flag])
    console.print(table)
    _warn(console, exam.warnings)


def _show_meal(console: Console, meal: SofiaTextResult) -> None:
    table = _table("Refeição", meal.disclaimer)
    for heading in ("Alimento", "Quantidade", "Gramas", "kcal"):
        table.add_column(heading, justify="left" if heading in {"Alimento", "Quantidade"} else "right")
    for item in meal.items:
        table.add_row(item.name, item.amount, _number(item.grams), _number(item.nutrients.kcal))
    table.add_section()
    table.add_row("[bold]Total[/]", _macros(meal.totals), "", f"[bold]{_number(meal.totals.amounts.kcal)}[/]")
    console.print(table)
    _warn(console, meal.warnings)


def _show_plan(console: Console, plan: MealPlanResult) -> None:
    for day in plan.days:
        table = _table(f"Dia {day.day}: {_number(day.totals.amounts.kcal)} kcal, {_macros(day.totals)}", None)
        for heading in ("Refeição", "Alimentos", "kcal"):
            table.add_column(heading, justify="right" if heading == "kcal" else "left")
        for meal in day.meals:
            foods = "; ".join(f"{food.name} ({food.amount})" for food in meal.foods)
            table.add_row(meal.meal, foods, _number(meal.kcal))
        console.print(table)
    shopping = ", ".join(f"{item.name} {item.quantity}" for item in plan.shopping_list)
    console.print(f"[bold]Compras:[/] {shopping}", highlight=False)
    _warn(console, plan.warnings)
    console.print(plan.disclaimer, style="dim")


def _table(title: str, caption: str | None) -> Table:
    return Table(title=title, caption=caption, title_justify="left", caption_justify="left")


def _warn(console: Console, warnings: list[str]) -> None:
    for warning in warnings:
        console.print(f"! {warning}", style="yellow", highlight=False, markup=False)


def _macros(totals: NutrientTotals) -> str:
    amounts = totals.amounts
    parts = (("proteína", amounts.protein), ("carboidrato", amounts.carbohydrate), ("gordura", amounts.fat))
    return ", ".join(f"{name} {_number(grams)} g" for name, grams in parts)


def _number(value: float | None) -> str:
    return "?" if value is None else f"{value:,.0f}".translate(_BRAZILIAN)


def _value(analyte: Analyte) -> str:
    """As Brazilians write numbers: 12.480 and 10,9."""
    if analyte.value is None:
        return analyte.value_text or ""
    return f"{analyte.value:,}".removesuffix(".0").translate(_BRAZILIAN)
