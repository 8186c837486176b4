"""Requests for the chats: our rules as the system's words, everything else as data."""

from __future__ import annotations

from collections.abc import Sequence

from maxnutrition.contracts.chat import ChatTurn, Fact
from maxnutrition.prompts.fences import fenced
from maxnutrition.providers.request import Message

_SPEAKERS = {"user": "pessoa", "assistant": "assistente"}


def chat_message(
    message: str, history: Sequence[ChatTurn] = (), memory: Sequence[str] = (), context: Sequence[Fact] = ()
) -> Message:
    """One message of the user's side, the history too: it comes from a client, which could put words in our mouth."""
    parts = [
        ("contexto", "\n".join(f"{fact.label}: {fact.value}" for fact in context)),
        ("memoria", "\n".join(memory)),
        ("historico", "\n".join(f"{_SPEAKERS[turn.role]}: {turn.text}" for turn in history)),
        ("mensagem", message),
    ]
    data = "\n".join(fenced(name, text) for name, text in parts if text)
    return Message("user", f"{data}\nResponda à mensagem.")
