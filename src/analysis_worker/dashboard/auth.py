"""Who is let in, and as what: by a token, or as a user of Supabase Auth whose `app_metadata.role` says so."""

from __future__ import annotations

import hmac
from collections.abc import Callable

from analysis_worker.adapters.supabase_auth import AuthUser, AuthUsers
from analysis_worker.dashboard.sessions import Identity, Role
from analysis_worker.settings import DashboardSettings

_ROLES = {"admin": Role.OPERATOR, "viewer": Role.VIEWER, "support": Role.VIEWER}


class Gate:
    """`users` is None where Supabase Auth opens nothing."""

    def __init__(self, settings: DashboardSettings, users: AuthUsers | None) -> None:
        self._tokens = [
            (token.get_secret_value().encode(), Identity(who, role))
            for token, who, role in (
                (settings.token, "dashboard:token", Role.OPERATOR),
                (settings.viewer_token, "dashboard:viewer-token", Role.VIEWER),
            )
            if token is not None
        ]
        self._users = users

    @property
    def asks_for_token(self) -> bool:
        return bool(self._tokens)

    @property
    def asks_for_password(self) -> bool:
        return self._users is not None

    def admit_token(self, token: str) -> Identity | None:
        matching = [identity for known, identity in self._tokens if hmac.compare_digest(known, token.encode())]
        return matching[0] if matching else None

    async def admit_password(self, email: str, password: str) -> Identity | None:
        return None if self._users is None else _identity(await self._users.sign_in(email, password))

    async def admit_bearer(self, credential: str) -> Identity | None:
        """One of the tokens, or the access token of a user."""
        if identity := self.admit_token(credential):
            return identity
        return None if self._users is None else _identity(await self._users.user_of(credential))

    async def is_still(self, identity: Identity) -> bool:
        """Whether a user has the role yet; a session remembers the one of its beginning."""
        if identity.user_id is None:
            return True
        return self._users is not None and _identity(await self._users.user(identity.user_id)) == identity


def session_secret(settings: DashboardSettings, current_key: Callable[[], str]) -> Callable[[], bytes]:
    """Made of all that lets somebody in: whoever exchanges one of them ends all sessions, and replicas agree."""
    tokens = [token.get_secret_value() if token else "" for token in (settings.token, settings.viewer_token)]

    def secret() -> bytes:
        return hmac.digest(current_key().encode(), "\n".join(["dashboard sessions", *tokens]).encode(), "sha256")

    return secret


def is_same_origin(origin: str | None, host: str) -> bool:
    """The scheme is left out: behind a proxy that ends TLS it is another one."""
    return origin is not None and origin.partition("://")[2] == host


def _identity(user: AuthUser | None) -> Identity | None:
    role = _ROLES.get(str(user.app_metadata.get("role"))) if user else None
    # A password alone must not open what its owner has put behind a second factor.
    if user is None or role is None or user.has_second_factor:
        return None
    name = user.email if user.email and user.email.isascii() and user.email.isprintable() else user.id
    return Identity(f"dashboard:{name}", role, user.id)
