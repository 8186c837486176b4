"""Who gets into the dashboard, and how it is served: alone, and beside a worker's probes."""

from __future__ import annotations

import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from pydantic import SecretStr

from analysis_worker import ConfigurationError, Settings
from analysis_worker.adapters.supabase_auth import AuthUsers, CallersAuth
from analysis_worker.dashboard.auth import Gate
from analysis_worker.monitoring import open_monitoring
from analysis_worker.settings import DashboardSettings
from supabase_local.directory import StackVariables
from supabase_local.temporary import free_port
from tests.integration.dashboards import OPERATOR, VIEWER, running_dashboard
from tests.processes import Playground

pytestmark = pytest.mark.anyio
PASSWORD = "correct horse battery"


@pytest.fixture
def users(stack: StackVariables) -> Iterator[httpx.Client]:
    """Auth's administration."""
    headers = {"apikey": stack.secret_key}
    with httpx.Client(base_url=f"{stack.api_url}/auth/v1/", headers=headers, trust_env=False) as client:
        yield client
    with psycopg.connect(stack.db_url, autocommit=True) as database:
        database.execute("delete from auth.users")
        database.execute("truncate public.analysis_audit")


def new_user(users: httpx.Client, role: str | None) -> dict[str, Any]:
    user = {"email": f"{uuid4()}@example.com", "password": PASSWORD, "email_confirm": True}
    answer = users.post("admin/users", json=user | {"app_metadata": {"role": role} if role else {}})
    answer.raise_for_status()
    return dict(answer.json())


def access_token(users: httpx.Client, user: dict[str, Any]) -> str:
    answer = users.post("token?grant_type=password", json={"email": user["email"], "password": PASSWORD})
    return str(answer.json()["access_token"])


def change_role(users: httpx.Client, user: dict[str, Any], role: str) -> None:
    users.put(f"admin/users/{user['id']}", json={"app_metadata": {"role": role}}).raise_for_status()


# The door -----------------------------------------------------------------------------------------------------------


async def test_who_is_not_signed_in_sees_a_form_and_nothing_else(stack: StackVariables) -> None:
    async with running_dashboard(stack) as dashboard, dashboard.person() as nobody:
        for path in ("", "jobs", f"jobs/{uuid4()}", "audit", "types/meal_plan/pause"):
            answer = await nobody.get(path)
            assert (answer.status_code, answer.headers["location"]) == (303, "/dashboard/login")
        assert (await nobody.post("types/meal_plan/pause", {})).status_code == 401
        assert (await nobody.get("", authorization="Basic eDp5")).status_code == 401
        form = await nobody.get("login")
        assert "Sign in with a token" in form.text
        assert "Password" not in form.text


async def test_the_cookie_is_kept_from_scripts_other_sites_and_plain_http(stack: StackVariables) -> None:
    async with running_dashboard(stack) as dashboard, dashboard.person() as person:
        plain = await person.sign_in(token=OPERATOR)
        behind_tls = await person.post("login", {"token": OPERATOR}, **{"x-forwarded-proto": "https"})
    for answer in (plain, behind_tls):
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
        assert "Path=/dashboard" in cookie
        assert OPERATOR not in cookie
    assert "Secure" not in plain.headers["set-cookie"]
    assert "Secure" in behind_tls.headers["set-cookie"]


async def test_who_signs_out_is_out(stack: StackVariables) -> None:
    async with running_dashboard(stack) as dashboard, dashboard.person(OPERATOR) as person:
        assert (await person.post("logout", {}, origin="https://evil.example")).status_code == 403
        assert (await person.get("types")).status_code == 200
        assert (await person.post("logout", {})).status_code == 303
        assert (await person.get("types")).status_code == 303


async def test_guessing_is_stopped_for_everybody_of_that_address(stack: StackVariables) -> None:
    async with running_dashboard(stack) as dashboard, dashboard.person() as person, dashboard.person(VIEWER) as inside:
        for _ in range(5):
            assert (await person.sign_in(token="guess")).status_code == 401
        assert (await person.sign_in(token=OPERATOR)).status_code == 429
        assert (await person.get("", authorization=f"Bearer {OPERATOR}")).status_code == 429
        assert (await inside.get("types")).status_code == 200


async def test_nobody_is_signed_in_by_a_foreign_page(stack: StackVariables) -> None:
    async with running_dashboard(stack) as dashboard, dashboard.person() as person:
        answer = await person.post("login", {"token": OPERATOR}, origin="https://evil.example")
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


