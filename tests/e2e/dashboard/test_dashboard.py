"""An operator in front of the dashboard: signs in, sees what happens without a reload, and steers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from playwright.sync_api import Browser, Page, expect

from supabase_local.directory import StackVariables
from tests.e2e.dashboard.scene import running_dashboard, set_scene, sign_in, strike_scene

Connection = psycopg.Connection[Any]


@pytest.fixture(scope="module")
def address(stack: StackVariables, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_dashboard(stack, tmp_path_factory.mktemp("dashboard")) as address:
        yield address


@pytest.fixture
def database(stack: StackVariables) -> Iterator[Connection]:
    with psycopg.connect(stack.db_url, autocommit=True) as connection:
        yield connection
        strike_scene(connection)


@pytest.fixture
def troubled(database: Connection) -> str:
    return set_scene(database)


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """Signed in. Whatever the browser complains about, as about what the policy forbids, fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page, complaints = context.new_page(), list[str]()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    sign_in(page, address)
    yield page
    context.close()
    assert complaints == []


def status(database: Connection, job_id: str) -> Any:
    row = database.execute("select status from public.analysis_jobs where id = %s", [job_id]).fetchone()
    assert row is not None
    return row[0]


def test_what_happens_is_seen_without_a_reload_and_the_focus_stays(
    page: Page, address: str, troubled: str, database: Connection
) -> None:
    page.goto(f"{address}jobs/{troubled}")
    page.evaluate("window.notReloaded = true")
    retry = page.get_by_role("link", name="Retry")
    retry.focus()
    expect(page.locator("#pulse")).to_contain_text("Live")
    database.execute("update public.analysis_jobs set rescues = 1 where id = %s", [troubled])
    expect(page.locator("#live")).to_contain_text("1 lost with their worker")
    expect(retry).to_be_focused()
    assert page.evaluate("window.notReloaded")


def test_open_numbers_stay_open(page: Page, troubled: str, database: Connection) -> None:
    page.get_by_text("The numbers of both charts").click()
    database.execute("insert into public.analysis_jobs (type, input) values ('dr_vital', '{}')")
    row = page.get_by_role("row", name=re.compile("^dr_vital 1 "))
    expect(row).to_be_visible()
    expect(page.get_by_role("table", name="By time, UTC")).to_be_visible()


def test_a_type_is_paused_after_a_question(page: Page, address: str, database: Connection) -> None:
    page.get_by_role("link", name="Types").first.click()
    page.get_by_role("link", name="Pause sofia_image").click()
    expect(page.locator("main")).to_contain_text("No sofia_image job is enqueued or claimed any more")
    page.get_by_role("link", name="Leave it as it is").click()
    page.get_by_role("link", name="Pause sofia_image").click()
    page.get_by_label("Reason").fill("provider is down")
    page.get_by_role("button", name="Pause the type").click()
    expect(page.get_by_role("status")).to_contain_text("The type is paused")
    expect(page.get_by_role("row", name=re.compile("^sofia_image paused"))).to_be_visible()
    rows = database.execute("select actor, action, details ->> 'reason' from public.analysis_audit").fetchall()
    assert rows == [("service_role dashboard:token", "pause_type", "provider is down")]


def test_a_failed_job_is_found_retried_and_cancelled(
    page: Page, address: str, troubled: str, database: Connection
) -> None:
    page.get_by_role("link", name="All failed jobs").click()
    page.get_by_role("link", name=troubled[:8]).click()
    page.get_by_role("link", name="Retry").click()
    page.get_by_role("button", name="Retry the job").click()
    expect(page.get_by_role("status")).to_contain_text("runs again")
    assert status(database, troubled) == "pending"
    page.get_by_role("link", name="Cancel").click()
    page.get_by_role("button", name="Cancel the job").click()
    expect(page.get_by_role("status")).to_contain_text("cancelled")
    assert status(database, troubled) == "cancelled"


def test_contents_are_shown_after_a_reason_alone(page: Page, address: str, troubled: str) -> None:
    page.goto(f"{address}jobs/{troubled}")
    page.get_by_role("link", name="Contents").click()
    page.get_by_role("button", name="Show the contents").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Show the contents")
    assert page.locator("pre").count() == 0
    page.get_by_label("Reason").fill("the user asked")
    page.get_by_role("button", name="Show the contents").click()
    expect(page.locator("pre").first).to_contain_text("arroz")


def test_it_works_without_a_script(browser: Browser, address: str, troubled: str, database: Connection) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    sign_in(page, address)
    page.get_by_role("link", name="Jobs", exact=True).click()
    page.get_by_label("Status").select_option("failed")
    page.get_by_label("Error code").fill("provider_unavailable")
    page.get_by_role("button", name="Show").click()
    page.get_by_role("link", name="Replay these").click()
    page.get_by_label("How many at most").fill("1")
    page.get_by_role("button", name="Replay jobs").click()
    expect(page.get_by_role("status")).to_contain_text("run again")
    context.close()
    rows = database.execute("select details ->> 'replayed' from public.analysis_audit").fetchall()
    assert rows == [("1",)]


@pytest.mark.parametrize("width", [360, 1280])
def test_no_page_is_wider_than_its_window_and_every_input_has_a_name(
    page: Page, address: str, troubled: str, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    for path in (
        "",
        "jobs",
        f"jobs/{troubled}",
        "types",
        "workers",
        "errors",
        "costs",
        "audit",
        "types/meal_plan/concurrency",
    ):
        page.goto(f"{address}{path}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        nameless = (
            "[...document.querySelectorAll('input:not([type=hidden]), select')].filter(one => !one.labels.length)"
        )
        assert page.evaluate(f"{nameless}.length") == 0, path
        assert page.evaluate("[...document.querySelectorAll('table')].every(one => one.caption)"), path
