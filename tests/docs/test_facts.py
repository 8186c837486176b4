"""What pages name exists: files, links of the README, error codes, log lines, alerts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.databases import MIGRATIONS, ROOT
from tests.docs.pages import DOCS, code_in_lines, name_of, pages

LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")
OURS = re.compile(r"^(?:benchmarks|docs|examples|src|supabase|tests)/[\w./*-]+$")
RAISED = re.compile(r'(?:PermanentError|RetryableError|DeferredError|Failed)\(\s*"([a-z_]+)"')
IN_SQL = re.compile(r"'code', '([a-z_]+)', 'message'")
LOGGED = re.compile(r'logger\.\w+\(\s*"([^"]+)"')
QUESTION = re.compile(r'^".*"$', re.MULTILINE)
ALERT = re.compile(r"^\s*- alert: (\w+)$", re.MULTILINE)

TROUBLESHOOTING = (DOCS / "troubleshooting.md").read_text(encoding="utf-8")
RUNBOOK = (DOCS / "runbook.md").read_text(encoding="utf-8")
# Said at a terminal, or how attempts end that go on anyway.
OF_NO_JOB = {"option_not_used", "unknown_type", "deferred"}


def sources(*packages: str) -> str:
    files = [file for package in packages for file in sorted((ROOT / "src" / package).rglob("*.py"))]
    return "\n".join(file.read_text(encoding="utf-8") for file in files)


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_files_that_a_page_names_exist(page: Path) -> None:
    named = [code for _, code in code_in_lines(page) if OURS.match(code)]
    missing = [path for path in named if not any(ROOT.glob(path.rstrip("/")))]
    assert missing == []


def test_links_of_the_readme_lead_somewhere() -> None:
    linked = LINK.findall((ROOT / "README.md").read_text(encoding="utf-8"))
    assert linked
    assert [path for path in linked if not (ROOT / path).exists()] == []


def test_troubleshooting_knows_every_code_that_a_job_can_fail_with() -> None:
    raised = set(RAISED.findall(sources("analysis_worker", "maxnutrition")))
    for migration in MIGRATIONS.glob("*.sql"):
        raised |= set(IN_SQL.findall(migration.read_text(encoding="utf-8")))
    assert {code for code in raised - OF_NO_JOB if f"`{code}`" not in TROUBLESHOOTING} == set()


def test_log_lines_that_troubleshooting_names_are_written() -> None:
    named = re.findall(r"log `([^`=]+?)(?: state=\w+)?`", TROUBLESHOOTING)
    assert named
    assert set(named) <= set(LOGGED.findall(sources("analysis_worker")))


def test_the_runbook_has_something_for_every_alert() -> None:
    alerts = ALERT.findall((ROOT / "examples" / "monitoring" / "alerts.yml").read_text(encoding="utf-8"))
    assert alerts
    assert [alert for alert in alerts if alert not in RUNBOOK] == []


def test_the_faq_quotes_what_the_app_says() -> None:
    components = (ROOT / "examples" / "frontend" / "src" / "components" / "texts.ts").read_text(encoding="utf-8")
    said = components + sources("maxnutrition")
    lines = QUESTION.findall((DOCS / "faq.md").read_text(encoding="utf-8"))
    quoted = [text for line in lines for text in re.findall(r'"([^"]+)"', line)]
    assert quoted
    assert [text for text in quoted if text not in said] == []
