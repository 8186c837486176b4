import pytest

from analysis_worker import PermanentError
from maxnutrition.contracts.whatsapp import DISCLAIMER, MAX_REPLY, WhatsappMessageInput, WhatsappMessageResult
from maxnutrition.handlers.whatsapp_message import whatsapp_message
from maxnutrition.providers.errors import ProviderNotConfiguredError
from tests.unit.providers.doubles import ScriptedModels, context_for

pytestmark = pytest.mark.anyio


async def reply_to(message: str, reply: str | Exception) -> tuple[WhatsappMessageResult, ScriptedModels]:
    models = ScriptedModels(reply)
    context, _ = context_for("whatsapp_message")
    request = WhatsappMessageInput(message=message, name="Ana")
    return await whatsapp_message(models).run(request, context), models


async def test_a_reply_can_be_sent_as_it_is() -> None:
    result, models = await reply_to("oi", "# Oi, Ana!\n**Lanches:**\n- fruta\n- [pão](http://x.com) com ovo")
    assert result.reply == f"Oi, Ana!\n*Lanches:*\n• fruta\n• pão com ovo\n\n{DISCLAIMER}"
    assert (result.prompt_version, result.model) == ("whatsapp.v1", "model-1")
    assert "nome: Ana" in models.requests[0].messages[0].text


@pytest.mark.parametrize(
    "reply", ["Uma frase com *negrito*. " * 100, "palavra " * 300, "x" * 5000, "*" + "a " * 900 + "*"]
)
async def test_a_long_reply_is_cut_to_fit_with_its_disclaimer(reply: str) -> None:
    result, _ = await reply_to("oi", reply)
    assert len(result.reply) <= MAX_REPLY
    assert result.reply.endswith(DISCLAIMER)
    assert result.reply.count("*") % 2 == 0


async def test_help_comes_first_and_still_fits() -> None:
    result, _ = await reply_to("meu peito ta doendo e falta de ar", "Calma. " * 400)
    assert result.emergency
    assert result.reply.startswith("Procure atendimento")
    assert len(result.reply) <= MAX_REPLY


async def test_without_a_provider_the_settings_are_named() -> None:
    with pytest.raises(PermanentError, match="MAXNUTRITION_X"):
        await reply_to("oi", ProviderNotConfiguredError("provider_not_configured", "Defina MAXNUTRITION_X."))
