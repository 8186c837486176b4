"""The chat with Sofia or Dr. Vital. The worker keeps no conversation: what it should know comes with the message."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from maxnutrition.contracts.common import Contract

Persona = Literal["sofia", "dr_vital"]
Said = Annotated[str, StringConstraints(min_length=1, max_length=2000, pattern=r"\S")]
Remembered = Annotated[str, StringConstraints(min_length=1, max_length=300)]

DISCLAIMERS: dict[Persona, str] = {
    "sofia": (
        "A Sofia é uma assistente virtual: dá informações gerais e pode errar. Não substitui nutricionista nem médico."
    ),
    "dr_vital": (
        "O Dr. Vital é um assistente virtual, não um médico: não faz diagnóstico nem prescreve. Procure um "
        "profissional de saúde para decidir sobre a sua saúde."
    ),
}


class ChatTurn(Contract):
    role: Literal["user", "assistant"]
    text: Said


class Fact(Contract):
    """Something the app knows: "objetivo", "perder 5 kg até março"."""

    label: Annotated[str, StringConstraints(min_length=1, max_length=60)]
    value: Remembered


class UnifiedAssistantInput(Contract):
    """`history` is oldest first, `memory` what the user told in other conversations, `context` what the app knows."""

    persona: Persona
    message: Said
    history: list[ChatTurn] = Field(default_factory=list, max_length=20)
    memory: list[Remembered] = Field(default_factory=list, max_length=30)
    context: list[Fact] = Field(default_factory=list, max_length=30)


class UnifiedAssistantResult(Contract):
    """`emergency` says that the reply begins with where to find help. `model` is None where no model wrote it."""

    reply: str
    persona: Persona
    suggestions: Annotated[list[str], Field(max_length=3)]
    emergency: bool
    disclaimer: str
    prompt_version: str
    model: str | None


EXAMPLE_INPUT: dict[str, Any] = {
    "persona": "sofia",
    "message": "Posso trocar o arroz branco por quê no almoço?",
    "history": [
        {"role": "user", "text": "Quero comer melhor sem gastar muito."},
        {"role": "assistant", "text": "Boa! Vamos começar pelo almoço?"},
    ],
    "memory": ["Não gosta de peixe."],
    "context": [{"label": "objetivo", "value": "perder 5 kg"}],
}
EXAMPLE_RESULT: dict[str, Any] = {
    "reply": "Arroz integral, batata-doce e mandioca são boas trocas: dão saciedade e custam pouco.",
    "persona": "sofia",
    "suggestions": ["Como preparar arroz integral?"],
    "emergency": False,
    "disclaimer": DISCLAIMERS["sofia"],
    "prompt_version": "sofia.v1",
    "model": "gemini-3.5-flash-lite",
}
