"""Words about trends: the numbers are ours, a model may only say them."""

from __future__ import annotations

from analysis_worker import JobContext
from maxnutrition.prompts.conversation import log_crossings
from maxnutrition.prompts.fences import fenced
from maxnutrition.prompts.findings import invented_numbers
from maxnutrition.prompts.library import Prompt
from maxnutrition.prompts.replies import Desk, Reply
from maxnutrition.providers.request import FormError, Message, ModelReply, ModelRequest, Models

_MAX_OUTPUT_TOKENS = 1024


class Wording:
    """Plain text without numbers of its own. Not shown while it is written: a number may have to be taken back."""

    def __init__(self, known: str) -> None:
        self._known = known

    @property
    def schema(self) -> None:
        return None

    def parse(self, text: str) -> str:
        if not text.strip():
            raise FormError("The answer is empty.")
        if invented := invented_numbers(text, self._known):
            raise FormError(f"Estes números não estão nos dados: {', '.join(invented[:10])}. Use só os dos dados.")
        return text

    def salvage(self, text: str) -> None:
        """The end of a reading is what it comes to."""
        del text

    async def on_text(self, text: str) -> None:
        """Half of it has not been checked."""


async def word(models: Models, prompt: Prompt, facts: str, question: str, context: JobContext) -> ModelReply[str]:
    """Raises what `Models` raises. Numbers of the question count as known."""
    parts = [fenced("medidas", facts)]
    if question:
        parts.append(fenced("pergunta", question))
    message = Message("user", "\n".join([*parts, "Escreva o texto pedido."]))
    form = Wording(f"{facts}\n{question}")
    return await models.generate(
        ModelRequest(context.job.type, prompt.text, (message,), form, _MAX_OUTPUT_TOKENS), context
    )


def finished(answer: ModelReply[str], desk: Desk, context: JobContext) -> Reply:
    reply = desk.finish(answer.output)
    log_crossings(reply, context)
    return reply
