"""The pictures of docs/dashboard.md, taken of a scene on a stack of their own.

uv run python -m tests.e2e.dashboard.pictures
"""

from __future__ import annotations

import tempfile
from io import BytesIO
from pathlib import Path
from typing import Literal

import psycopg
from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.databases import ROOT
from tests.e2e.dashboard.scene import running_dashboard, set_scene, sign_in
from tests.e2e.frontend.stage import CHROMIUM_FLAGS, find_chromium
from tests.stacks import running_stack

PICTURES = ROOT / "docs" / "images"
_COLOURS = 96
Scheme = Literal["light", "dark"]


def take_pictures(browser: Browser, address: str, job_id: str) -> None:
    light, dark = enter(browser, address, "light"), enter(browser, address, "dark")
    take(light, address, "overview")
    take(light, f"{address}jobs?status=failed", "jobs", whole=False)
    take(light, f"{address}jobs/{job_id}", "job")
    take(light, f"{address}types", "types")
    take(light, f"{address}types/sofia_image/pause", "pause", whole=False, height=420)
    take(light, f"{address}costs?window=7d", "costs", whole=False)
    take(dark, address, "overview-dark")


def enter(browser: Browser, address: str, scheme: Scheme) -> Page:
    page = browser.new_context(viewport={"width": 1180, "height": 760}, color_scheme=scheme).new_page()
    sign_in(page, address)
    return page


def take(page: Page, address: str, name: str, *, whole: bool = True, height: int = 760) -> None:
    page.set_viewport_size({"width": 1180, "height": height})
    page.goto(address)
    if page.locator("#pulse").count():
        expect(page.locator("#pulse")).to_contain_text("Live")
    with Image.open(BytesIO(page.screenshot(full_page=whole))) as image:
        image.convert("RGB").quantize(_COLOURS).save(PICTURES / f"dashboard-{name}.png", optimize=True)


def write_pictures() -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as directory,
        running_stack() as stack,
        psycopg.connect(stack.db_url, autocommit=True) as database,
    ):
        job_id = set_scene(database)
        database.execute(
            "update public.analysis_health set healthy = true, why = null, checked_at = now() + interval '0 s'"
        )
        with (
            running_dashboard(stack, Path(directory)) as address,
            sync_playwright() as playwright,
            playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_FLAGS) as browser,
        ):
            take_pictures(browser, address, job_id)


if __name__ == "__main__":
    write_pictures()
