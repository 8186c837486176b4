"""Every dialect in turn, and no provider that the machine's environment names."""

from __future__ import annotations

import os

import pytest

from tests.contract.providers.dialects import DIALECTS
from tests.contract.providers.serving import Dialect


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("MAXNUTRITION_", "GEMINI_", "GOOGLE_")):
            monkeypatch.delenv(name)


@pytest.fixture(params=DIALECTS, ids=lambda dialect: dialect.name)
def dialect(request: pytest.FixtureRequest) -> Dialect:
    chosen: Dialect = request.param
    return chosen
