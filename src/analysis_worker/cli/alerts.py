"""`analysis-worker alerts`: the rules of alerting without Prometheus, for cron."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from analysis_worker.adapters.pages import post_json
from analysis_worker.cli.alerts_rules import WINDOW_SECONDS, Alert, Severity, find_alerts
from analysis_worker.cli.operator import EXIT_UNREACHABLE, JsonOption, fail, operations, print_json
from analysis_worker.errors import StoreUnavailableError

EXIT_WARNING = 4
EXIT_CRITICAL = 5


def alerts(
    webhook: Annotated[
        str | None,
        typer.Option(help="POST what is wrong to this URL, as {text, alerts}; Slack and others show the text."),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Say what somebody should look at: a long queue, no worker, failures, slowness. Run it every minute or so.

    Exit codes: 0 nothing, 1 refused by the queue, 2 bad configuration or arguments, 3 no answer (of the queue or the
    webhook), 4 warnings only, 5 something critical.
    """
    with operations() as opened:
        stats = opened.call("queue_stats", {"window_seconds": WINDOW_SECONDS})
        found = find_alerts(stats, opened.call("check_health", {}))
    document = _document(found)
    if json:
        print_json(document)
    else:
        typer.echo(document["text"])
    if webhook is not None and found:
        _post(webhook, document)
    if any(alert.severity is Severity.CRITICAL for alert in found):
        raise typer.Exit(EXIT_CRITICAL)
    if found:
        raise typer.Exit(EXIT_WARNING)


def _document(found: Sequence[Alert]) -> dict[str, Any]:
    lines = [f"{alert.severity}: {alert.name}: {alert.summary}" for alert in found]
    rows = [{"name": alert.name, "severity": alert.severity, "summary": alert.summary} for alert in found]
    return {"text": "\n".join(lines) or "nothing to look at", "alerts": rows}


def _post(url: str, document: dict[str, Any]) -> None:
    try:
        answer = post_json(url, document)
    except StoreUnavailableError as error:
        fail(f"the webhook does not answer: {error}", EXIT_UNREACHABLE)
    if answer.status >= 300:
        fail(f"the webhook answered HTTP {answer.status}", EXIT_UNREACHABLE)