# Users of Supabase Auth ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("role", "shown"), [("admin", "operator"), ("viewer", "viewer"), ("support", "viewer")])
async def test_users_are_let_in_by_their_role(
    stack: StackVariables, users: httpx.Client, role: str, shown: str
) -> None:
    user = new_user(users, role)
    async with running_dashboard(stack, supabase_auth=True) as dashboard, dashboard.person() as person:
        assert (await person.sign_in(email=user["email"], password=PASSWORD)).status_code == 303
        page = (await person.get("types")).text
    assert user["email"] in page
    assert f'<span class="role">{shown}</span>' in page


@pytest.mark.parametrize("role", [None, "authenticated", "operator"])
async def test_users_without_such_a_role_are_not(stack: StackVariables, users: httpx.Client, role: str | None) -> None:
    user = new_user(users, role)
    async with running_dashboard(stack, supabase_auth=True) as dashboard, dashboard.person() as person:
        assert (await person.sign_in(email=user["email"], password=PASSWORD)).status_code == 401


async def test_neither_a_wrong_password_nor_a_switched_off_way_lets_in(
    stack: StackVariables, users: httpx.Client
) -> None:
    user = new_user(users, "admin")
    async with running_dashboard(stack, supabase_auth=True) as dashboard, dashboard.person() as person:
        assert (await person.sign_in(email=user["email"], password="wrong")).status_code == 401
    async with running_dashboard(stack) as dashboard, dashboard.person() as person:
        assert (await person.sign_in(email=user["email"], password=PASSWORD)).status_code == 401


async def test_signing_in_leaves_no_session_of_the_user_behind(stack: StackVariables, users: httpx.Client) -> None:
    user = new_user(users, "admin")
    async with running_dashboard(stack, supabase_auth=True) as dashboard, dashboard.person() as person:
        await person.sign_in(email=user["email"], password=PASSWORD)
    with psycopg.connect(stack.db_url) as database:
        rows = database.execute("select 1 from auth.sessions where user_id = %s", [user["id"]]).fetchall()
    assert rows == []


async def test_a_users_own_token_is_a_bearer_and_its_action_on_record(
    stack: StackVariables, users: httpx.Client
) -> None:
    user = new_user(users, "admin")
    headers = {"authorization": f"Bearer {access_token(users, user)}"}
    async with running_dashboard(stack, supabase_auth=True) as dashboard, dashboard.person(headers=headers) as program:
        assert (await program.post("types/meal_plan/pause", {}, origin="")).status_code == 303
        assert (await program.post("types/meal_plan/resume", {}, origin="")).status_code == 303
    with psycopg.connect(stack.db_url) as database:
        actors = database.execute("select distinct actor from public.analysis_audit").fetchall()
    assert actors == [(f"service_role dashboard:{user['email']}",)]


async def test_the_projects_keys_are_no_users(stack: StackVariables) -> None:
    async with running_dashboard(stack, supabase_auth=True) as dashboard:
        for key in (stack.anon_key, stack.service_role_key, stack.secret_key):
            async with dashboard.person(headers={"authorization": f"Bearer {key}"}) as program:
                assert (await program.get("types")).status_code == 401


async def test_who_has_lost_the_role_changes_nothing_any_more(stack: StackVariables, users: httpx.Client) -> None:
    user = new_user(users, "admin")
    async with running_dashboard(stack, supabase_auth=True) as dashboard, dashboard.person() as person:
        await person.sign_in(email=user["email"], password=PASSWORD)
        change_role(users, user, "viewer")
        assert (await person.do("types/meal_plan/pause")).status_code == 403
    with psycopg.connect(stack.db_url) as database:
        assert database.execute("select paused from public.analysis_types where type = 'meal_plan'").fetchone() == (
            False,
        )


@pytest.mark.parametrize(("status", "is_let_in"), [("verified", False), ("unverified", True)])
async def test_a_password_does_not_stand_in_for_a_second_factor(status: str, is_let_in: bool) -> None:
    user = {"id": "1", "email": "ana@example.com", "app_metadata": {"role": "admin"}, "factors": [{"status": status}]}

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"access_token": "t", "user": user} if request.url.path == "/token" else user)

    transport = httpx.MockTransport(answer)
    async with httpx.AsyncClient(transport=transport, base_url="http://auth", auth=CallersAuth(lambda: "k")) as client:
        gate = Gate(DashboardSettings(), AuthUsers(client))
        assert (await gate.admit_password("ana@example.com", "x") is not None) is is_let_in
        assert (await gate.admit_bearer("t") is not None) is is_let_in


