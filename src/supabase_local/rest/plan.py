"""A decided answer: the transaction that will make it, and the judgement of what comes out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from supabase_local.rest.errors import Headers
from supabase_local.rest.replies import Reply
from supabase_local.rest.request import Request
from supabase_local.rest.statement import Outcome, Transaction


@dataclass(frozen=True, slots=True)
class Plan:
    """`judge` raises RestError where the request restricts the outcome and the transaction must not be committed."""

    transaction: Transaction
    judge: Callable[[Outcome], Reply]


def preference_headers(request: Request, *meaningful: str) -> Headers:
    applied = request.preferences.applied(meaningful)
    return () if applied is None else (("Preference-Applied", applied),)
