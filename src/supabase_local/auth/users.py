"""`auth.users`: rows, and the JSON that clients see of them."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID, uuid5

from psycopg import AsyncConnection, sql
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from supabase_local.auth.errors import AuthError

Connection: TypeAlias = AsyncConnection[Any]

_COLUMNS = sql.SQL(
    "id, aud, role, email, encrypted_password, is_anonymous, raw_app_meta_data as app_metadata,"
    " raw_user_meta_data as user_metadata, email_confirmed_at, last_sign_in_at, created_at, updated_at"
)


@dataclass(frozen=True, slots=True)
class User:
    """A stored row. `encrypted_password` is None for whoever has no password."""

    id: UUID
    aud: str
    role: str
    email: str | None
    encrypted_password: str | None
    is_anonymous: bool
    app_metadata: dict[str, Any]
    user_metadata: dict[str, Any]
    email_confirmed_at: datetime | None
    last_sign_in_at: datetime | None
    created_at: datetime
    updated_at: datetime

    def to_json(self) -> dict[str, Any]:
        confirmed = _timestamp(self.email_confirmed_at)
        optional = {
            "email_confirmed_at": confirmed,
            "confirmed_at": confirmed,
            "last_sign_in_at": _timestamp(self.last_sign_in_at),
        }
        return {
            "id": str(self.id),
            "aud": self.aud,
            "role": self.role,
            "email": self.email or "",
            "phone": "",
            **{name: value for name, value in optional.items() if value is not None},
            "app_metadata": self.app_metadata,
            "user_metadata": self.user_metadata,
            "identities": [self._email_identity()] if self.email else [],
            "created_at": _timestamp(self.created_at),
            "updated_at": _timestamp(self.updated_at),
            "is_anonymous": self.is_anonymous,
        }

    def _email_identity(self) -> dict[str, Any]:
        return {
            "identity_id": str(uuid5(self.id, "email")),
            "id": str(self.id),
            "user_id": str(self.id),
            "identity_data": {"email": self.email, "sub": str(self.id), **_VERIFICATION},
            "provider": "email",
            "last_sign_in_at": _timestamp(self.created_at),
            "created_at": _timestamp(self.created_at),
            "updated_at": _timestamp(self.updated_at),
            "email": self.email,
        }


_VERIFICATION = {"email_verified": False, "phone_verified": False}


@dataclass(frozen=True, slots=True)
class UserChanges:
    """What to store; None leaves a column alone. Metadata is merged, and a null in it removes its key."""

    email: str | None = None
    encrypted_password: str | None = None
    is_anonymous: bool | None = None
    email_confirmed: bool | None = None
    role: str | None = None
    app_metadata: dict[str, Any] = field(default_factory=dict)
    user_metadata: dict[str, Any] = field(default_factory=dict)


async def insert_user(connection: Connection, user_id: UUID, changes: UserChanges) -> User:
    """Store a new user under `user_id`; raises `UniqueViolation` for an e-mail address that is taken."""
    statement = sql.SQL("""
        insert into auth.users (id, email, encrypted_password, is_anonymous, role, email_confirmed_at,
                                raw_app_meta_data, raw_user_meta_data)
        values (%(id)s, %(email)s, %(encrypted_password)s, coalesce(%(is_anonymous)s, false),
                coalesce(%(role)s, 'authenticated'), case when %(email_confirmed)s then now() end,
                jsonb_strip_nulls(%(app_metadata)s), jsonb_strip_nulls(%(user_metadata)s))
        returning {}""").format(_COLUMNS)
    return await _one(connection, statement, user_id, changes)


async def update_user(connection: Connection, user_id: UUID, changes: UserChanges) -> User:
    statement = sql.SQL("""
        update auth.users set
            email = coalesce(%(email)s, email),
            encrypted_password = coalesce(%(encrypted_password)s, encrypted_password),
            is_anonymous = coalesce(%(is_anonymous)s, is_anonymous),
            role = coalesce(%(role)s, role),
            email_confirmed_at = case when %(email_confirmed)s then coalesce(email_confirmed_at, now())
                                      else email_confirmed_at end,
            raw_app_meta_data = jsonb_strip_nulls(raw_app_meta_data || %(app_metadata)s),
            raw_user_meta_data = jsonb_strip_nulls(raw_user_meta_data || %(user_metadata)s),
            updated_at = now()
        where id = %(id)s
        returning {}""").format(_COLUMNS)
    return await _one(connection, statement, user_id, changes)


async def find_user(connection: Connection, user_id: UUID) -> User | None:
    return await _find(connection, sql.SQL("select {} from auth.users where id = %s").format(_COLUMNS), user_id)


async def find_user_by_email(connection: Connection, email: str) -> User | None:
    return await _find(
        connection, sql.SQL("select {} from auth.users where email = %s").format(_COLUMNS), email.lower()
    )


async def list_users(connection: Connection, limit: int, offset: int) -> tuple[list[User], int]:
    """A page of users, newest first, and how many there are."""
    async with connection.cursor(row_factory=class_row(User)) as cursor:
        statement = sql.SQL("select {} from auth.users order by created_at desc, id limit %s offset %s")
        users = await (await cursor.execute(statement.format(_COLUMNS), (limit, offset))).fetchall()
    row = await (await connection.execute("select count(*) from auth.users")).fetchone()
    return users, row[0] if row else 0


async def delete_user(connection: Connection, user_id: UUID) -> bool:
    cursor = await connection.execute("delete from auth.users where id = %s", (user_id,))
    return cursor.rowcount > 0


async def note_sign_in(connection: Connection, user_id: UUID) -> User | None:
    statement = sql.SQL("update auth.users set last_sign_in_at = now() where id = %s returning {}")
    return await _find(connection, statement.format(_COLUMNS), user_id)


def email_taken() -> AuthError:
    message = "A user with this email address has already been registered"
    return AuthError(422, "email_exists", message)


async def _find(connection: Connection, statement: sql.Composed, key: object) -> User | None:
    async with connection.cursor(row_factory=class_row(User)) as cursor:
        return await (await cursor.execute(statement, (key,))).fetchone()


async def _one(connection: Connection, statement: sql.Composed, user_id: UUID, changes: UserChanges) -> User:
    values = asdict(changes) | {
        "id": user_id,
        "app_metadata": Jsonb(changes.app_metadata),
        "user_metadata": Jsonb(changes.user_metadata),
    }
    async with connection.cursor(row_factory=class_row(User)) as cursor:
        user = await (await cursor.execute(statement, values)).fetchone()
    if user is None:
        raise AuthError(404, "user_not_found", "User not found")
    return user


def _timestamp(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")
