"""Numbers, times and documents, as people read them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any


def duration(seconds: float | None) -> str:
    """0.4 s, 25 s, 3 min, 2 h, 5 d; a dash for nothing."""
    if seconds is None:
        return "–"
    for limit, size, unit in ((120, 1, "s"), (7200, 60, "min"), (172800, 3600, "h")):
        if seconds < limit:
            return f"{seconds / size:.1f} {unit}" if seconds / size < 10 else f"{seconds / size:.0f} {unit}"
    return f"{seconds / 86400:.0f} d"


def moment(text: str | None) -> str:
    """A time of the database, in UTC."""
    return f"{_parse(text):%Y-%m-%d %H:%M:%S}" if text else "–"


def ago(text: str | None, now: datetime) -> str:
    return f"{duration(max(0.0, (now - _parse(text)).total_seconds()))} ago" if text else "–"


def between(start: str | None, end: str | None) -> str:
    return duration((_parse(end) - _parse(start)).total_seconds()) if start and end else "–"


def number(value: Any, digits: int = 0) -> str:
    """A dash for what is none: what an attempt used is whatever its handler said."""
    return f"{value:,.{digits}f}" if isinstance(value, int | float) else "–"


def share(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"


def dollars(micro_usd: Any) -> str:
    if not isinstance(micro_usd, int | float):
        return "–"
    usd = micro_usd / 1_000_000
    return f"${usd:,.4f}" if 0 < usd < 1 else f"${usd:,.2f}"


def document(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


def _parse(text: str | None) -> datetime:
    assert text is not None
    parsed = datetime.fromisoformat(text)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


FILTERS = {
    "duration": duration,
    "moment": moment,
    "ago": ago,
    "between": between,
    "number": number,
    "share": share,
    "dollars": dollars,
    "document": document,
}
