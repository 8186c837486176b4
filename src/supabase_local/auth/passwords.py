"""Password rules and hashes. Hashing takes tens of milliseconds: call it off the event loop."""

from __future__ import annotations

import hashlib
import hmac
import os

from supabase_local.auth.errors import AuthError, validation_failed

_MIN_LENGTH = 6
_MAX_BYTES = 72
_COST = {"n": 2**14, "r": 8, "p": 1}


def check_strength(password: str) -> None:
    """Raise unless GoTrue's default rules accept the password."""
    if len(password.encode()) > _MAX_BYTES:
        raise validation_failed(f"Password cannot be longer than {_MAX_BYTES} characters")
    if len(password) < _MIN_LENGTH:
        message = f"Password should be at least {_MIN_LENGTH} characters."
        raise AuthError(422, "weak_password", message, weak_password={"reasons": ["length"]})


def hash_password(password: str) -> str:
    salt = os.urandom(16)
    return f"scrypt${salt.hex()}${_digest(password, salt).hex()}"


def password_matches(password: str, stored: str) -> bool:
    _, salt, digest = stored.split("$")
    return hmac.compare_digest(_digest(password, bytes.fromhex(salt)), bytes.fromhex(digest))


def _digest(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, **_COST)
