"""Model output as plain text: no links, no markup but what its place knows, no longer than fits."""

from __future__ import annotations

import re

from maxnutrition.prompts.fences import is_visible

MARKDOWN_LINK = re.compile(r"!?\[([^\]\n]{0,200})\]\([^)\n]{0,2000}\)")
TAG = re.compile(r"</?[a-zA-Z!][^<>\n]{0,500}>")
URL = re.compile(r"\b(?:[a-z][a-z0-9+.-]{1,20}://|www\.|mailto:|javascript:|data:[a-z]+/)\S*", re.IGNORECASE)
DOMAIN = re.compile(
    r"\b(?:[a-z0-9](?:[a-z0-9-]{0,62})\.){1,6}"
    r"(?:com|net|org|br|io|app|dev|info|gov|edu|me|co|ly|gl|link|site|xyz|online|shop)\b(?:[/:?#]\S*)?",
    re.IGNORECASE,
)
HEADING = re.compile(r"^[ \t]{0,3}#{1,6}[ \t]+", re.MULTILINE)
RULE = re.compile(r"^[ \t]*(?:[-*_][ \t]*){3,}$", re.MULTILINE)
BULLET = re.compile(r"^([ \t]*)[-*+][ \t]+", re.MULTILINE)
STRONG = re.compile(r"(\*\*|__)(?=\S)(.{1,500}?)(?<=\S)\1")
SPACES = re.compile(r"[ \t]{2,}")
SPACE_BEFORE = re.compile(r"[ \t]+(?=[\n.,;:!?])")
BLANK_LINES = re.compile(r"\n{3,}")
SENTENCE_END = re.compile(r"[.!?…](?=\s|$)")


def plain(text: str) -> str:
    """No markup at all."""
    return _tidy(STRONG.sub(r"\2", _unlinked(text)).replace("*", "").replace("`", ""))


def whatsapp(text: str) -> str:
    """WhatsApp knows *bold*, and nothing else is used of it."""
    return _tidy(STRONG.sub(r"*\2*", _unlinked(text)).replace("`", "").replace("~", ""))


def shorten(text: str, limit: int) -> str:
    """At most `limit` characters: up to the last whole sentence, or the last whole word and an ellipsis."""
    if len(text) <= limit:
        return text
    head = text[:limit]
    ends = [found.end() for found in SENTENCE_END.finditer(head) if found.end() < limit or text[limit].isspace()]
    if ends and ends[-1] >= limit // 2:
        return head[: ends[-1]]
    words = head[:-1].rstrip()
    return f"{words.rsplit(None, 1)[0] if words else words}…"


def _unlinked(text: str) -> str:
    visible = "".join(sign for sign in text.replace("\r\n", "\n") if is_visible(sign))
    visible = TAG.sub("", MARKDOWN_LINK.sub(r"\1", visible))
    visible = DOMAIN.sub("", URL.sub("", visible))
    return BULLET.sub(r"\1• ", RULE.sub("", HEADING.sub("", visible)))


def _tidy(text: str) -> str:
    return BLANK_LINES.sub("\n\n", SPACE_BEFORE.sub("", SPACES.sub(" ", text))).strip()
