"""From what the database gave to what goes back over the wire."""

from __future__ import annotations

import json
from dataclasses import dataclass

from supabase_local.rest.errors import Headers, RestError
from supabase_local.rest.media import Media, Shape
from supabase_local.rest.request import Request
from supabase_local.rest.selection import Range
from supabase_local.rest.statement import Outcome


@dataclass(frozen=True, slots=True)
class Reply:
    """`reason` is the HTTP reason phrase where it is not the usual one."""

    status: int
    headers: Headers = ()
    body: str = ""
    reason: str | None = None


def error_reply(error: RestError) -> Reply:
    usual = (("Content-Type", Media.JSON.content_type), ("Proxy-Status", f"PostgREST; error={error.code}"))
    retry = (("Retry-After", "0"),) if error.status == 503 else ()
    return Reply(error.status, (*retry, *usual, *error.headers), error.body(), error.reason)


def check_affected(request: Request, outcome: Outcome) -> None:
    """Refuse, before it is committed, what changes more rows than the request allows."""
    affected = request.preferences.max_affected
    if affected is not None and outcome.count > affected:
        message = "Query result exceeds max-affected preference constraint"
        raise RestError(400, "PGRST124", message, f"The query affects {outcome.count} rows")


def check_single(request: Request, outcome: Outcome, shape: Shape) -> None:
    """Refuse, before it is committed, a list where the request takes only one object."""
    if request.media.is_single and shape in ("rows", "scalars") and outcome.count != 1:
        message = "Cannot coerce the result to a single JSON object"
        raise RestError(406, "PGRST116", message, f"The result contains {outcome.count} rows")


def reply(request: Request, outcome: Outcome, status: int, headers: Headers, body: str | None) -> Reply:
    """`body` None: there is none, and so no content type. The database's own status and headers win."""
    typed = () if body is None else _typed(request, request.media)
    own = _own_headers(outcome.headers)
    replaced = {name.lower() for name, _ in own}
    kept = tuple(pair for pair in (*headers, *typed) if pair[0].lower() not in replaced)
    return Reply(_own_status(outcome.status) or status, (*kept, *own), body or "")


def page_reply(request: Request, outcome: Outcome, page: Range, headers: Headers) -> Reply:
    """A reply that is a page of a longer list: 206 where rows are known to be missing, 416 where the page is beyond."""
    last = page.offset + outcome.count - 1
    total = "*" if outcome.total is None else str(outcome.total)
    span = f"{page.offset}-{last}/{total}" if outcome.count else f"*/{total}"
    ranged = (("Content-Range", span), *headers)
    if outcome.total is not None and page.offset > outcome.total:
        details = f"An offset of {page.offset} was requested, but there are only {outcome.total} rows."
        error = RestError(416, "PGRST103", "Requested range not satisfiable", details)
        return Reply(416, (*ranged, *_typed(request, Media.JSON)), error.body())
    partial = outcome.total is not None and outcome.count < outcome.total
    return reply(request, outcome, 206 if partial else 200, ranged, outcome.body)


def _typed(request: Request, media: Media) -> Headers:
    profile = () if request.profile is None else (("Content-Profile", request.profile),)
    return (("Content-Type", media.content_type), *profile)


def _own_status(text: str | None) -> int | None:
    if text is None:
        return None
    if text.isascii() and text.isdigit() and 200 <= int(text) <= 999:
        return int(text)
    raise RestError(500, "PGRST112", "response.status guc must be a valid status code")


def _own_headers(text: str | None) -> Headers:
    if text is None:
        return ()
    try:
        entries = json.loads(text)
    except ValueError:
        entries = None
    match entries:
        case [*objects] if all(isinstance(entry, dict) and len(entry) == 1 for entry in objects):
            pairs = tuple(pair for entry in objects for pair in entry.items())
            if all(isinstance(value, str) for _, value in pairs):
                return pairs
    needed = "response.headers guc must be a JSON array composed of objects with a single key and a string value"
    raise RestError(500, "PGRST111", needed)
