"""The `Prefer` header: what was asked for, and what of it the answer says it applied."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from supabase_local.rest.errors import RestError

_CHOICES: Mapping[str, frozenset[str]] = {
    "resolution": frozenset({"merge-duplicates", "ignore-duplicates"}),
    "missing": frozenset({"default", "null"}),
    "return": frozenset({"minimal", "headers-only", "representation"}),
    "count": frozenset({"exact", "planned", "estimated"}),
    "tx": frozenset({"commit", "rollback"}),
    "handling": frozenset({"strict", "lenient"}),
}
_ORDER = ("resolution", "missing", "return", "count", "handling", "timezone", "max-affected")


@dataclass(frozen=True, slots=True)
class Preferences:
    """Only what was understood. `tx` is understood but never applied, as on Supabase."""

    given: Mapping[str, str]

    def get(self, name: str) -> str | None:
        return self.given.get(name)

    @property
    def counts(self) -> bool:
        """Planned and estimated counts are answered exactly: they promise no more than a good guess."""
        return "count" in self.given

    @property
    def max_affected(self) -> int | None:
        """Holds only where handling is strict."""
        if self.given.get("handling") != "strict" or "max-affected" not in self.given:
            return None
        return int(self.given["max-affected"])

    def applied(self, names: Iterable[str]) -> str | None:
        """The value of `Preference-Applied`, of those `names` that mean something to the request; None when empty."""
        meaningful = {*names, "handling", "timezone"} | ({"max-affected"} if self.max_affected is not None else set())
        found = [f"{name}={self.given[name]}" for name in _ORDER if name in meaningful and name in self.given]
        return ", ".join(found) or None


def parse_preferences(headers: Iterable[str]) -> Preferences:
    given: dict[str, str] = {}
    unknown: list[str] = []
    for preference in ",".join(headers).split(","):
        text = preference.strip()
        name, _, value = (part.strip() for part in text.partition("="))
        if _is_understood(name, value):
            given.setdefault(name, value)
        elif text:
            unknown.append(text)
    if unknown and given.get("handling") == "strict":
        details = f"Invalid preferences: {', '.join(unknown)}"
        raise RestError(400, "PGRST122", "Invalid preferences given with handling=strict", details)
    return Preferences(given)


def _is_understood(name: str, value: str) -> bool:
    match name:
        case "max-affected":
            return value.isascii() and value.isdigit() and len(value) < 10
        case "timezone":
            return _is_timezone(value)
        case _:
            return value in _CHOICES.get(name, ())


def _is_timezone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (OSError, ValueError):
        return False
    return True
