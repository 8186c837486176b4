"""The application as a whole: every job type has its handler, and settings that make no sense stop it at the start."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from analysis_worker import ConfigurationError, Settings
from analysis_worker.handlers import by_type
from maxnutrition.app import app
from maxnutrition.job_types import JOB_TYPES

pytestmark = pytest.mark.anyio

SETTINGS = Settings(supabase_url="http://127.0.0.1:54321", supabase_key=SecretStr("key"))


async def test_every_job_type_has_a_handler_with_its_contract() -> None:
    async with app(SETTINGS) as handlers:
        found = {name: (handler.input, handler.result) for name, handler in by_type(handlers).items()}
    assert found == {kind.name: (kind.input, kind.result) for kind in JOB_TYPES}


@pytest.mark.parametrize(
    ("variable", "value", "problem"),
    [
        ("MAXNUTRITION_OPENAI_URL", "ftp://host", "MAXNUTRITION_OPENAI_URL: .*must start with http"),
        ("MAXNUTRITION_OPENAI_URL", "http://user:hush@host", "MAXNUTRITION_OPENAI_URL: .*keys have settings"),
        ("MAXNUTRITION_OLLAMA_URL", "http://127.0.0.1:11434", "needs MAXNUTRITION_OLLAMA_MODEL"),
        ("MAXNUTRITION_BREAKER_FAILURES", "many", "MAXNUTRITION_BREAKER_FAILURES: .*integer"),
        ("MAXNUTRITION_FOODS_FILE", "/nowhere/foods.toml", "MAXNUTRITION_FOODS_FILE: .*No such file"),
    ],
)
async def test_settings_that_make_no_sense_are_named_without_their_values(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, problem: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigurationError, match=problem) as caught:
        async with app(SETTINGS):
            pass
    assert "hush" not in str(caught.value)
