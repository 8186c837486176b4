"""Who is let in through the one port, as what, and from which web page."""

from __future__ import annotations

import httpx
import pytest

from supabase_local.directory import StackVariables


def ask(stack: StackVariables, path: str, **headers: str) -> httpx.Response:
    return httpx.get(stack.api_url + path, headers=headers, timeout=20)


@pytest.mark.parametrize("path", ["/rest/v1/analysis_jobs", "/auth/v1/settings", "/realtime/v1/websocket"])
def test_a_service_behind_the_gateway_wants_a_known_api_key(stack: StackVariables, path: str) -> None:
    without, wrong = ask(stack, path), ask(stack, path, apikey="sb_publishable_wrong")

    assert (without.status_code, without.json()) == (401, {"message": "No API key found in request"})
    assert (wrong.status_code, wrong.json()) == (401, {"message": "Invalid authentication credentials"})


def test_an_api_key_may_stand_in_the_query(stack: StackVariables) -> None:
    assert ask(stack, f"/auth/v1/settings?apikey={stack.anon_key}").status_code == 200


def test_an_opaque_key_stands_for_its_role(stack: StackVariables) -> None:
    secret, publishable = stack.secret_key, stack.publishable_key

    def status(**headers: str) -> int:
        return ask(stack, "/auth/v1/admin/users", **headers).status_code

    assert status(apikey=secret) == 200
    assert status(apikey=secret, authorization=f"Bearer {secret}") == 200
    assert status(apikey=publishable) == 403
    assert status(apikey=publishable, authorization=f"Bearer {publishable}") == 403


def test_storage_takes_authorization_alone(stack: StackVariables) -> None:
    by_key = ask(stack, "/storage/v1/bucket", authorization=f"Bearer {stack.secret_key}")
    by_jwt = ask(stack, "/storage/v1/bucket", authorization=f"Bearer {stack.service_role_key}")

    assert [bucket["id"] for bucket in by_key.json()] == ["analysis-inputs"]
    assert by_jwt.json() == by_key.json()
    assert ask(stack, "/storage/v1/bucket").json()["statusCode"] == "400"


def test_every_page_may_call(stack: StackVariables) -> None:
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "apikey,x-upsert"}
    preflight = httpx.options(f"{stack.api_url}/storage/v1/object/a/b", headers=asked)
    refused = ask(stack, "/rest/v1/analysis_jobs", origin="http://localhost:5173")

    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-headers"] == "apikey,x-upsert"
    assert "POST" in preflight.headers["access-control-allow-methods"]
    for answer in (preflight, refused):
        assert answer.headers["access-control-allow-origin"] == "*"
    assert "Content-Range" in refused.headers["access-control-expose-headers"]


def test_a_path_of_no_service_has_no_route(stack: StackVariables) -> None:
    answer = ask(stack, "/graphql/v1", apikey=stack.anon_key)

    assert (answer.status_code, answer.json()) == (404, {"message": "no Route matched with those values"})


def test_readiness_needs_no_key(stack: StackVariables) -> None:
    assert ask(stack, "/health").json() == {"status": "ok"}
