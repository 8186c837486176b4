"""One request to one model: a larger try when it was cut off, a repair turn when its form was wrong."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias, TypeVar

from analysis_worker import PermanentError
from maxnutrition.providers.errors import UnusableAnswerError
from maxnutrition.providers.port import Answer, Call
from maxnutrition.providers.request import FormError, Message, ModelRequest

T = TypeVar("T")
Ask: TypeAlias = Callable[[Call], Awaitable[Answer]]

_LARGER = 4
_REPAIR = (
    "A resposta anterior não segue o formato pedido. Problemas encontrados:\n{problems}\n"
    "Responda de novo, por inteiro, apenas no formato pedido."
)


async def converse(request: ModelRequest[T], model: str, ask: Ask) -> T:
    """Raises `UnusableAnswerError` when the second form is wrong too, `PermanentError` answer_blocked."""
    call = Call(model, request.system, request.messages, request.form.schema, request.max_output_tokens)
    answer = await _ask_whole(call, ask)
    try:
        return request.form.parse(answer.text)
    except FormError as problem:
        call = _repairing(call, answer, problem)
    answer = await _ask_whole(call, ask)
    try:
        return request.form.parse(answer.text)
    except FormError:
        raise UnusableAnswerError("the form was wrong twice") from None


async def _ask_whole(call: Call, ask: Ask) -> Answer:
    """An answer that was cut off is asked for once more with more room, and then taken as it is."""
    answer = _unblocked(await ask(call))
    if answer.finish != "length":
        return answer
    larger = Call(call.model, call.system, call.messages, call.schema, call.max_output_tokens * _LARGER)
    return _unblocked(await ask(larger))


def _unblocked(answer: Answer) -> Answer:
    if answer.finish == "blocked":
        raise PermanentError(
            "answer_blocked", "O serviço de inteligência artificial não responde a este conteúdo. Tente reformular."
        )
    return answer


def _repairing(call: Call, answer: Answer, problem: FormError) -> Call:
    said = (Message("model", answer.text),) if answer.text.strip() else ()
    asked = Message("user", _REPAIR.format(problems=problem))
    return Call(call.model, call.system, (*call.messages, *said, asked), call.schema, call.max_output_tokens)
