"""A text message from WhatsApp in, a reply out that can be sent as it is."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, StringConstraints

from maxnutrition.contracts.chat import ChatTurn, Remembered, Said
from maxnutrition.contracts.common import Contract

MAX_REPLY = 1000
DISCLAIMER = "Sou uma assistente virtual e posso errar; não substituo um profissional de saúde."


class WhatsappMessageInput(Contract):
    message: Said
    name: Annotated[str, StringConstraints(min_length=1, max_length=60)] | None = None
    history: list[ChatTurn] = Field(default_factory=list, max_length=10)
    memory: list[Remembered] = Field(default_factory=list, max_length=20)


class WhatsappMessageResult(Contract):
    """`reply` holds the disclaimer already. `model` is None where no model wrote it."""

    reply: Annotated[str, StringConstraints(max_length=MAX_REPLY)]
    emergency: bool
    disclaimer: str
    prompt_version: str
    model: str | None


EXAMPLE_INPUT: dict[str, Any] = {"message": "oi sofia, o q posso comer de lanche da tarde?", "name": "Ana"}
EXAMPLE_RESULT: dict[str, Any] = {
    "reply": f"Oi, Ana! Três ideias de *lanche*:\n• iogurte com fruta\n• pão com ovo\n• castanhas\n\n{DISCLAIMER}",
    "emergency": False,
    "disclaimer": DISCLAIMER,
    "prompt_version": "whatsapp.v1",
    "model": "gemini-3.5-flash-lite",
}
