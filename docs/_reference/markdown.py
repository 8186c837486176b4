"""Markdown that says what it is given, whatever is in it."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

_SHORT = 45


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    lines += [f"| {' | '.join(cell.replace('|', '&#124;').replace(chr(10), ' ') for cell in row)} |" for row in rows]
    return "\n".join(lines)


def code(text: str) -> str:
    """In a line. Backticks in Markdown cannot hold a `|` within a table, so this is HTML. Short ones stay whole."""
    shape = ' class="short"' if len(text) <= _SHORT else ""
    return f"<code{shape}>{html.escape(text)}</code>" if text else ""


def prose(text: str) -> str:
    """Text that was not written as Markdown: one that means what it shows."""
    escaped = html.escape(text, quote=False)
    return escaped.replace("*", "&#42;").replace("_", "&#95;").replace("[", "&#91;").replace("{", "&#123;")


def block(language: str, text: str) -> str:
    return f"```{language}\n{text.rstrip()}\n```"


def folded(title: str, language: str, text: str) -> str:
    indented = block(language, text).replace("\n", "\n    ")
    return f'??? note "{title}"\n\n    {indented}'
