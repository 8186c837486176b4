"""The committed diagrams are what their source draws."""

from __future__ import annotations

import pytest

from docs.diagrams.draw import DIAGRAMS, DIRECTORY


@pytest.mark.parametrize("name", DIAGRAMS)
def test_a_committed_diagram_is_what_its_source_draws(name: str) -> None:
    assert (DIRECTORY / name).read_text(encoding="utf-8") == DIAGRAMS[name]().to_svg()


def test_no_diagram_is_without_a_source() -> None:
    assert {file.name for file in DIRECTORY.glob("*.svg")} == set(DIAGRAMS)
