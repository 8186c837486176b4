"""Tokens in signed URLs: each is good for one object and one direction, until it expires."""

from __future__ import annotations

from typing import Any, Literal

from supabase_local.keys import sign
from supabase_local.storage.caller import StorageService, read_token
from supabase_local.storage.errors import StorageError
from supabase_local.storage.objects import ObjectKey
from supabase_local.tokens import TokenError

UPLOAD_LIFETIME_S = 7200
Scope = Literal["download", "upload"]


def download_url(service: StorageService, key: ObjectKey, lifetime_s: int) -> str:
    """Relative to the service and not percent-encoded, as the real one answers; clients encode it."""
    return f"/object/sign/{key}?token={_token(service, key, 'download', lifetime_s)}"


def upload_token(service: StorageService, key: ObjectKey, owner_id: str | None, upsert: bool) -> str:
    return _token(service, key, "upload", UPLOAD_LIFETIME_S, owner=owner_id, upsert=upsert)


def signed_claims(service: StorageService, token: str, key: ObjectKey, scope: Scope) -> dict[str, Any]:
    try:
        claims = read_token(service, token)
    except TokenError as error:
        raise StorageError(400, "InvalidJWT", error.reason) from error
    if claims.get("scope") != scope:
        raise StorageError(400, "InvalidSignature", f"Token is not scoped for {scope}")
    if claims.get("url") != str(key):
        raise StorageError(400, "InvalidSignature", "Invalid signature")
    return claims


def _token(service: StorageService, key: ObjectKey, scope: Scope, lifetime_s: int, **claims: Any) -> str:
    now = int(service.clock())
    return sign({**claims, "url": str(key), "scope": scope, "iat": now, "exp": now + lifetime_s}, service.jwt_secret)
