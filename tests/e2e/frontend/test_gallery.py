"""Every state of every component in a browser: nothing serious for axe, nothing in the console, a picture of each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, ViewportSize

from maxnutrition.demo.web import served
from tests.e2e.frontend.gallery import MAX_BYTES, PICTURES, Scheme, open_gallery, read_scenes, show_scene
from tests.e2e.frontend.node import FRONTEND

AXE = FRONTEND / "node_modules" / "axe-core" / "axe.min.js"
RUN_AXE = """async () => {
    const { violations } = await axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"] });
    return violations.map(({ id, impact, nodes }) => ({ id, impact, nodes: nodes.map(({ html, failureSummary }) =>
        `${html}: ${failureSummary}`) }));
}"""
OVER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
PHONE, WINDOW = ViewportSize(width=360, height=740), ViewportSize(width=760, height=900)
SCENES = read_scenes()


@pytest.fixture(scope="module")
def address(pages: Path) -> Iterator[str]:
    with served(pages, {}) as address:
        yield address


@pytest.fixture(scope="module", params=["light", "dark"])
def gallery(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    scheme: Scheme = request.param
    page = open_gallery(browser, scheme)
    yield page
    page.context.close()


def complaints(page: Page) -> Any:
    page.add_script_tag(path=AXE)
    return [found for found in page.evaluate(RUN_AXE) if found["impact"] in {"serious", "critical"}]


@pytest.mark.parametrize("component", sorted({component for component, _ in SCENES}))
def test_a_component_is_for_everybody_in_every_state(gallery: Page, address: str, component: str) -> None:
    errors: list[str] = []
    gallery.on("console", lambda message: errors.append(message.text) if message.type in {"error", "warning"} else None)
    gallery.on("pageerror", lambda error: errors.append(str(error)))
    for state in [state for name, state in SCENES if name == component]:
        show_scene(gallery, address, component, state)
        assert complaints(gallery) == [], state
        for window in (PHONE, WINDOW):
            gallery.set_viewport_size(window)
            assert gallery.evaluate(OVER) == 0, f"{state} does not fit {window['width']} pixels"
    assert errors == []


def test_axe_would_notice(gallery: Page, address: str) -> None:
    show_scene(gallery, address, "FoodAnalysisSystem", "idle")
    gallery.evaluate("for (const label of document.querySelectorAll('label')) label.remove()")
    assert {found["id"] for found in complaints(gallery)} >= {"select-name"}


@pytest.mark.parametrize(("component", "state"), SCENES)
def test_a_state_has_its_picture(component: str, state: str) -> None:
    picture = PICTURES / f"{component}-{state}.webp"
    assert 0 < picture.stat().st_size <= MAX_BYTES
