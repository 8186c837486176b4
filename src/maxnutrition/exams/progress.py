"""What an attempt has read so far, for the next one: pages are known by their pixels, so none is read twice."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Literal

from pydantic import ValidationError

from maxnutrition.contracts.common import Contract
from maxnutrition.exams.page_reading import PageReading

MAX_CHECKPOINT = 400_000
"""Characters of JSON. The database refuses more than 512 KiB; pages beyond would be read again, no more."""


class _Saved(Contract):
    version: Literal[1]
    pages: dict[str, PageReading]


def page_id(page: bytes) -> str:
    return sha256(page).hexdigest()[:32]


@dataclass(slots=True)
class PagesRead:
    pages: dict[str, PageReading] = field(default_factory=dict)

    @classmethod
    def restored(cls, checkpoint: Any) -> PagesRead:
        """Empty where there is no checkpoint, or one that an older worker wrote."""
        try:
            return cls(dict(_Saved.model_validate(checkpoint).pages))
        except ValidationError:
            return cls()

    def saved(self) -> dict[str, Any] | None:
        """None where it became too large to save."""
        saved = _Saved(version=1, pages=self.pages)
        return saved.model_dump(mode="json") if len(saved.model_dump_json()) <= MAX_CHECKPOINT else None
