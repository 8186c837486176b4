"""Asks a model for a reply and sees it through to the user: shown while it is written, held to the red lines."""

from __future__ import annotations

from dataclasses import dataclass

from analysis_worker import DeferredError, JobContext, PermanentError, RetryableError
from maxnutrition.prompts.library import Prompt
from maxnutrition.prompts.replies import Desk, Reply, whole_sentences
from maxnutrition.providers.forms import PlainText
from maxnutrition.providers.request import Message, ModelRequest, Models

_EXPECTED_LENGTH = 800
_MAX_OUTPUT_TOKENS = 1024


@dataclass(frozen=True, slots=True)
class Told:
    reply: Reply
    model: str | None
    """None where the reply is ours alone."""


async def tell(models: Models, prompt: Prompt, message: Message, desk: Desk, context: JobContext) -> Told:
    """Raises what `Models` raises, but not in an emergency: then the advice goes out with or without a model."""
    await context.report_progress(0.1, "pensando", desk.advice or None)

    shown = ""

    async def listen(written: str) -> None:
        nonlocal shown
        if (whole := whole_sentences(written)) == shown:
            return
        shown = whole
        progress = 0.1 + 0.8 * min(1.0, len(whole) / _EXPECTED_LENGTH)
        await context.report_progress(progress, "escrevendo", desk.show(whole) or None)

    request = ModelRequest(context.job.type, prompt.text, (message,), PlainText(listen), _MAX_OUTPUT_TOKENS)
    try:
        answer = await models.generate(request, context)
    except (PermanentError, RetryableError, DeferredError) as error:
        if desk.emergency is None:
            raise
        context.log.warning("advice given without a model", code=error.code)
        return Told(desk.alone(), None)
    reply = desk.finish(answer.output)
    log_crossings(reply, context)
    return Told(reply, answer.model)


def log_crossings(reply: Reply, context: JobContext) -> None:
    """Which lines, never which words."""
    if reply.crossed:
        context.log.warning("red lines crossed", lines=list(reply.crossed))
