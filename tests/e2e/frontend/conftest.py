"""A browser and what stands behind it. Whatever a page writes to its console as an error fails its test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from maxnutrition.demo.web import served
from tests.e2e.frontend.node import install_packages, node
from tests.e2e.frontend.stage import Stage, running_stage


@pytest.fixture(scope="session")
def packages() -> None:
    install_packages()


@pytest.fixture(scope="session")
def pages(packages: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo and the gallery, built as for production."""
    directory = tmp_path_factory.mktemp("pages")
    node("node_modules/vite/bin/vite.js", "build", "--logLevel", "warn", "--emptyOutDir", "--outDir", str(directory))
    return directory


@pytest.fixture(scope="module")
def whole_stage(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with running_stage(tmp_path_factory.mktemp("stage")) as stage:
        yield stage


@pytest.fixture
def stage(whole_stage: Stage) -> Iterator[Stage]:
    """With a worker at work, and nothing broken."""
    whole_stage.worker.start()
    yield whole_stage
    whole_stage.break_realtime(silent=False, refuse=False, freeze=False, close_joins=False)
    whole_stage.database.execute("delete from public.analysis_jobs")


@dataclass(slots=True)
class Visitor:
    """A person with a browser of their own, who is signed in as somebody new."""

    context: BrowserContext
    address: str
    heard: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def open(self, page: str) -> Page:
        tab = self.context.new_page()
        tab.on("pageerror", lambda error: self.errors.append(str(error)))
        tab.on("console", lambda message: self.errors.append(message.text) if message.type == "error" else None)
        tab.on("websocket", lambda socket: socket.on("framereceived", lambda frame: self.heard.append(str(frame))))
        tab.goto(f"{self.address}/#/{page}")
        return tab


Visit = Callable[..., Visitor]


@pytest.fixture
def visit(browser: Browser, pages: Path, stage: Stage) -> Iterator[Visit]:
    """Somebody new; `synchronous` names the types that have a synchronous way, `troubled` expects errors."""
    with ExitStack() as stack:

        def enter(synchronous: tuple[str, ...] = (), *, troubled: bool = False) -> Visitor:
            config = {"url": stage.stack.api_url, "key": stage.stack.anon_key, "synchronous": synchronous}
            context = browser.new_context(locale="pt-BR", viewport={"width": 900, "height": 1100})
            stack.callback(context.close)
            visitor = Visitor(context, stack.enter_context(served(pages, config)))
            if not troubled:
                stack.callback(lambda: _assert_no(visitor.errors))
            return visitor

        yield enter


def _assert_no(errors: list[str]) -> None:
    assert errors == []
