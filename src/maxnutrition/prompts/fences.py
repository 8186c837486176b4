"""Untrusted text in parts of its own, whose borders cannot be written from inside."""

from __future__ import annotations

import re
import unicodedata

# What looks like the sign of a border, so that neither a person nor a model takes it for one.
_BRACKETS = {ord(sign): "&lt;" for sign in "<＜﹤‹〈⟨❮❰˂"} | {ord(sign): "&gt;" for sign in ">＞﹥›〉⟩❯❱˃"}
ESCAPES = {ord("&"): "&amp;"} | _BRACKETS
_BLANK_LINES = re.compile(r"\n{3,}")


def fenced(name: str, text: str) -> str:
    """`text` as data called `name`; `name` is ours."""
    return f'<dados nome="{name}">\n{escape(text)}\n</dados>'


def escape(text: str) -> str:
    """Without brackets and without what cannot be seen: only our own borders are borders."""
    visible = "".join(sign for sign in unicodedata.normalize("NFC", text) if is_visible(sign))
    return _BLANK_LINES.sub("\n\n", visible).strip().translate(ESCAPES)


def is_visible(sign: str) -> bool:
    """False for control signs, zero-width and bidirectional marks, tags; line breaks are visible here."""
    return sign in "\n\t" or unicodedata.category(sign) not in {"Cc", "Cf", "Cs", "Co", "Cn"}
