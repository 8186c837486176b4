"""A day of an app that is doing well but for one provider, and a dashboard in front of it as its own program."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from playwright.sync_api import Page, expect

from supabase_local.directory import StackVariables
from tests.processes import Playground

TOKEN = "operator-token-of-the-scene"
Connection = psycopg.Connection[Any]


def set_scene(database: Connection) -> str:
    """Returns the id of the job that tells most."""
    database.execute(Path(__file__).with_name("scene.sql").read_bytes())
    row = database.execute("select id::text from public.analysis_jobs where attempt = 3").fetchone()
    assert row is not None
    return str(row[0])


def strike_scene(database: Connection) -> None:
    database.execute("truncate public.analysis_jobs, public.analysis_workers, public.analysis_audit cascade")
    database.execute("update public.analysis_types set concurrency = null, paused = false")


@contextmanager
def running_dashboard(stack: StackVariables, directory: Path) -> Iterator[str]:
    """Its address."""
    variables = {
        "SUPABASE_URL": stack.api_url,
        "SUPABASE_SECRET_KEY": stack.secret_key,
        "ANALYSIS_DASHBOARD_TOKEN": TOKEN,
    }
    with Playground(directory).started("dashboard", "--port", "0", **variables) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()


def sign_in(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_label("Token", exact=True).fill(TOKEN)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