# On a port ----------------------------------------------------------------------------------------------------------


def worker_settings(stack: StackVariables, port: int) -> Settings:
    return Settings(supabase_url=stack.api_url, supabase_key=SecretStr(stack.secret_key), port=port, dashboard=True)


async def test_a_worker_serves_it_beside_its_probes(stack: StackVariables, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANALYSIS_DASHBOARD_TOKEN", OPERATOR)
    port = free_port()
    async with (
        open_monitoring(worker_settings(stack, port)),
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client,
    ):
        probes = {path: (await client.get(path)).status_code for path in ("/livez", "/startupz", "/readyz")}
        assert probes == {"/livez": 200, "/startupz": 503, "/readyz": 503}
        assert "analysis_queue_up 1" in (await client.get("/metrics")).text
        assert (await client.post("/livez")).status_code == 405
        assert (await client.get("/dashboard/types")).headers["location"] == "/dashboard/login"
        page = await client.get("/dashboard/types", headers={"authorization": f"Bearer {OPERATOR}"})
        assert "meal_plan" in page.text


@pytest.mark.parametrize(
    ("variables", "problem"),
    [
        ({}, "nobody could sign in"),
        ({"ANALYSIS_DASHBOARD_TOKEN": "too-short"}, "ANALYSIS_DASHBOARD_TOKEN: "),
        ({"ANALYSIS_DASHBOARD_TOKEN": OPERATOR, "ANALYSIS_DASHBOARD_VIEWER_TOKEN": OPERATOR}, "must differ"),
    ],
)
async def test_a_worker_does_not_open_it_to_everybody(
    stack: StackVariables, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], problem: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=problem) as refused:
        async with open_monitoring(worker_settings(stack, free_port())):
            raise AssertionError("not reached")
    assert not [value for value in variables.values() if value in str(refused.value)]


def test_it_needs_a_port() -> None:
    with pytest.raises(ValueError, match="ANALYSIS_WORKER_PORT"):
        Settings(supabase_url="http://127.0.0.1:1", supabase_key=SecretStr("key"), dashboard=True)


def program(
    playground: Playground, stack: StackVariables, *arguments: str, **more: str
) -> subprocess.CompletedProcess[str]:
    variables = {"SUPABASE_URL": stack.api_url, "SUPABASE_SECRET_KEY": stack.secret_key} | more
    with playground.started("dashboard", *arguments, **variables) as process:
        output, errors = process.communicate(timeout=60)
    return subprocess.CompletedProcess(process.args, process.returncode, output, errors)


def test_the_command_opens_to_everybody_neither(stack: StackVariables, tmp_path: Path) -> None:
    refused = program(Playground(tmp_path), stack, "--host", "0.0.0.0", "--port", "0")  # noqa: S104
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "set ANALYSIS_DASHBOARD_TOKEN" in refused.stderr


def test_the_command_says_which_port_is_taken(stack: StackVariables, tmp_path: Path) -> None:
    port = httpx.URL(stack.api_url).port
    refused = program(Playground(tmp_path), stack, "--port", str(port), ANALYSIS_DASHBOARD_TOKEN=OPERATOR)
    assert refused.returncode == 2
    assert refused.stderr.startswith(f"error: cannot listen on 127.0.0.1:{port}: ")
    assert refused.stderr.endswith("address already in use\n")


def test_on_this_machine_the_command_makes_a_token_for_one_run(stack: StackVariables, tmp_path: Path) -> None:
    variables = {"SUPABASE_URL": stack.api_url, "SUPABASE_SECRET_KEY": stack.secret_key}
    with Playground(tmp_path).started("dashboard", "--port", "0", **variables) as process:
        assert process.stdout is not None
        printed = [process.stdout.readline() for _ in range(2)]
        token, address = re.findall(
            r"Token for this run: (\S+)\n|(http://127\.0\.0\.1:\d+/dashboard/)\n", "".join(printed)
        )
        headers = {"authorization": f"Bearer {token[0]}"}
        page = httpx.get(f"{address[1]}types", headers=headers, trust_env=False)
        assert "meal_plan" in page.text
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=30)
        assert process.returncode == 0, errors
        assert token[0] not in output + errors
