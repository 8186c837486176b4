"""What the synchronous way takes from the worker: what models are asked, the rules for their replies, and the foods.

Edge Functions run in JavaScript, so regular expressions are translated into its dialect, with the same meaning for
every sign of Unicode. The JavaScript beside the exported files is held to this code by shared vectors.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict

from maxnutrition.contracts.chat import DISCLAIMERS, Persona
from maxnutrition.contracts.foods import FOOD_DISCLAIMER
from maxnutrition.foods.meal_text import report
from maxnutrition.foods.nutrients import NUTRIENT_NAMES, items_of
from maxnutrition.foods.table import core_foods
from maxnutrition.handlers import sofia_image, unified_assistant
from maxnutrition.prompts import chat, emergencies, fences, plain_text, red_lines, replies
from maxnutrition.prompts.foods import SeenFoods, photo_request
from maxnutrition.prompts.library import PromptName, load_prompt
from maxnutrition.providers.schema import shared_schema
from maxnutrition.settings import GEMINI_PRICES, AnalysisSettings

_SPACE = r"\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_WORD = r"\p{L}\p{N}_"
_EDGE = f"(?:(?<=[{_WORD}])(?![{_WORD}])|(?<![{_WORD}])(?=[{_WORD}]))"
_END = "(?![^])"
_SETS = {r"\w": _WORD, r"\d": r"\p{Nd}", r"\s": _SPACE}
_ESCAPES = {r"\b": _EDGE, r"\W": f"[^{_WORD}]", r"\S": f"[^{_SPACE}]"} | {
    escape: f"[{signs}]" for escape, signs in _SETS.items()
}
_CASES = {"i": "İı", "s": "ſ", "k": "\u212a"}
"""What Python takes for these letters, beside their capitals, where case does not count."""
_TOKEN = re.compile(r"\\.|\[\^?(?:\\.|[^\]\\])+\]|\(\?(?:[:=!]|<[=!])|\{\d*,?\d*\}|.", re.DOTALL)
_MEMBER = re.compile(r"\\.|a-z|.", re.DOTALL)

_PATTERNS = {
    "life": emergencies.OF_LIFE,
    "body": emergencies.OF_BODY,
    "denied": emergencies.DENIED,
    "sentence": red_lines.SENTENCE,
    "diagnosis": red_lines.DIAGNOSIS,
    "open": red_lines.OPEN,
    "not_saying": red_lines.NOT_SAYING,
    "physiology": red_lines.PHYSIOLOGY,
    "prescription": red_lines.PRESCRIPTION,
    "with_help": red_lines.WITH_HELP,
    "dose": red_lines.DOSE,
    "suggestions": replies.SUGGESTIONS,
    "markdown_link": plain_text.MARKDOWN_LINK,
    "tag": plain_text.TAG,
    "url": plain_text.URL,
    "domain": plain_text.DOMAIN,
    "heading": plain_text.HEADING,
    "rule": plain_text.RULE,
    "bullet": plain_text.BULLET,
    "strong": plain_text.STRONG,
    "blanks": plain_text.SPACES,
    "blanks_before": plain_text.SPACE_BEFORE,
    "blank_lines": plain_text.BLANK_LINES,
    "sentence_end": plain_text.SENTENCE_END,
    "spaces": re.compile(r"\s+"),
    "gaps": re.compile(r"[*_\s]+"),
}


class ChatAnswer(BaseModel):
    """What a model answers to a message; in a job the suggestions are its last line."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    reply: str
    suggestions: list[str]


def sync_of(job_type: str) -> dict[str, Any] | None:
    """The part `sync` of the type's contract; None where no single answer of a model is the result."""
    match job_type:
        case "unified_assistant":
            return _chat()
        case "sofia_image":
            return _photo()
        case _:
            return None


def guard_document() -> dict[str, Any]:
    """The rules for replies and for untrusted text."""
    return {
        "patterns": {name: javascript_of(pattern) for name, pattern in _PATTERNS.items()},
        "advice": {emergency.value: advice for emergency, advice in emergencies.ADVICE.items()},
        "instead": red_lines.INSTEAD,
        "limits": {
            "reply": replies.CHAT.limit,
            "suggestions": replies.MAX_SUGGESTIONS,
            "suggestion": replies.MAX_SUGGESTION,
        },
        "escapes": {chr(code): written for code, written in fences.ESCAPES.items()},
    }


