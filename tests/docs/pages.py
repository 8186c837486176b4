"""The pages, and the code in them: fenced blocks by language, and commands within a line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.databases import ROOT

DOCS = ROOT / "docs"
_FENCE = re.compile(
    r"^(?P<indent> *)```(?P<language>\w+)(?P<attributes>[^\n]*)\n(?P<text>.*?)^(?P=indent)```$",
    re.DOTALL | re.MULTILINE,
)
_TITLE = re.compile(r'title="([^"]+)"')
_IN_A_LINE = re.compile(r"`([^`\n]+)`")


@dataclass(frozen=True, slots=True)
class Block:
    """`title` is the file that its reader would put it in, or where it is typed."""

    place: str
    language: str
    title: str
    text: str


def pages() -> list[Path]:
    notes = DOCS / "notes"
    return [ROOT / "README.md", *(page for page in sorted(DOCS.rglob("*.md")) if not page.is_relative_to(notes))]


def blocks_of(page: Path, *languages: str) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    return [_block(page, text, fence) for fence in _FENCE.finditer(text) if fence["language"] in languages]


def _block(page: Path, text: str, fence: re.Match[str]) -> Block:
    line = text.count("\n", 0, fence.start()) + 1
    title = _TITLE.search(fence["attributes"])
    code = re.sub(f"^{fence['indent']}", "", fence["text"], flags=re.MULTILINE)
    return Block(f"{page.relative_to(ROOT)}:{line}", fence["language"], title[1] if title else "", code)


def pages_with(*languages: str) -> list[Path]:
    return [page for page in pages() if blocks_of(page, *languages)]


def code_in_lines(page: Path) -> Iterator[tuple[str, str]]:
    """Place and text of what stands between backticks in prose and tables."""
    text = _FENCE.sub(lambda fence: "\n" * fence[0].count("\n"), page.read_text(encoding="utf-8"))
    for number, line in enumerate(text.splitlines(), start=1):
        for match in _IN_A_LINE.finditer(line):
            yield f"{page.relative_to(ROOT)}:{number}", match[1]


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))
