"""A text from WhatsApp becomes a reply that fits there."""

from __future__ import annotations

from functools import partial

from analysis_worker import Handler, JobContext
from maxnutrition.contracts.chat import Fact
from maxnutrition.contracts.whatsapp import DISCLAIMER, MAX_REPLY, WhatsappMessageInput, WhatsappMessageResult
from maxnutrition.prompts.chat import chat_message
from maxnutrition.prompts.conversation import tell
from maxnutrition.prompts.library import PromptName, load_prompt
from maxnutrition.prompts.plain_text import whatsapp
from maxnutrition.prompts.replies import Manner, desk_for
from maxnutrition.providers.request import Models

_ENDING = f"\n\n{DISCLAIMER}"
_MANNER = Manner(whatsapp, MAX_REPLY - len(_ENDING))


async def reply_to(request: WhatsappMessageInput, context: JobContext, *, models: Models) -> WhatsappMessageResult:
    prompt = load_prompt(PromptName.WHATSAPP)
    known = [Fact(label="nome", value=request.name)] if request.name else []
    message = chat_message(request.message, request.history, request.memory, known)
    desk = desk_for(request.message, _MANNER)
    told = await tell(models, prompt, message, desk, context)
    return WhatsappMessageResult(
        reply=_balanced(told.reply.text) + _ENDING,
        emergency=desk.emergency is not None,
        disclaimer=DISCLAIMER,
        prompt_version=prompt.version,
        model=told.model,
    )


def whatsapp_message(models: Models) -> Handler[WhatsappMessageInput, WhatsappMessageResult]:
    return Handler(
        type="whatsapp_message",
        input=WhatsappMessageInput,
        result=WhatsappMessageResult,
        run=partial(reply_to, models=models),
    )


def _balanced(text: str) -> str:
    """A cut can leave an asterisk without its partner, which would show."""
    return text if text.count("*") % 2 == 0 else text.replace("*", "")
