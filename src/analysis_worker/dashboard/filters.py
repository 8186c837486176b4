"""What follows the `?` of a page's address, read strictly. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any, Self
from urllib.parse import urlencode
from uuid import UUID

from analysis_worker.jobs import JobStatus

REPLAYABLE = (JobStatus.FAILED, JobStatus.CANCELLED)
_SHOWN = 50


class BadRequestError(Exception):
    """Somebody asked for what cannot be; the text is fit to be shown."""


def choice(query: Mapping[str, str], name: str, among: Collection[str], default: str | None = None) -> str:
    """The first of `among` where neither the query nor `default` says anything."""
    given = query.get(name) or default or next(iter(among))
    if given not in among:
        raise BadRequestError(f"{name} must be one of {', '.join(among)}")
    return given


def whole_number(values: Mapping[str, str], name: str, most: int = 2**62) -> int | None:
    """None where it is left empty."""
    given = values.get(name, "").strip()
    if not given:
        return None
    if not given.isascii() or not given.isdigit() or not 1 <= int(given) <= most:
        raise BadRequestError(f"{name.replace('_', ' ')} must be a whole number from 1 to {most:,}, or empty")
    return int(given)


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Which jobs are meant; everything may be left out. `before_at` and `before_id` continue a list."""

    type: str | None = None
    status: str | None = None
    user_id: str | None = None
    error_code: str | None = None
    since: str | None = None
    before_at: str | None = None
    before_id: str | None = None

    @classmethod
    def read(cls, values: Mapping[str, str]) -> Self:
        given = {name: values.get(name, "").strip()[:200] or None for name in cls.__slots__}
        if given["status"] is not None and given["status"] not in set(JobStatus):
            raise BadRequestError("there is no such status")
        for name in ("user_id", "before_id"):
            _check(name, given[name], UUID)
        for name in ("since", "before_at"):
            _check(name, given[name], datetime.fromisoformat)
        return cls(**given)

    def arguments(self, max_jobs: int = _SHOWN) -> dict[str, Any]:
        """Of list_jobs."""
        return asdict(self) | {"since": _in_utc(self.since), "max_jobs": max_jobs}

    def replay_arguments(self) -> dict[str, Any]:
        """Of replay_jobs and count_replayable_jobs, which know no user."""
        given = asdict(self) | {"since": _in_utc(self.since)}
        return {name: given[name] for name in ("type", "status", "error_code", "since")}

    @property
    def is_replayable(self) -> bool:
        return self.status in REPLAYABLE and self.user_id is None

    def after(self, last: Mapping[str, str] | None) -> Self | None:
        """The next page."""
        return None if last is None else replace(self, before_at=last["at"], before_id=last["id"])

    def only(self, **changes: str | None) -> Self:
        return replace(self, before_at=None, before_id=None, **changes)

    def __str__(self) -> str:
        """As a query."""
        return urlencode({name: value for name, value in asdict(self).items() if value})


def _check(name: str, text: str | None, parse: Any) -> None:
    try:
        if text is not None:
            parse(text)
    except ValueError as error:
        raise BadRequestError(f"{name.replace('_', ' ')} cannot be read") from error


def _in_utc(text: str | None) -> str | None:
    """A form gives a time without a zone, and says that it is in UTC."""
    if text is None:
        return None
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).isoformat()
