from decimal import Decimal

import pytest
from pydantic import ValidationError

from maxnutrition.settings import AnalysisSettings


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MAXNUTRITION_GEMINI_API_KEY", "GEMINI_API_KEY", "GOOGLE_API_KEY"):
        monkeypatch.delenv(name, raising=False)


def settings_from(monkeypatch: pytest.MonkeyPatch, **environment: str) -> AnalysisSettings:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return AnalysisSettings(_env_file=None)


@pytest.mark.parametrize("name", ["MAXNUTRITION_GEMINI_API_KEY", "GEMINI_API_KEY", "GOOGLE_API_KEY"])
def test_the_gemini_key_goes_by_any_of_its_names(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    settings = settings_from(monkeypatch, **{name: "secret-key"})
    assert settings.gemini_api_key is not None
    assert settings.gemini_api_key.get_secret_value() == "secret-key"


def test_an_empty_variable_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings_from(monkeypatch, GEMINI_API_KEY="").gemini_api_key is None


def test_nothing_has_to_be_set() -> None:
    settings = AnalysisSettings(_env_file=None)
    assert settings.order_for("sofia_image") == ("gemini", "openai", "ollama")
    assert settings.prices["gemini-3.5-flash-lite"].output == Decimal("2.50")


def test_orders_can_be_set_for_one_type(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = settings_from(
        monkeypatch,
        MAXNUTRITION_PROVIDER_ORDER='["openai"]',
        MAXNUTRITION_PROVIDER_ORDER_BY_TYPE='{"medical_exam": ["gemini", "ollama"]}',
    )
    assert settings.order_for("medical_exam") == ("gemini", "ollama")
    assert settings.order_for("dr_vital") == ("openai",)


def test_prices_add_to_those_known(monkeypatch: pytest.MonkeyPatch) -> None:
    price = '{"gpt-x": {"input": "1", "cached_input": "0.5", "output": "4"}}'
    settings = settings_from(monkeypatch, MAXNUTRITION_PRICES=price)
    assert settings.prices["gpt-x"].output == 4
    assert "gemini-3.8-flash" in settings.prices


@pytest.mark.parametrize(
    ("environment", "complaint"),
    [
        ({"MAXNUTRITION_OPENAI_URL": "http://h"}, "MAXNUTRITION_OPENAI_MODEL"),
        ({"MAXNUTRITION_OLLAMA_MODEL": "m"}, "MAXNUTRITION_OLLAMA_URL"),
        ({"MAXNUTRITION_OLLAMA_URL": "localhost:11434", "MAXNUTRITION_OLLAMA_MODEL": "m"}, "http://"),
        ({"MAXNUTRITION_OPENAI_URL": "https://user:pw@h", "MAXNUTRITION_OPENAI_MODEL": "m"}, "no user"),
        ({"GEMINI_API_KEY": "k", "MAXNUTRITION_GEMINI_MODEL": "gemini-9"}, "no price for gemini-9"),
        ({"MAXNUTRITION_PROVIDER_ORDER": '["claude"]'}, "provider_order"),
        ({"MAXNUTRITION_DAILY_BUDGET_USD": "-1"}, "daily_budget_usd"),
        ({"MAXNUTRITION_OVER_BUDGET": "ignore"}, "over_budget"),
    ],
)
def test_what_cannot_work_is_said_at_the_start(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], complaint: str
) -> None:
    with pytest.raises(ValidationError, match=complaint) as caught:
        settings_from(monkeypatch, **environment)
    assert "user:pw" not in str(caught.value)


def test_keys_are_in_no_representation(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = settings_from(
        monkeypatch,
        GEMINI_API_KEY="secret-key",
        MAXNUTRITION_OPENAI_URL="http://h",
        MAXNUTRITION_OPENAI_MODEL="m",
        MAXNUTRITION_OPENAI_API_KEY="secret-too",
    )
    assert "secret" not in repr(settings) + str(settings) + settings.model_dump_json()
