"""No provider that the machine's environment names may be met by a test."""

from __future__ import annotations

import os

import pytest


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("MAXNUTRITION_", "GEMINI_", "GOOGLE_")):
            monkeypatch.delenv(name)
