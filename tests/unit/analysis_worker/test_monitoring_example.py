"""The alerts, the dashboard and the page about them speak of metrics that a worker has."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Collection, Iterator
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from typer.testing import CliRunner

from analysis_worker.adapters.prometheus import PrometheusMeters
from analysis_worker.adapters.queue_numbers import QueueNumbers
from analysis_worker.cli import alerts_rules
from analysis_worker.cli.commands import _OPERATIONS, _OWN, build
from analysis_worker.metrics import Instrument, Meters, WorkerMetrics, offering
from tests.databases import ROOT

MONITORING = ROOT / "examples" / "monitoring"
PAGE = ROOT / "docs" / "monitoring.md"
_NAME = re.compile(r"\b(?:analysis|process|python)_[a-z0-9_]+\b(?!\()")
_LABELS = re.compile(r'([a-z_]+)\s*(?:=~|!~|!=|=)\s*"')
_GROUPS = re.compile(r"\b(?:by|on) \(([a-z_, ]+)\)")


class Noting(Meters):
    """Remembers which series there will be, each with its labels."""

    def __init__(self) -> None:
        self.series: dict[str, set[str]] = {}

    def counter(self, name: str, description: str, labels: Collection[str] = ()) -> Instrument:
        del description
        return self._note([f"{name}_total"], labels)

    def gauge(self, name: str, description: str, labels: Collection[str] = ()) -> Instrument:
        del description
        return self._note([name], labels)

    def histogram(self, name: str, description: str, labels: Collection[str] = ()) -> Instrument:
        del description
        self._note([f"{name}_bucket"], [*labels, "le"])
        return self._note([f"{name}_sum", f"{name}_count"], labels)

    def _note(self, names: Collection[str], labels: Collection[str]) -> Instrument:
        self.series |= {name: {*labels, "instance"} for name in names}
        return Instrument()


def fill(meters: Meters) -> None:
    """With everything a worker measures; the same that a worker with a port does."""
    WorkerMetrics(meters)
    QueueNumbers(httpx.AsyncClient(), meters, lambda: 0.0)


@pytest.fixture(scope="module")
def series() -> dict[str, set[str]]:
    noting = Noting()
    fill(noting)
    noting.gauge("analysis_worker_info", ".", ["version"])
    families = text_string_to_metric_families(PrometheusMeters().render().decode())
    of_the_process = {s.name: {*s.labels, "instance"} for f in families for s in f.samples if s.name.startswith("p")}
    return noting.series | of_the_process


def test_what_is_noted_here_is_what_a_worker_exports() -> None:
    noting, meters = Noting(), PrometheusMeters()
    fill(noting)
    fill(meters)
    noted = {re.sub(r"_(total|bucket|sum|count)$", "", name) for name in noting.series}
    families = {family.name for family in text_string_to_metric_families(meters.render().decode())}
    exported = {name for name in families if name.startswith("analysis_") and not name.endswith("_created")}
    assert exported == noted | {"analysis_worker_info"}


def check(query: str, series: dict[str, set[str]]) -> None:
    names = set(_NAME.findall(query))
    assert names, query
    assert names <= series.keys(), query
    used = set(_LABELS.findall(query)) | {label for group in _GROUPS.findall(query) for label in group.split(", ")}
    assert used <= set.union(*(series[name] for name in names)), query


def rules() -> Iterator[tuple[str, str]]:
    text = (MONITORING / "alerts.yml").read_text()
    yield from re.findall(r"- alert: (\w+)\n(?: *#.*\n)? *expr: (.*)\n", text)


def queries() -> Iterator[str]:
    dashboard: dict[str, Any] = json.loads((MONITORING / "dashboard.json").read_text())
    for panel in dashboard["panels"]:
        yield from (target["expr"] for target in panel.get("targets", []))
    for variable in dashboard["templating"]["list"]:
        yield from [variable["definition"]] if variable["type"] == "query" else []


def test_every_alert_is_about_metrics_that_exist(series: dict[str, set[str]]) -> None:
    found = dict(rules())
    assert len(found) == (MONITORING / "alerts.yml").read_text().count("- alert:") == 15
    for query in found.values():
        check(query, series)


def test_every_panel_of_the_dashboard_asks_for_metrics_that_exist(series: dict[str, set[str]]) -> None:
    found = list(queries())
    assert len(found) > 30
    for query in found:
        check(query.replace("label_values(analysis_queue_jobs, type)", "analysis_queue_jobs"), series)


def test_every_metric_of_ours_is_on_the_dashboard_or_in_an_alert(series: dict[str, set[str]]) -> None:
    told = set(_NAME.findall(" ".join([*queries(), *dict(rules()).values()])))
    ours = {name for name in series if name.startswith("analysis_") and not name.endswith(("_sum", "_count"))}
    assert ours - told == {"analysis_worker_draining"}


def test_the_page_lists_every_metric_with_its_labels(series: dict[str, set[str]]) -> None:
    rows = re.findall(r"^\| `(analysis_\w+)` \| ([a-z, ]*)\|", PAGE.read_text(), re.MULTILINE)
    listed = {name: set(filter(None, labels.strip().split(", "))) for name, labels in rows}
    wanted = {
        name.removesuffix("_count"): labels - {"instance"}
        for name, labels in series.items()
        if name.startswith("analysis_") and not name.endswith(("_sum", "_bucket"))
    }
    assert listed == wanted


def test_the_command_and_prometheus_alert_alike() -> None:
    found = dict(rules())
    severities = dict(re.findall(r"- alert: (\w+)\n(?:.*\n){2,4}? *labels: \{severity: (\w+)\}", text_of_rules()))
    for name, threshold, severity in [
        ("AnalysisQueueLong", alerts_rules.QUEUE_LENGTH, "warning"),
        ("AnalysisErrorRateHigh", alerts_rules.ERROR_RATE, "critical"),
        ("AnalysisLatencyHigh", alerts_rules.LATENCY_SECONDS, "warning"),
        ("AnalysisOldestJobWaits", alerts_rules.WAIT_SECONDS, "warning"),
        ("AnalysisQueueStuck", alerts_rules.WINDOW_SECONDS, "critical"),
    ]:
        assert re.search(rf"> {threshold}\b", found[name]), name
        assert severities[name] == severity
    assert f">= {alerts_rules.MIN_ATTEMPTS}" in found["AnalysisErrorRateHigh"]
    assert (severities["AnalysisWorkerOffline"], alerts_rules.OFFLINE_SECONDS) == ("critical", 5 * 60)
    listed = re.findall(r"^\| (Analysis\w+) \|.*\| (warning|critical) \|$", PAGE.read_text(), re.MULTILINE)
    assert listed == [(name, severities[name]) for name in list(found)[:6]]


def commands() -> list[tuple[str, list[str]]]:
    rows = re.findall(r"^\| (`[a-z][^|]*) \|", PAGE.read_text().partition("## Commands")[2], re.MULTILINE)
    quoted = [text for row in rows for text in re.findall(r"`([^`]+)`", row)]
    return [(text.split()[0], re.findall(r"--[a-z-]+", text)) for text in quoted]


@pytest.mark.parametrize(("name", "options"), commands())
def test_every_command_of_the_page_has_the_options_it_names(name: str, options: list[str]) -> None:
    result = CliRunner().invoke(build(), [name, "--help"], env={"COLUMNS": "200"})
    assert result.exit_code == 0
    for option in [*options, "--json"]:
        assert option in result.stdout


def test_the_page_names_every_command_of_operators() -> None:
    from_flags = {name for name, module in {**_OWN, **_OPERATIONS}.items() if module in {"flags", "run", "local"}}
    assert {name for name, _ in commands()} == {*_OWN, *_OPERATIONS} - from_flags


@pytest.mark.anyio
async def test_the_pages_application_counts() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    names: dict[str, Any] = {"__name__": "page"}
    exec(code, names)  # noqa: S102 - the code of our own page
    meters = PrometheusMeters()
    with offering(meters):
        async with names["app"](None) as handlers:
            assert handlers == []
    assert 'provider_requests_total{outcome="ok",provider="gemini"} 1.0' in meters.render().decode()


def text_of_rules() -> str:
    return (MONITORING / "alerts.yml").read_text()


@pytest.fixture(scope="module")
def promtool() -> str:
    found = shutil.which("promtool")
    if found is None:
        pytest.skip("promtool is not installed (Debian's package prometheus has it)")
    return found


@pytest.mark.parametrize("command", [("check", "rules", "alerts.yml"), ("test", "rules", "alerts_test.yml")])
def test_promtool_passes_the_alerts(promtool: str, command: tuple[str, ...]) -> None:
    run = subprocess.run([promtool, *command], cwd=MONITORING, capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


def test_promtool_would_notice_another_threshold(promtool: str, tmp_path: Any) -> None:
    (tmp_path / "alerts.yml").write_text(text_of_rules().replace("> 50\n", "> 70\n"))
    shutil.copy(MONITORING / "alerts_test.yml", tmp_path)
    command = [promtool, "test", "rules", "alerts_test.yml"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 1
    assert "AnalysisQueueLong" in run.stdout + run.stderr


def test_every_alert_has_a_test_that_it_fires() -> None:
    text = (MONITORING / "alerts_test.yml").read_text()
    firing = set(re.findall(r"exp_samples: \[\{labels: '\{alertname=\"(\w+)\"\}', value: [1-9]", text))
    assert firing == dict(rules()).keys()
