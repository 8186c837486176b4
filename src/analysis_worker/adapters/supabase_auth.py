"""Users of Supabase Auth, for whoever lets some of them in."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, TypeVar

import httpx
from pydantic import BaseModel, Field, ValidationError

from analysis_worker.adapters.postgrest import KeyAuth
from analysis_worker.errors import StoreUnavailableError

_Model = TypeVar("_Model", bound=BaseModel)


class _Factor(BaseModel):
    status: str


class AuthUser(BaseModel):
    id: str
    email: str | None = None
    app_metadata: dict[str, Any] = Field(default_factory=dict)
    """Written by services only, never by the user."""
    factors: list[_Factor] = Field(default_factory=list)

    @property
    def has_second_factor(self) -> bool:
        return any(factor.status == "verified" for factor in self.factors)


class _SignedIn(BaseModel):
    access_token: str
    user: AuthUser


class CallersAuth(httpx.Auth):
    """The service's key, beside the caller's own token where the request carries one."""

    def __init__(self, current_key: Callable[[], str]) -> None:
        self._key = KeyAuth(current_key)

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        own = request.headers.get("authorization")
        flow = self._key.auth_flow(request)
        signed = next(flow)
        if own is not None:
            signed.headers["authorization"] = own
        yield signed


class AuthUsers:
    """Over an open client for `{url}/auth/v1/` with CallersAuth. Raises StoreUnavailableError without an answer."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def sign_in(self, email: str, password: str) -> AuthUser | None:
        """Checks a password. The session this opens is closed at once: nobody is to have its tokens."""
        body = {"email": email, "password": password}
        answer = await self._ask("POST", "token?grant_type=password", json=body)
        if answer is None:
            return None
        signed_in = _parse(_SignedIn, answer)
        await self._ask("POST", "logout?scope=local", headers=_bearer(signed_in.access_token))
        return signed_in.user

    async def user_of(self, access_token: str) -> AuthUser | None:
        """Whose token it is, as Auth itself says."""
        answer = await self._ask("GET", "user", headers=_bearer(access_token))
        return None if answer is None else _parse(AuthUser, answer)

    async def user(self, user_id: str) -> AuthUser | None:
        answer = await self._ask("GET", f"admin/users/{user_id}")
        return None if answer is None else _parse(AuthUser, answer)

    async def _ask(self, method: str, path: str, **more: Any) -> bytes | None:
        """The answer; None where it is no."""
        try:
            response = await self._client.request(method, path, **more)
        except (httpx.HTTPError, OSError) as error:  # OSError: the file with the key
            raise StoreUnavailableError(f"auth: {type(error).__name__}") from error
        if response.status_code >= 500 or response.status_code == 429:
            raise StoreUnavailableError(f"auth: HTTP {response.status_code}")
        return response.content if response.is_success else None


def _parse(model: type[_Model], answer: bytes) -> _Model:
    try:
        return model.model_validate_json(answer)
    except ValidationError as error:
        raise StoreUnavailableError("auth: unexpected answer") from error


def _bearer(access_token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {access_token}"}
