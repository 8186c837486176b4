"""Conditions: `column=operator.value`, and the trees under `or=(...)` and `and=(...)`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from supabase_local.rest.columns import ColumnPath, scan_column
from supabase_local.rest.errors import RestError
from supabase_local.rest.scanner import Scanner
from supabase_local.rest.statement import Values, array_literal

_OPERATORS = {
    "eq": "=", "neq": "<>", "gt": ">", "gte": ">=", "lt": "<", "lte": "<=", "like": "like", "ilike": "ilike",
    "match": "~", "imatch": "~*", "cs": "@>", "cd": "<@", "ov": "&&", "sl": "<<", "sr": ">>", "nxr": "&<",
    "nxl": "&>", "adj": "-|-", "isdistinct": "is distinct from", "in": "in", "is": "is",
}  # fmt: skip
_OPERATOR = re.compile(rf"({'|'.join(_OPERATORS)})(?=\.)")
_IS = {"null": "null", "not_null": "not null", "true": "true", "false": "false", "unknown": "unknown"}
_GROUP = re.compile(r"(not\.)?(and|or)(?=\()")
_BARE_ITEM = re.compile(r'[^,()"][^,()]*')
_BARE_OPERAND = re.compile(r"\{[^{}]*\}|[^,()]*")
_LOGIC = frozenset({"and", "or", "not.and", "not.or"})
_NO_CONDITIONS = frozenset({"select", "order", "limit", "offset", "on_conflict", "columns"})


@dataclass(frozen=True, slots=True)
class Comparison:
    column: ColumnPath
    negated: bool
    operator: str
    operand: str | tuple[str, ...]

    def sql(self, source: str, values: Values) -> str:
        condition = f"{self.column.sql(source)} {self._right_side(values)}"
        return f"not {condition}" if self.negated else condition

    def _right_side(self, values: Values) -> str:
        match self.operator, self.operand:
            case "in", tuple(items):
                return f"= any({values.bind(array_literal(items))})"
            case "is", str(word):
                return f"is {_IS[word.lower()]}"
            case ("like" | "ilike") as operator, str(pattern):
                return f"{operator} {values.bind(pattern.replace('*', '%'))}"
            case operator, operand:
                return f"{_OPERATORS[operator]} {values.bind(operand)}"


@dataclass(frozen=True, slots=True)
class Group:
    negated: bool
    kind: Literal["and", "or"]
    members: tuple[Comparison | Group, ...]

    def sql(self, source: str, values: Values) -> str:
        joined = f" {self.kind} ".join(member.sql(source, values) for member in self.members)
        return f"not ({joined})" if self.negated else f"({joined})"


Condition = Comparison | Group


def read_filters(query: Iterable[tuple[str, str]]) -> tuple[Condition, ...]:
    """Every condition in a query string; names that mean something else are skipped."""
    return tuple(_read(name, value) for name, value in query if name not in _NO_CONDITIONS)


def is_filter(name: str, value: str) -> bool:
    """Whether a parameter of a call by GET is a condition on its result instead of an argument."""
    if name in _LOGIC or name in _NO_CONDITIONS:
        return True
    scanner = Scanner("filter", value)
    scanner.take("not.")
    return scanner.match(_OPERATOR) is not None


def where(conditions: Iterable[Condition], source: str, values: Values) -> str:
    joined = " and ".join(condition.sql(source, values) for condition in conditions)
    return f" where {joined}" if joined else ""


def _read(name: str, value: str) -> Condition:
    if name in _LOGIC:
        tree = Scanner("logic tree", value, offset=len(name))
        group = _scan_members(tree, name.startswith("not."), "or" if name.endswith("or") else "and")
        if not tree.at_end:
            tree.fail("end of input")
        return group
    key = Scanner("filter column", name)
    column = scan_column(key)
    if key.take("."):
        hint = f"Verify that '{column.name}' is included in the 'select' query parameter."
        raise RestError(400, "PGRST108", f"'{column.name}' is not an embedded resource in this request", hint=hint)
    if not key.at_end:
        key.fail('"." or end of input')
    return _scan_comparison(Scanner("filter", value), column, in_tree=False)


def _scan_members(tree: Scanner, negated: bool, kind: Literal["and", "or"]) -> Group:
    tree.expect("(", '"("')
    members = [_scan_member(tree)]
    while tree.take(","):
        members.append(_scan_member(tree))
    tree.expect(")", '"," or ")"')
    return Group(negated, kind, tuple(members))


def _scan_member(tree: Scanner) -> Condition:
    tree.match(re.compile(r" +"))
    if (head := tree.match(_GROUP)) is not None:
        return _scan_members(tree, head.startswith("not."), "or" if head.endswith("or") else "and")
    column = scan_column(tree)
    tree.expect(".", '"."')
    return _scan_comparison(tree, column, in_tree=True)


def _scan_comparison(scanner: Scanner, column: ColumnPath, in_tree: bool) -> Comparison:
    negated = scanner.take("not.")
    if (operator := scanner.match(_OPERATOR)) is None:
        scanner.fail("operator (eq, gt, ...)" if negated else '"not" or operator (eq, gt, ...)')
    scanner.take(".")
    return Comparison(column, negated, operator, _scan_operand(scanner, operator, in_tree))


def _scan_operand(scanner: Scanner, operator: str, in_tree: bool) -> str | tuple[str, ...]:
    if operator == "in":
        return _scan_list(scanner)
    if operator == "is":
        start = scanner.position
        word = scanner.match(re.compile(r"\w+")) or ""
        if word.lower() not in _IS or not (in_tree or scanner.at_end):
            scanner.position = start
            scanner.fail("isVal: (null, not_null, true, false, unknown)")
        return word
    if not in_tree:
        return scanner.rest()
    if (quoted := scanner.quoted()) is not None:
        return quoted
    return scanner.match(_BARE_OPERAND) or ""


def _scan_list(scanner: Scanner) -> tuple[str, ...]:
    scanner.expect("(", '"("')
    items: list[str] = []
    while not scanner.take(")"):
        if items:
            scanner.expect(",", '"," or ")"')
        quoted = scanner.quoted()
        items.append((scanner.match(_BARE_ITEM) or "") if quoted is None else quoted)
    return tuple(items)
