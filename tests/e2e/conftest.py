"""A browser, for those who drive one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.e2e.frontend.stage import CHROMIUM_FLAGS, find_chromium

expect.set_options(timeout=60_000)  # two cores may have other things to do


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Of one module: while it is open an event loop runs in this thread, where other tests want theirs."""
    executable = find_chromium()
    if executable is None:
        pytest.skip("there is no Chromium on this machine: install one, or name it in CHROMIUM_PATH")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()
