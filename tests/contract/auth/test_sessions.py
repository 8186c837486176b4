"""Signing in, staying signed in, signing out."""

from __future__ import annotations

import asyncio

import pytest

from tests.contract.auth.client import Auth, bearer, code

pytestmark = pytest.mark.anyio


async def test_the_right_password_opens_a_session(auth: Auth) -> None:
    signed_up = await auth.sign_up()

    answer = await auth.sign_in()

    assert answer.status_code == 200
    assert answer.json()["user"]["id"] == signed_up["user"]["id"]
    assert (await auth.user(answer.json()["access_token"])).json()["email"] == "ana@example.com"


@pytest.mark.parametrize(("email", "password"), [("ana@example.com", "errado12"), ("bia@example.com", "segredo1")])
async def test_a_wrong_password_and_an_unknown_address_look_alike(auth: Auth, email: str, password: str) -> None:
    await auth.sign_up()

    answer = await auth.sign_in(email, password)

    assert answer.status_code == 400
    assert answer.json() == {"code": 400, "error_code": "invalid_credentials", "msg": "Invalid login credentials"}


async def test_a_grant_type_that_nobody_knows_is_refused(auth: Auth) -> None:
    answer = await auth.http.post("/token", params={"grant_type": "magic"}, json={})

    assert (code(answer), answer.json()["msg"]) == ((400, "invalid_credentials"), "unsupported_grant_type")


async def test_a_refresh_gives_a_new_token_of_the_same_session(auth: Auth) -> None:
    before = await auth.sign_up()
    auth.clock.skip_s = 10

    after = (await auth.refresh(before["refresh_token"])).json()

    assert after["refresh_token"] != before["refresh_token"]
    old, new = auth.claims(before["access_token"]), auth.claims(after["access_token"])
    assert (new["session_id"], new["sub"], new["amr"]) == (old["session_id"], old["sub"], old["amr"])
    assert new["exp"] >= old["exp"] + 10


async def test_an_answer_that_was_lost_can_be_asked_for_again(auth: Auth) -> None:
    token = (await auth.sign_up())["refresh_token"]
    first = (await auth.refresh(token)).json()
    auth.execute("update auth.refresh_tokens set updated_at = now() - interval '1 minute'")

    again = (await auth.refresh(token)).json()

    assert again["refresh_token"] == first["refresh_token"]


async def test_refreshes_at_the_same_moment_agree_on_one_successor(auth: Auth) -> None:
    token = (await auth.sign_up())["refresh_token"]

    answers = await asyncio.gather(*(auth.refresh(token) for _ in range(5)))

    assert len({answer.json()["refresh_token"] for answer in answers}) == 1


async def test_reusing_an_old_token_closes_its_session(auth: Auth) -> None:
    stolen = await auth.sign_up()
    current = (await auth.refresh(stolen["refresh_token"])).json()
    current = (await auth.refresh(current["refresh_token"])).json()
    auth.execute("update auth.refresh_tokens set updated_at = now() - interval '1 minute'")

    reused = await auth.refresh(stolen["refresh_token"])

    assert code(reused) == (400, "refresh_token_already_used")
    assert code(await auth.refresh(current["refresh_token"])) == (400, "refresh_token_not_found")
    assert code(await auth.user(current["access_token"])) == (403, "session_not_found")


async def test_an_unknown_refresh_token_is_refused(auth: Auth) -> None:
    assert code(await auth.refresh("abcdefghijkl")) == (400, "refresh_token_not_found")
    assert code(await auth.refresh("")) == (400, "validation_failed")


async def test_the_user_endpoint_wants_a_token_of_a_user(auth: Auth) -> None:
    session = await auth.sign_up()
    assert code(await auth.http.get("/user")) == (401, "no_authorization")
    assert code(await auth.user("no.jwt.here")) == (403, "bad_jwt")
    assert code(await auth.user(session["access_token"][:-3])) == (403, "bad_jwt")
    assert code(await auth.user(auth.keys.anon_key)) == (403, "bad_jwt")


async def test_an_access_token_ends_after_an_hour(auth: Auth) -> None:
    token = (await auth.sign_up())["access_token"]
    auth.clock.skip_s = 3590
    assert (await auth.user(token)).status_code == 200

    auth.clock.skip_s = 3602

    assert code(await auth.user(token)) == (403, "bad_jwt")


async def test_the_token_of_a_deleted_user_is_worth_nothing(auth: Auth) -> None:
    token = (await auth.sign_up())["access_token"]
    auth.execute("delete from auth.users")

    assert code(await auth.user(token)) == (403, "user_not_found")


@pytest.mark.parametrize(("scope", "here", "there"), [("local", 403, 200), ("others", 200, 403), ("global", 403, 403)])
async def test_a_sign_out_ends_the_sessions_of_its_scope(auth: Auth, scope: str, here: int, there: int) -> None:
    other = (await auth.sign_up())["access_token"]
    this = (await auth.sign_in()).json()["access_token"]

    answer = await auth.http.post("/logout", params={"scope": scope}, headers=bearer(this))

    assert (answer.status_code, answer.content) == (204, b"")
    assert (await auth.user(this)).status_code == here
    assert (await auth.user(other)).status_code == there


async def test_a_sign_out_of_an_unknown_scope_is_refused(auth: Auth) -> None:
    token = (await auth.sign_up())["access_token"]

    answer = await auth.http.post("/logout", params={"scope": "planet"}, headers=bearer(token))

    assert code(answer) == (400, "validation_failed")
