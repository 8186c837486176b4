"""One request to one model: a larger try when it was cut off, a repair turn when its form was wrong."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeAlias, TypeVar

from analysis_worker import PermanentError
from maxnutrition.providers.errors import UnusableAnswerError
from maxnutrition.providers.port import Answer, Call
from maxnutrition.providers.request import Form, FormError, Message, ModelRequest

T = TypeVar("T")
Ask: TypeAlias = Callable[[Call], Awaitable[Answer]]

_LARGER = 4
_REPAIR = (
    "A resposta anterior não segue o formato pedido. Problemas encontrados:\n{problems}\n"
    "Responda de novo, por inteiro, apenas no formato pedido."
)


class _WrongFormError(Exception):
    def __init__(self, text: str, problem: FormError) -> None:
        super().__init__()
        self.text = text
        self.problem = problem


async def converse(request: ModelRequest[T], model: str, ask: Ask) -> T:
    """Raises `UnusableAnswerError` when the second form is wrong too, `PermanentError` answer_blocked."""
    call = Call(model, request.system, request.messages, request.form.schema, request.max_output_tokens)
    try:
        return await _ask_in_full(call, request.form, ask)
    except _WrongFormError as wrong:
        call = _repairing(call, wrong)
    try:
        return await _ask_in_full(call, request.form, ask)
    except _WrongFormError:
        raise UnusableAnswerError("the form was wrong twice") from None


async def _ask_in_full(call: Call, form: Form[T], ask: Ask) -> T:
    """An answer that was cut off beyond use is asked for once more, with more room, and then taken as it is."""
    answer = _unblocked(await ask(call))
    if answer.finish == "length":
        if (salvaged := form.salvage(answer.text)) is not None:
            return salvaged
        answer = _unblocked(await ask(replace(call, max_output_tokens=call.max_output_tokens * _LARGER)))
    try:
        return form.parse(answer.text)
    except FormError as problem:
        raise _WrongFormError(answer.text, problem) from None


def _unblocked(answer: Answer) -> Answer:
    if answer.finish == "blocked":
        raise PermanentError(
            "answer_blocked", "O serviço de inteligência artificial não responde a este conteúdo. Tente reformular."
        )
    return answer


def _repairing(call: Call, wrong: _WrongFormError) -> Call:
    said = (Message("model", wrong.text),) if wrong.text.strip() else ()
    asked = Message("user", _REPAIR.format(problems=wrong.problem))
    return replace(call, messages=(*call.messages, *said, asked))
