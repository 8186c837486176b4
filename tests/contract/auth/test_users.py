"""Users change themselves; the service role changes anybody."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.contract.auth.client import Auth, bearer, code

pytestmark = pytest.mark.anyio

NOBODY = "00000000-0000-4000-8000-000000000000"


async def change(auth: Auth, session: dict[str, Any], body: dict[str, Any]) -> httpx.Response:
    return await auth.http.put("/user", json=body, headers=bearer(session["access_token"]))


async def admin(auth: Auth, method: str, path: str = "", **options: Any) -> httpx.Response:
    return await auth.http.request(method, f"/admin/users{path}", headers=bearer(auth.keys.service_role_key), **options)


async def test_metadata_is_merged_and_a_null_removes_its_key(auth: Auth) -> None:
    session = (await auth.http.post("/signup", json={"data": {"a": 1, "b": 2}})).json()

    answer = await change(auth, session, {"data": {"b": None, "c": 3}})

    assert answer.json()["user_metadata"] == {"a": 1, "c": 3}


async def test_an_anonymous_user_becomes_permanent_with_an_address(auth: Auth) -> None:
    session = (await auth.http.post("/signup", json={})).json()

    answer = await change(auth, session, {"email": "Ana@example.com", "password": "segredo1"})

    assert (answer.json()["is_anonymous"], answer.json()["email"]) == (False, "ana@example.com")
    assert (await auth.sign_in()).json()["user"]["id"] == session["user"]["id"]


async def test_an_anonymous_user_cannot_have_a_password_alone(auth: Auth) -> None:
    session = (await auth.http.post("/signup", json={})).json()

    assert code(await change(auth, session, {"password": "segredo1"})) == (422, "validation_failed")


async def test_a_new_password_replaces_the_old_one(auth: Auth) -> None:
    session = await auth.sign_up()
    assert code(await change(auth, session, {"password": "segredo1"})) == (422, "same_password")

    assert (await change(auth, session, {"password": "segredo2"})).status_code == 200

    assert code(await auth.sign_in(password="segredo1")) == (400, "invalid_credentials")
    assert (await auth.sign_in(password="segredo2")).status_code == 200


async def test_nobody_takes_an_address_that_is_taken(auth: Auth) -> None:
    await auth.sign_up("ana@example.com")
    session = await auth.sign_up("bia@example.com")

    assert code(await change(auth, session, {"email": "ana@example.com"})) == (422, "email_exists")


async def test_nobody_changes_their_own_app_metadata(auth: Auth) -> None:
    session = await auth.sign_up()

    assert code(await change(auth, session, {"app_metadata": {"role": "king"}})) == (403, "not_admin")


async def test_only_the_service_role_administers(auth: Auth) -> None:
    session = await auth.sign_up()

    assert code(await auth.http.get("/admin/users")) == (401, "no_authorization")
    for token in (session["access_token"], auth.keys.anon_key):
        assert code(await auth.http.get("/admin/users", headers=bearer(token))) == (403, "not_admin")


async def test_an_administered_user_signs_in_once_confirmed(auth: Auth) -> None:
    body = {"email": "ana@example.com", "password": "segredo1", "app_metadata": {"plan": "pro"}}
    user = (await admin(auth, "POST", json=body)).json()
    assert user["app_metadata"] == {"plan": "pro", "provider": "email", "providers": ["email"]}
    assert "email_confirmed_at" not in user
    assert code(await auth.sign_in()) == (400, "email_not_confirmed")

    await admin(auth, "PUT", f"/{user['id']}", json={"email_confirm": True, "user_metadata": {"n": 1}})

    assert (await auth.sign_in()).json()["user"]["user_metadata"] == {"n": 1}


async def test_an_administrator_is_told_what_is_wrong(auth: Auth) -> None:
    await auth.sign_up()
    taken = await admin(auth, "POST", json={"email": "ana@example.com", "password": "segredo1"})
    assert code(taken) == (422, "email_exists")
    assert code(await admin(auth, "POST", json={"password": "segredo1"})) == (400, "validation_failed")
    assert code(await admin(auth, "GET", "/7")) == (404, "validation_failed")
    for method in ("GET", "PUT", "DELETE"):
        assert code(await admin(auth, method, f"/{NOBODY}", json={})) == (404, "user_not_found")
    assert code(await admin(auth, "GET", params={"page": "0"})) == (400, "validation_failed")


async def test_users_are_listed_in_pages_newest_first(auth: Auth) -> None:
    ids = [(await auth.sign_up(f"{name}@example.com"))["user"]["id"] for name in "abc"]

    first = await admin(auth, "GET", params={"page": "", "per_page": "2"})
    second = await admin(auth, "GET", params={"page": "2", "per_page": "2"})

    assert [user["id"] for user in first.json()["users"]] == [ids[2], ids[1]]
    assert [user["id"] for user in second.json()["users"]] == [ids[0]]
    assert (first.headers["x-total-count"], first.json()["aud"]) == ("3", "authenticated")


async def test_a_deleted_user_is_gone_with_the_sessions(auth: Auth) -> None:
    session = await auth.sign_up()

    answer = await admin(auth, "DELETE", f"/{session['user']['id']}", json={"should_soft_delete": False})

    assert (answer.status_code, answer.json()) == (200, {})
    assert code(await auth.sign_in()) == (400, "invalid_credentials")
    assert code(await auth.refresh(session["refresh_token"])) == (400, "refresh_token_not_found")
