"""How each provider says the same things on the wire, after their documentation."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from maxnutrition.settings import AnalysisSettings, ProviderName
from tests.contract.providers.server import Asked, Reply, cut_after, hang_after, stream

KEY = "AIza-very-secret-key"
USAGE = (1000, 200, 120)
"""Input (cached among it) and output tokens, as every dialect reports them."""


class Dialect(Protocol):
    name: ProviderName

    def settings(self, url: str) -> Mapping[str, Any]: ...
    def chunks(self, texts: Sequence[str], finish: str) -> list[bytes]: ...
    def answer(self, *texts: str, finish: str = "stop") -> Reply: ...
    def system_and_texts(self, asked: Asked) -> tuple[str, list[str]]: ...
    def schema(self, asked: Asked) -> Any: ...
    def room(self, asked: Asked) -> int: ...


@dataclass(frozen=True, slots=True)
class GeminiDialect:
    name: ProviderName = "gemini"
    content_type: str = "text/event-stream"

    def settings(self, url: str) -> Mapping[str, Any]:
        return {"gemini_url": url, "gemini_api_key": KEY}

    def chunks(self, texts: Sequence[str], finish: str) -> list[bytes]:
        reason = {"stop": "STOP", "length": "MAX_TOKENS", "blocked": "SAFETY"}[finish]
        events: list[dict[str, Any]] = [
            {"candidates": [{"content": {"role": "model", "parts": [{"text": text}]}, "index": 0}]} for text in texts
        ]
        usage = {
            "promptTokenCount": USAGE[0],
            "cachedContentTokenCount": USAGE[1],
            "candidatesTokenCount": USAGE[2] - 20,
            "thoughtsTokenCount": 20,
            "totalTokenCount": USAGE[0] + USAGE[2],
        }
        events.append({"candidates": [{"finishReason": reason, "index": 0}], "usageMetadata": usage})
        return [f"data: {json.dumps(event)}\r\n\r\n".encode() for event in events]

    def answer(self, *texts: str, finish: str = "stop") -> Reply:
        return stream(self.chunks(texts, finish))

    def system_and_texts(self, asked: Asked) -> tuple[str, list[str]]:
        contents = [content["parts"][-1]["text"] for content in asked.body["contents"]]
        return asked.body["systemInstruction"]["parts"][0]["text"], contents

    def schema(self, asked: Asked) -> Any:
        return asked.body["generationConfig"].get("responseJsonSchema")

    def room(self, asked: Asked) -> int:
        return int(asked.body["generationConfig"]["maxOutputTokens"])


@dataclass(frozen=True, slots=True)
class OpenAiDialect:
    name: ProviderName = "openai"
    content_type: str = "text/event-stream"

    def settings(self, url: str) -> Mapping[str, Any]:
        return {
            "openai_url": url,
            "openai_api_key": KEY,
            "openai_model": "small",
            "openai_vision_model": "small-vision",
        }

    def chunks(self, texts: Sequence[str], finish: str) -> list[bytes]:
        reason = {"stop": "stop", "length": "length", "blocked": "content_filter"}[finish]
        choices: list[dict[str, Any]] = [{"index": 0, "delta": {"role": "assistant", "content": None}}]
        choices += [{"index": 0, "delta": {"content": text}, "finish_reason": None} for text in texts]
        choices.append({"index": 0, "delta": {}, "finish_reason": reason})
        events: list[dict[str, Any]] = [{"object": "chat.completion.chunk", "choices": [c]} for c in choices]
        details = {"cached_tokens": USAGE[1]}
        usage = {"prompt_tokens": USAGE[0], "completion_tokens": USAGE[2], "prompt_tokens_details": details}
        events.append({"object": "chat.completion.chunk", "choices": [], "usage": usage})
        return [b": ping\n\n", *(f"data: {json.dumps(event)}\n\n".encode() for event in events), b"data: [DONE]\n\n"]

    def answer(self, *texts: str, finish: str = "stop") -> Reply:
        return stream(self.chunks(texts, finish))

    def system_and_texts(self, asked: Asked) -> tuple[str, list[str]]:
        system, *messages = asked.body["messages"]
        return system["content"], [_text_of(message["content"]) for message in messages]

    def schema(self, asked: Asked) -> Any:
        form = asked.body.get("response_format")
        return form and form["json_schema"]["schema"]

    def room(self, asked: Asked) -> int:
        return int(asked.body["max_tokens"])


@dataclass(frozen=True, slots=True)
class OllamaDialect:
    name: ProviderName = "ollama"
    content_type: str = "application/x-ndjson"

    def settings(self, url: str) -> Mapping[str, Any]:
        return {"ollama_url": url, "ollama_model": "qwen3:4b", "ollama_vision_model": "llava"}

    def chunks(self, texts: Sequence[str], finish: str) -> list[bytes]:
        lines: list[dict[str, Any]] = [{"message": {"role": "assistant", "content": t}, "done": False} for t in texts]
        end = {"done": True, "done_reason": finish, "prompt_eval_count": USAGE[0], "eval_count": USAGE[2]}
        lines.append({"message": {"role": "assistant", "content": ""}, **end})
        return [f"{json.dumps(line)}\n".encode() for line in lines]

    def answer(self, *texts: str, finish: str = "stop") -> Reply:
        return stream(self.chunks(texts, finish), self.content_type)

    def system_and_texts(self, asked: Asked) -> tuple[str, list[str]]:
        system, *messages = asked.body["messages"]
        return system["content"], [message["content"] for message in messages]

    def schema(self, asked: Asked) -> Any:
        return asked.body.get("format")

    def room(self, asked: Asked) -> int:
        return int(asked.body["options"]["num_predict"])


GEMINI, OPENAI, OLLAMA = GeminiDialect(), OpenAiDialect(), OllamaDialect()
DIALECTS: Sequence[GeminiDialect | OpenAiDialect | OllamaDialect] = (GEMINI, OPENAI, OLLAMA)


def broken_off(dialect: GeminiDialect | OpenAiDialect | OllamaDialect, *texts: str) -> Reply:
    return cut_after(dialect.chunks(texts, "stop")[: len(texts)], dialect.content_type)


def stalled(dialect: GeminiDialect | OpenAiDialect | OllamaDialect, *texts: str) -> Reply:
    """The texts arrive (a dialect may have sent one frame more before them), the end does not."""
    end = {"gemini": 1, "ollama": 1, "openai": 3}[dialect.name]
    return hang_after(dialect.chunks(texts, "stop")[:-end], dialect.content_type)


def settings_for(**values: Any) -> AnalysisSettings:
    """Settings that no environment and no file reaches, with short patience."""
    return AnalysisSettings(_env_file=None, **{"idle_seconds": 5.0, **values})


def _text_of(content: str | list[dict[str, Any]]) -> str:
    return content if isinstance(content, str) else str(content[0]["text"])
