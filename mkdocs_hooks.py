"""What MkDocs asks of us while it builds the site: the parts of the reference that are read from the code itself.

A page says where, with a line that readers of the file understand, too. Nothing is committed, so nothing can be old.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache, partial

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page

from analysis_worker.settings import DashboardSettings, OperatorSettings, Settings
from docs._reference.commands import describe_commands
from docs._reference.http import describe_functions, describe_types
from docs._reference.prompts import describe_prompts
from docs._reference.settings import describe_settings
from docs._reference.sql import Catalog, describe_sql_functions, describe_tables, read_catalog
from maxnutrition.settings import AnalysisSettings
from supabase_local.settings import LocalSettings
from tests.databases import running_databases

_MARK = re.compile(r"^> Read from the code when the site is built, by .*: (\w+)$", re.MULTILINE)


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    del page, config, files
    return _MARK.sub(lambda mark: _PARTS[mark[1]](), markdown)


@cache
def _catalog() -> Catalog:
    with running_databases() as databases:
        return read_catalog(databases.url("migrated"))


_PARTS: Mapping[str, Callable[[], str]] = {
    "commands": describe_commands,
    "worker_settings": partial(describe_settings, Settings),
    "operator_settings": partial(describe_settings, OperatorSettings),
    "dashboard_settings": partial(describe_settings, DashboardSettings),
    "analysis_settings": partial(describe_settings, AnalysisSettings),
    "local_settings": partial(describe_settings, LocalSettings),
    "edge_functions": describe_functions,
    "job_types": describe_types,
    "prompts": describe_prompts,
    "sql_functions": lambda: describe_sql_functions(_catalog()),
    "tables": lambda: describe_tables(_catalog()),
}
