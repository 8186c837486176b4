import pytest

from analysis_worker import PermanentError, RetryableError
from maxnutrition.contracts.health import (
    DISCLAIMER,
    EXAMPLE_INPUT,
    DrVitalInput,
    DrVitalResult,
    HealthInsightsInput,
    HealthInsightsResult,
)
from maxnutrition.handlers.dr_vital import dr_vital
from maxnutrition.handlers.health_insights import health_insights
from maxnutrition.providers.errors import NoUsableAnswerError, ProviderNotConfiguredError
from maxnutrition.providers.request import FormError
from tests.unit.providers.doubles import ScriptedModels, context_for

pytestmark = pytest.mark.anyio

NOT_CONFIGURED = ProviderNotConfiguredError("provider_not_configured", "Defina MAXNUTRITION_X.")
CRISIS = {"series": [{"kind": "systolic_mmhg", "points": [{"on": "2026-03-01", "value": 190}]}]}


async def insights(
    reply: str | Exception, request: object = EXAMPLE_INPUT
) -> tuple[HealthInsightsResult, ScriptedModels]:
    models = ScriptedModels(reply)
    context, _ = context_for("health_insights")
    return await health_insights(models).run(HealthInsightsInput.model_validate(request), context), models


async def ask(reply: str | Exception, question: str | None = None) -> tuple[DrVitalResult, ScriptedModels]:
    models = ScriptedModels(reply)
    context, _ = context_for("dr_vital")
    return await dr_vital(models).run(
        DrVitalInput.model_validate({**EXAMPLE_INPUT, "question": question}), context
    ), models


async def test_a_model_only_words_what_code_computed() -> None:
    result, models = await insights("Seu peso caiu 1,3 kg e está em 81,1 kg. Muito bem!")
    assert (result.text, result.written_by) == ("Seu peso caiu 1,3 kg e está em 81,1 kg. Muito bem!", "model")
    assert (result.prompt_version, result.model) == ("health_insights.v1", "model-1")
    assert result.trends[0].change == -1.3
    assert "cerca de 0,65 kg por semana" in models.requests[0].messages[0].text


@pytest.mark.parametrize("error", [NOT_CONFIGURED, NoUsableAnswerError("answer_unusable", "x")])
async def test_without_words_of_a_model_insights_tell_the_trends_themselves(error: Exception) -> None:
    result, _ = await insights(error)
    assert result.text.startswith("Peso: 3 medidas de 01/03/2026 a 15/03/2026.")
    assert (result.written_by, result.model, result.prompt_version) == ("template", None, None)
    assert result.disclaimer == DISCLAIMER


async def test_a_provider_that_is_down_is_worth_another_attempt() -> None:
    with pytest.raises(RetryableError):
        await insights(RetryableError("provider_unavailable", "x"))


@pytest.mark.parametrize("text", ["O ideal é 70 kg.", "Sua glicose é 126 mg/dL.", "  "])
async def test_numbers_of_a_models_own_are_no_answer(text: str) -> None:
    with pytest.raises(FormError):
        await insights(text)
    with pytest.raises(FormError):
        await ask(text)


async def test_a_diagnosis_is_taken_out() -> None:
    result, _ = await insights("Você tem obesidade. Seu peso caiu 1,3 kg.")
    assert "obesidade" not in result.text
    assert "1,3 kg" in result.text


async def test_a_latest_value_that_should_not_wait_is_a_warning() -> None:
    result, _ = await insights(NOT_CONFIGURED, CRISIS)
    assert result.warnings[0].startswith("Procure atendimento")


async def test_a_question_is_answered_from_the_numbers() -> None:
    result, models = await ask("Sim: você perdeu 1,3 kg. Faltam poucos quilos até 80 kg.", "Chego a 75 kg?")
    assert result.reply.startswith("Sim")
    assert result.prompt_version == "dr_vital_reading.v1"
    assert '<dados nome="pergunta">\nChego a 75 kg?\n</dados>' in models.requests[0].messages[0].text


async def test_dr_vital_says_that_it_needs_a_provider() -> None:
    with pytest.raises(PermanentError, match="MAXNUTRITION_X") as caught:
        await ask(NOT_CONFIGURED)
    assert caught.value.code == "provider_not_configured"


async def test_in_an_emergency_dr_vital_names_help_first_with_or_without_a_model() -> None:
    for reply in ("Descanse.", NOT_CONFIGURED):
        result, _ = await ask(reply, "estou com dor no peito, é o coração?")
        assert result.emergency
        assert result.reply.startswith("Procure atendimento")
