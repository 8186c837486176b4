"""Templates and what every page has around it. Whatever comes from outside is escaped."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from analysis_worker.dashboard.formats import FILTERS
from analysis_worker.dashboard.sessions import Identity, Role
from analysis_worker.dashboard.views import Page

BASE = "/dashboard"
NAVIGATION = {
    "/": "Overview",
    "/jobs": "Jobs",
    "/types": "Types",
    "/workers": "Workers",
    "/errors": "Errors",
    "/costs": "Cost",
    "/audit": "Audit",
}


class Templates:
    def __init__(self) -> None:
        self._environment = Environment(
            loader=PackageLoader("analysis_worker.dashboard"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters |= FILTERS
        self._environment.globals |= {"base": BASE, "navigation": NAVIGATION}

    def part(self, page: Page, identity: Identity) -> str:
        """What is replaced while one looks."""
        return self._render(page.template, self._values(page, identity))

    def whole(self, page: Page, identity: Identity, **around: Any) -> str:
        """`around`: form_token, path, note."""
        return self._render("page.html", self._values(page, identity) | {"page": page} | around)

    def bare(self, template: str, **values: Any) -> str:
        """A page for somebody who is not signed in."""
        return self._render(template, values)

    def _values(self, page: Page, identity: Identity) -> dict[str, Any]:
        around = {"identity": identity, "is_operator": identity.role is Role.OPERATOR, "now": datetime.now(UTC)}
        return dict(page.values) | around

    def _render(self, template: str, values: Mapping[str, Any]) -> str:
        return self._environment.get_template(template).render(values)