def foods_text() -> str:
    """The table of foods and the words of a report, as JSON with a line for each food. Null is unknown, not zero."""
    head = {
        "nutrients": NUTRIENT_NAMES,
        "unsure": report.UNSURE,
        "words": {
            "said": "foto",
            "amount": "estimado pela foto",
            "no_food": sofia_image.NO_FOOD,
            "unlisted": sofia_image.UNLISTED,
            "unsure": "Confira, não tenho certeza: {names}.",
            "unknown_energy": report.UNKNOWN_ENERGY,
        },
    }
    lines = (
        json.dumps([food.id, food.name, [amount for _, amount in items_of(food.per_100g)]], ensure_ascii=False)
        for food in core_foods()
    )
    listed = ",\n    ".join(lines)
    return json.dumps(head, ensure_ascii=False, indent=2)[:-2] + f',\n  "foods": [\n    {listed}\n  ]\n}}\n'


def javascript_of(pattern: re.Pattern[str]) -> str:
    """The same expression for a JavaScript RegExp with the flag `u` and no other."""
    return "".join(_translated(token, pattern.flags) for token in _TOKEN.findall(pattern.pattern))


def _translated(token: str, flags: int) -> str:
    by_line = flags & re.MULTILINE
    match token:
        case "^":
            return r"(?<![^\n])" if by_line else "(?<![^])"
        case "$":
            return rf"(?=\n|{_END})" if by_line else rf"(?=\n?{_END})"
        case ".":
            return "[^]" if flags & re.DOTALL else r"[^\n]"
        case _ if token.startswith("["):
            negation = "^" if token.startswith("[^") else ""
            members = _MEMBER.findall(token[1 + len(negation) : -1])
            return f"[{negation}{''.join(_member(member, flags) for member in members)}]"
        case _ if flags & re.IGNORECASE and token.isalpha():
            return f"[{_member(token, flags)}]"
        case _:
            return _ESCAPES.get(token, token)


def _member(member: str, flags: int) -> str:
    if flags & re.IGNORECASE and member == "a-z":
        return f"a-zA-Z{''.join(_CASES.values())}"
    if flags & re.IGNORECASE and member.isalpha():
        return f"{member.lower()}{member.upper()}{_CASES.get(member.lower(), '')}"
    return _SETS.get(member, member)


def _chat() -> dict[str, Any]:
    personas: Mapping[Persona, PromptName] = unified_assistant.PROMPTS
    variants = {
        persona: {
            "system": load_prompt(name).text,
            "fixed": {
                "persona": persona,
                "disclaimer": DISCLAIMERS[persona],
                "prompt_version": load_prompt(name).version,
            },
        }
        for persona, name in personas.items()
    }
    data: Sequence[Mapping[str, Any]] = (
        {"name": "contexto", "field": "context", "line": "{{label}}: {{value}}"},
        {"name": "memoria", "field": "memory"},
        {
            "name": "historico",
            "field": "history",
            "line": "{{role}}: {{text}}",
            "words": {"role": chat.SPEAKERS},
            "newest": chat.HISTORY_CHARACTERS,
        },
        {"name": "mensagem", "field": "message"},
    )
    return {
        **_model(20, 2048),
        "by": {"field": "persona", "variants": variants},
        "data": data,
        "user_template": (
            "Responda à mensagem. No JSON, `reply` é a resposta sem a linha de sugestões, `suggestions` são elas."
        ),
        "response_schema": shared_schema(ChatAnswer),
        "finish": "reply",
    }


def _photo() -> dict[str, Any]:
    prompt = load_prompt(PromptName.SOFIA_IMAGE)
    request = photo_request(b"", {food.id: food.name for food in core_foods()}, ())
    return {
        **_model(25, 4096),
        "system": prompt.text,
        "user_template": request.messages[0].text,
        "response_schema": shared_schema(SeenFoods),
        "fixed": {"hinted": False, "disclaimer": FOOD_DISCLAIMER, "prompt_version": prompt.version},
        "finish": "meal",
    }


def _model(timeout_seconds: int, max_output_tokens: int) -> dict[str, Any]:
    """As the settings say without an environment, so that what is exported is the same everywhere."""
    fields = AnalysisSettings.model_fields
    model = fields["gemini_model"].default
    return {
        "model": model,
        "thinking": fields["gemini_thinking"].default,
        "prices": {name: float(price) for name, price in GEMINI_PRICES[model]},
        "timeout_seconds": timeout_seconds,
        "max_output_tokens": max_output_tokens,
    }
