"""New users: what they get, and who is refused."""

from __future__ import annotations

import psycopg
import pytest

from supabase_local.auth.passwords import password_matches
from tests.contract.auth.client import Auth

pytestmark = pytest.mark.anyio

SESSION_KEYS = {"access_token", "token_type", "expires_in", "expires_at", "refresh_token", "user"}


async def test_an_anonymous_sign_up_is_a_signed_in_user_without_an_identity(auth: Auth) -> None:
    answer = await auth.http.post("/signup", json={"data": {"plan": "free"}})

    assert answer.status_code == 200
    session = answer.json()
    assert set(session) == SESSION_KEYS
    assert (session["token_type"], session["expires_in"]) == ("bearer", 3600)
    user = session["user"]
    assert (user["is_anonymous"], user["email"], user["role"], user["aud"]) == (True, "", *["authenticated"] * 2)
    assert (user["identities"], user["app_metadata"], user["user_metadata"]) == ([], {}, {"plan": "free"})


async def test_an_access_token_carries_what_policies_read(auth: Auth) -> None:
    session = await auth.sign_up()

    claims = auth.claims(session["access_token"])
    method = claims.pop("amr")[0]["method"]
    issued_at, session_id = claims.pop("iat"), claims.pop("session_id")
    assert claims == {
        "iss": "http://127.0.0.1/auth/v1",
        "sub": session["user"]["id"],
        "aud": "authenticated",
        "role": "authenticated",
        "exp": issued_at + 3600,
        "email": "ana@example.com",
        "phone": "",
        "aal": "aal1",
        "is_anonymous": False,
        "app_metadata": {"provider": "email", "providers": ["email"]},
        "user_metadata": session["user"]["user_metadata"],
    }
    assert (method, len(session_id), session["expires_at"]) == ("password", 36, claims["exp"])


async def test_an_anonymous_token_says_so(auth: Auth) -> None:
    session = (await auth.http.post("/signup", json={})).json()

    claims = auth.claims(session["access_token"])
    assert (claims["is_anonymous"], claims["amr"][0]["method"]) == (True, "anonymous")


async def test_a_password_is_stored_as_a_hash_only(auth: Auth) -> None:
    await auth.sign_up(password="segredo1")

    with psycopg.connect(auth.database_url) as connection:
        row = connection.execute("select u::text, encrypted_password from auth.users u").fetchone()
    assert row is not None
    assert "segredo1" not in row[0]
    assert password_matches("segredo1", row[1])
    assert not password_matches("segredo2", row[1])


async def test_an_address_is_taken_whatever_its_case(auth: Auth) -> None:
    await auth.sign_up("ana@example.com")

    answer = await auth.http.post("/signup", json={"email": "ANA@example.com", "password": "segredo1"})

    assert answer.status_code == 422
    assert answer.json() == {"code": 422, "error_code": "user_already_exists", "msg": "User already registered"}


async def test_the_newer_api_version_names_the_error_in_code(auth: Auth) -> None:
    await auth.sign_up()
    headers = {"X-Supabase-Api-Version": "2024-01-01"}

    answer = await auth.http.post("/signup", json={"email": "ana@example.com", "password": "x" * 8}, headers=headers)

    assert answer.json() == {"code": "user_already_exists", "message": "User already registered"}
    assert answer.headers["x-supabase-api-version"] == "2024-01-01"
    assert answer.headers["x-sb-error-code"] == "user_already_exists"


async def test_a_short_password_is_weak(auth: Auth) -> None:
    answer = await auth.http.post("/signup", json={"email": "ana@example.com", "password": "12345"})

    assert answer.status_code == 422
    assert answer.json() == {
        "code": 422,
        "error_code": "weak_password",
        "msg": "Password should be at least 6 characters.",
        "weak_password": {"reasons": ["length"]},
    }


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"email": "ana@example.com"}, "Signup requires a valid password"),
        ({"email": "ana", "password": "segredo1"}, "Unable to validate email address: invalid format"),
        ({"email": "a@b c.de", "password": "segredo1"}, "Unable to validate email address: invalid format"),
        ({"email": f"{'a' * 250}@b.com", "password": "segredo1"}, "An email address is too long"),
        ({"email": "ana@example.com", "password": "x" * 73}, "Password cannot be longer than 72 characters"),
    ],
)
async def test_a_sign_up_that_makes_no_sense_fails_validation(auth: Auth, body: dict[str, str], message: str) -> None:
    answer = await auth.http.post("/signup", json=body)

    assert answer.status_code == 400
    assert answer.json() == {"code": 400, "error_code": "validation_failed", "msg": message}


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"email": 7}'])
async def test_a_body_that_is_no_json_object_is_bad_json(auth: Auth, body: bytes) -> None:
    answer = await auth.http.post("/signup", content=body)

    assert (answer.status_code, answer.json()["error_code"]) == (400, "bad_json")


async def test_a_body_over_one_megabyte_is_too_large(auth: Auth) -> None:
    answer = await auth.http.post("/signup", json={"data": {"x": "y" * 1024 * 1024}})

    assert (answer.status_code, answer.json()["error_code"]) == (413, "request_entity_too_large")


async def test_settings_and_health_need_nobody(auth: Auth) -> None:
    settings = (await auth.http.get("/settings")).json()
    assert settings["external"] == {"anonymous_users": True, "email": True, "phone": False}
    assert (await auth.http.get("/health")).json()["name"] == "GoTrue"
