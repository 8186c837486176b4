"""A message to Sofia or Dr. Vital becomes a reply that can be read while it is written."""

from __future__ import annotations

from functools import partial

from analysis_worker import Handler, JobContext
from maxnutrition.contracts.chat import DISCLAIMERS, Persona, UnifiedAssistantInput, UnifiedAssistantResult
from maxnutrition.prompts.chat import chat_message
from maxnutrition.prompts.conversation import tell
from maxnutrition.prompts.library import PromptName, load_prompt
from maxnutrition.prompts.replies import desk_for
from maxnutrition.providers.request import Models

PROMPTS: dict[Persona, PromptName] = {"sofia": PromptName.SOFIA, "dr_vital": PromptName.DR_VITAL}


async def reply_to(request: UnifiedAssistantInput, context: JobContext, *, models: Models) -> UnifiedAssistantResult:
    prompt = load_prompt(PROMPTS[request.persona])
    message = chat_message(request.message, request.history, request.memory, request.context)
    desk = desk_for(request.message)
    told = await tell(models, prompt, message, desk, context)
    return UnifiedAssistantResult(
        reply=told.reply.text,
        persona=request.persona,
        suggestions=list(told.reply.suggestions),
        emergency=desk.emergency is not None,
        disclaimer=DISCLAIMERS[request.persona],
        prompt_version=prompt.version,
        model=told.model,
    )


def unified_assistant(models: Models) -> Handler[UnifiedAssistantInput, UnifiedAssistantResult]:
    return Handler(
        type="unified_assistant",
        input=UnifiedAssistantInput,
        result=UnifiedAssistantResult,
        run=partial(reply_to, models=models),
    )
