"""Read a query parameter sign by sign, and say where it stopped making sense."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Never

from supabase_local.rest.errors import RestError

_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)


@dataclass(slots=True)
class Scanner:
    """`what` names the thing that is read, in errors. `offset`: signs of it that stand before `text`."""

    what: str
    text: str
    offset: int = 0
    position: int = 0

    @property
    def at_end(self) -> bool:
        return self.position == len(self.text)

    def peek(self, sign: str) -> bool:
        return self.text.startswith(sign, self.position)

    def take(self, sign: str) -> bool:
        """Step over `sign` if it comes next."""
        if not self.peek(sign):
            return False
        self.position += len(sign)
        return True

    def expect(self, sign: str, expecting: str) -> None:
        if not self.take(sign):
            self.fail(expecting)

    def match(self, pattern: re.Pattern[str]) -> str | None:
        """Step over what `pattern` matches here."""
        if (found := pattern.match(self.text, self.position)) is None:
            return None
        self.position = found.end()
        return found.group()

    def quoted(self) -> str | None:
        """Step over a double-quoted text; gives it without quotes and backslashes."""
        if (found := _QUOTED.match(self.text, self.position)) is None:
            return None
        self.position = found.end()
        return re.sub(r"\\(.)", r"\1", found.group(1), flags=re.DOTALL)

    def rest(self) -> str:
        remaining, self.position = self.text[self.position :], len(self.text)
        return remaining

    def fail(self, expecting: str) -> Never:
        found = "end of input" if self.at_end else f'"{self.text[self.position]}"'
        where = f"(line 1, column {self.offset + self.position + 1})"
        raise RestError(
            400,
            "PGRST100",
            f'"failed to parse {self.what} ({self.text})" {where}',
            f"unexpected {found} expecting {expecting}",
        )
