"""The keys of one stack: a JWT secret, the two legacy JWT keys, and the two opaque keys that stand for them."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from typing import Any

import jwt

ALGORITHM = "HS256"
_TEN_YEARS_S = 10 * 365 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Keys:
    """`anon_key` and `service_role_key` are JWTs; `publishable_key` and `secret_key` are opaque names for them."""

    jwt_secret: str
    anon_key: str
    service_role_key: str
    publishable_key: str
    secret_key: str

    def role_key(self, key: str) -> str | None:
        """The JWT that a client's `apikey` stands for, or None where the key is not one of this stack's."""
        meaning = {
            self.anon_key: self.anon_key,
            self.publishable_key: self.anon_key,
            self.service_role_key: self.service_role_key,
            self.secret_key: self.service_role_key,
        }
        return meaning.get(key)


def sign(claims: dict[str, Any], secret: str) -> str:
    return jwt.encode(claims, secret, algorithm=ALGORITHM)


def new_keys() -> Keys:
    """Fresh random keys, valid for ten years."""
    jwt_secret = secrets.token_urlsafe(32)
    now = int(time.time())

    def role_key(role: str) -> str:
        claims = {"iss": "supabase-local", "role": role, "iat": now, "exp": now + _TEN_YEARS_S}
        return sign(claims, jwt_secret)

    return Keys(
        jwt_secret=jwt_secret,
        anon_key=role_key("anon"),
        service_role_key=role_key("service_role"),
        publishable_key=f"sb_publishable_{secrets.token_urlsafe(24)}",
        secret_key=f"sb_secret_{secrets.token_urlsafe(24)}",
    )
