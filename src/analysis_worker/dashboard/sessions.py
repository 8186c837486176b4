"""Who is signed in: told by a signed cookie, so that nothing has to be kept and every replica knows."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import StrEnum


class Role(StrEnum):
    """What somebody may do here."""

    OPERATOR = "operator"
    VIEWER = "viewer"


@dataclass(frozen=True, slots=True)
class Identity:
    """`who` is what is written on record. `user_id` is set for users of Supabase Auth."""

    who: str
    role: Role
    user_id: str | None = None


@dataclass(frozen=True, slots=True)
class Session:
    identity: Identity
    id: str
    expires_at: float


class Sessions:
    """Writes and reads cookies. `secret` is asked each time: when it is exchanged, all sessions end."""

    def __init__(self, secret: Callable[[], bytes], clock: Callable[[], float], seconds: float) -> None:
        self._secret = secret
        self._clock = clock
        self.seconds = seconds

    def open(self, identity: Identity) -> str:
        session = Session(identity, secrets.token_urlsafe(16), self._clock() + self.seconds)
        body = base64.urlsafe_b64encode(json.dumps(asdict(session)).encode()).decode()
        return f"{body}.{_sign(self._secret(), body.encode())}"

    def read(self, cookie: str) -> Session | None:
        """None for what we did not sign, and for what is over."""
        body, _, signature = cookie.partition(".")
        if not hmac.compare_digest(signature.encode(), _sign(self._secret(), body.encode()).encode()):
            return None
        try:
            stored = json.loads(base64.urlsafe_b64decode(body))
        except (binascii.Error, ValueError):
            return None
        identity = Identity(**stored["identity"] | {"role": Role(stored["identity"]["role"])})
        session = Session(identity, stored["id"], stored["expires_at"])
        return session if session.expires_at > self._clock() else None

    def form_token(self, session: Session) -> str:
        """It has to come back with every form: a foreign page cannot know it."""
        return _sign(self._secret(), f"form:{session.id}".encode())

    def is_from_our_form(self, session: Session, token: str) -> bool:
        return hmac.compare_digest(self.form_token(session).encode(), token.encode())


def _sign(secret: bytes, text: bytes) -> str:
    return base64.urlsafe_b64encode(hmac.digest(secret, text, "sha256")).decode().rstrip("=")
