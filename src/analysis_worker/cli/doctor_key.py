"""Is this the right key for a worker, as far as it shows? Pure."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from analysis_worker.cli.doctor_findings import Finding, fault, ok, warning

_SOON = timedelta(days=30)
_TAKE_ANOTHER = "Take a secret key (sb_secret_...) from the project's settings, API keys, into SUPABASE_SECRET_KEY."


def check_key(key: str, now: datetime) -> Finding:
    """Says nothing of the key but its kind."""
    if key.startswith("sb_secret_"):
        return ok("key", "a secret key")
    if key.startswith("sb_publishable_"):
        return fault("key", "a publishable key: that is for browsers", _TAKE_ANOTHER)
    claims = _claims(key)
    if claims is None:
        return fault("key", "neither a key of Supabase nor a JWT", _TAKE_ANOTHER)
    role = claims.get("role")
    if role != "service_role":
        fix = _TAKE_ANOTHER if role != "analysis_worker" else f"It can run workers, not look at them. {_TAKE_ANOTHER}"
        return fault("key", f"a JWT of the role {role}", fix)
    return _check_expiry(claims, now)


def _check_expiry(claims: dict[str, Any], now: datetime) -> Finding:
    if isinstance(claims.get("exp"), int | float):
        ends = datetime.fromtimestamp(claims["exp"], UTC)
        if ends <= now:
            return fault("key", f"a JWT that expired on {ends:%Y-%m-%d}", _TAKE_ANOTHER)
        if ends - now < _SOON:
            return warning("key", f"a JWT that expires on {ends:%Y-%m-%d}", _TAKE_ANOTHER)
    return warning("key", "a legacy key: it cannot be exchanged alone, and Supabase does away with them", _TAKE_ANOTHER)


def _claims(key: str) -> dict[str, Any] | None:
    parts = key.split(".")
    try:
        payload = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (IndexError, ValueError):
        return None
    return payload if isinstance(payload, dict) else None
