"""Requests for the chats: our rules as the system's words, everything else as data."""

from __future__ import annotations

from collections.abc import Sequence

from maxnutrition.contracts.chat import ChatTurn, Fact
from maxnutrition.prompts.fences import fenced
from maxnutrition.providers.request import Message

HISTORY_CHARACTERS = 8000
"""The newest of it: what is longer would crowd a small model's context and cost more than it tells."""
SPEAKERS = {"user": "pessoa", "assistant": "assistente"}


def chat_message(
    message: str, history: Sequence[ChatTurn] = (), memory: Sequence[str] = (), context: Sequence[Fact] = ()
) -> Message:
    """One message of the user's side, the history too: it comes from a client, which could put words in our mouth."""
    parts = [
        ("contexto", "\n".join(f"{fact.label}: {fact.value}" for fact in context)),
        ("memoria", "\n".join(memory)),
        ("historico", "\n".join(_newest(history))),
        ("mensagem", message),
    ]
    data = "\n".join(fenced(name, text) for name, text in parts if text)
    return Message("user", f"{data}\nResponda à mensagem.")


def _newest(history: Sequence[ChatTurn]) -> list[str]:
    lines: list[str] = []
    left = HISTORY_CHARACTERS
    for turn in reversed(history):
        line = f"{SPEAKERS[turn.role]}: {turn.text}"
        left -= len(line)
        if left < 0:
            break
        lines.append(line)
    return lines[::-1]
