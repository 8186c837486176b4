"""A request's body: checked only as far as PostgREST checks it, and passed on as it came."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from typing import Any, Never

from supabase_local.rest.errors import RestError

JSON = "application/json"
RAW_TYPES = {"text/plain": "text", "text/xml": "xml", "application/octet-stream": "bytea"}


@dataclass(frozen=True, slots=True)
class Payload:
    """`json` is the text to hand to PostgreSQL. `keys`: what every object in it has. `rows`: None for one object."""

    json: str
    keys: frozenset[str]
    rows: int | None

    @property
    def is_array(self) -> bool:
        return self.rows is not None

    @property
    def array(self) -> str:
        """The text, as an array in any case."""
        return self.json if self.is_array else f"[{self.json}]"


def read_json(body: bytes, keys_may_differ: bool = False) -> Payload:
    """`keys_may_differ`: the request names the columns itself."""
    try:
        text = body.decode()
        value = json.loads(text, parse_constant=_refuse, parse_int=str, parse_float=str)
    except (ValueError, RecursionError) as error:
        raise RestError(400, "PGRST102", "Empty or invalid json") from error
    return _payload(text, value, keys_may_differ)


def read_csv(body: bytes) -> Payload:
    """Rows of text; the word NULL is null."""
    rows = [
        {name: None if value == "NULL" else value for name, value in row.items() if name is not None}
        for row in csv.DictReader(io.StringIO(body.decode(errors="replace"), newline=""))
    ]
    return _payload(json.dumps(rows), rows, keys_may_differ=False)


def _payload(text: str, value: Any, keys_may_differ: bool) -> Payload:
    match value:
        case dict():
            return Payload(text, frozenset(value), None)
        case []:
            return Payload(text, frozenset(), 0)
        case [dict() as first, *rest]:
            uniform = all(isinstance(row, dict) and row.keys() == first.keys() for row in rest)
            if uniform or keys_may_differ:
                return Payload(text, frozenset(first), len(rest) + 1)
        case [*_]:
            pass
        case _:
            return Payload(text, frozenset(), None)
    raise RestError(400, "PGRST102", "All object keys must match")


def _refuse(constant: str) -> Never:
    raise ValueError(f"{constant} is no JSON")
