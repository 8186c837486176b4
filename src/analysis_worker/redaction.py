"""What must not stand in a log, taken out of it: keys and tokens, and what says who somebody is.

A net under code that should not have logged it in the first place. It knows shapes, not meaning: a name gets through.
"""

from __future__ import annotations

import re

_SHAPES = (
    (r"\beyJ[\w-]{5,}\.[\w-]{5,}(?:\.[\w-]*)?", "[token]"),
    (r"\bsb_(?:secret|publishable)_[\w-]+", "[key]"),
    (r"\bAIza[\w-]{20,}|\bsk-[\w-]{16,}|\bgh[pousr]_\w{20,}|\bEAA\w{30,}", "[key]"),
    (r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}", r"\1 [token]"),
    (
        r"(?i)([?&](?:token|apikey|api_key|key|access_token|signature|x-amz-[\w-]+)=)[^&\s\"'<>]*[^&\s\"'<>:;,.]",
        r"\1[token]",
    ),
    (r"(?i)(\b[a-z][a-z0-9+.-]*://)[^\s/:@\"']+:[^\s/@\"']+@", r"\1[login]@"),
    (r"(?i)[\w.%+-]+@[\w-]+(?:\.[\w-]+)+", "[e-mail]"),
    (r"(?<![\w.-])\d{3}\.\d{3}\.\d{3}-\d{2}(?![\w-])", "[cpf]"),
    (r"(?<![\w.+-])(?:\+\d{1,3}[ -]?)?\(?\d{2}\)?[ -]?9?\d{4}[ -]?\d{4}(?![\w.-])", "[number]"),
    (r"(?<![\w.+-])\+?\d{11,14}(?![\w.-])", "[number]"),
)
_PATTERNS = tuple((re.compile(pattern), instead) for pattern, instead in _SHAPES)


def redacted(text: str) -> str:
    for pattern, instead in _PATTERNS:
        text = pattern.sub(instead, text)
    return text
