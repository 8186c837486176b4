"""Sessions: opened by a sign-in, kept by rotating refresh tokens, ended by a sign-out or by a stolen token's reuse."""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from psycopg.rows import class_row

from supabase_local.auth.errors import AuthError
from supabase_local.auth.users import Connection, User, note_sign_in
from supabase_local.keys import sign

LIFETIME_S = 3600
_REUSE_INTERVAL_S = 10

SignInMethod = Literal["password", "anonymous"]
SignOutScope = Literal["global", "local", "others"]


@dataclass(frozen=True, slots=True)
class Session:
    """An open session and the one refresh token that is valid in it."""

    id: UUID
    user_id: UUID
    method: SignInMethod
    created_at: datetime
    refresh_token: str


@dataclass(frozen=True, slots=True)
class _Presented:
    session_id: UUID
    revoked: bool
    fresh: bool


async def open_session(connection: Connection, user_id: UUID, method: SignInMethod) -> tuple[User, Session]:
    user = await note_sign_in(connection, user_id)
    if user is None:
        raise AuthError(404, "user_not_found", "User not found")
    row = await (
        await connection.execute(
            "insert into auth.sessions (user_id, method) values (%s, %s) returning id", (user_id, method)
        )
    ).fetchone()
    assert row is not None
    await _add_token(connection, row[0], parent=None)
    return user, await _current(connection, row[0])


async def rotate(connection: Connection, token: str) -> Session | None:
    """The session with a new refresh token; None where `token` was stolen or replayed, and the session is closed.

    A token whose successor the client may never have received (it was the last one, or it was used a moment ago)
    gets that successor again. Commit either way: the closing must be stored.
    """
    async with connection.cursor(row_factory=class_row(_Presented)) as cursor:
        await cursor.execute(
            "select t.session_id, t.revoked, t.updated_at > now() - make_interval(secs => %s) as fresh"
            " from auth.refresh_tokens t join auth.sessions s on s.id = t.session_id where t.token = %s for update",
            (_REUSE_INTERVAL_S, token),
        )
        presented = await cursor.fetchone()
    if presented is None:
        raise AuthError(400, "refresh_token_not_found", "Invalid Refresh Token: Refresh Token Not Found")
    if not presented.revoked:
        await connection.execute(
            "update auth.refresh_tokens set revoked = true, updated_at = now() where token = %s", (token,)
        )
        await _add_token(connection, presented.session_id, parent=token)
    elif not presented.fresh and not await _is_parent(connection, presented.session_id, token):
        await connection.execute("delete from auth.sessions where id = %s", (presented.session_id,))
        return None
    return await _current(connection, presented.session_id)


async def close_sessions(connection: Connection, user_id: UUID, session_id: UUID | None, scope: SignOutScope) -> None:
    """Without a `session_id` every scope means all of the user's sessions."""
    await connection.execute(
        "delete from auth.sessions where user_id = %(user)s and case %(scope)s"
        " when 'local' then id = %(session)s when 'others' then id <> %(session)s else true end",
        {"user": user_id, "session": session_id, "scope": scope if session_id else "global"},
    )


async def session_is_open(connection: Connection, session_id: UUID) -> bool:
    cursor = await connection.execute("select 1 from auth.sessions where id = %s", (session_id,))
    return await cursor.fetchone() is not None


def session_json(user: User, session: Session, now: int, secret: str, issuer: str) -> dict[str, Any]:
    """What a client gets for a sign-in or a refresh; `now` is in seconds since the epoch."""
    return {
        "access_token": sign(_claims(user, session, now, issuer), secret),
        "token_type": "bearer",
        "expires_in": LIFETIME_S,
        "expires_at": now + LIFETIME_S,
        "refresh_token": session.refresh_token,
        "user": user.to_json(),
    }


def _claims(user: User, session: Session, now: int, issuer: str) -> dict[str, Any]:
    return {
        "iss": issuer,
        "sub": str(user.id),
        "aud": user.aud,
        "exp": now + LIFETIME_S,
        "iat": now,
        "email": user.email or "",
        "phone": "",
        "app_metadata": user.app_metadata,
        "user_metadata": user.user_metadata,
        "role": user.role,
        "aal": "aal1",
        "amr": [{"method": session.method, "timestamp": int(session.created_at.timestamp())}],
        "session_id": str(session.id),
        "is_anonymous": user.is_anonymous,
    }


async def _add_token(connection: Connection, session_id: UUID, parent: str | None) -> None:
    token = base64.b32encode(secrets.token_bytes(8)).decode()[:12].lower()
    await connection.execute(
        "insert into auth.refresh_tokens (token, session_id, parent) values (%s, %s, %s)", (token, session_id, parent)
    )


async def _is_parent(connection: Connection, session_id: UUID, token: str) -> bool:
    cursor = await connection.execute(
        "select 1 from auth.refresh_tokens where session_id = %s and parent = %s and not revoked", (session_id, token)
    )
    return await cursor.fetchone() is not None


async def _current(connection: Connection, session_id: UUID) -> Session:
    async with connection.cursor(row_factory=class_row(Session)) as cursor:
        await cursor.execute(
            "select s.id, s.user_id, s.method, s.created_at, t.token as refresh_token"
            " from auth.sessions s join auth.refresh_tokens t on t.session_id = s.id"
            " where s.id = %s and not t.revoked",
            (session_id,),
        )
        session = await cursor.fetchone()
    assert session is not None, "an open session always has one valid token"
    return session
