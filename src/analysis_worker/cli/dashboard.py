"""`analysis-worker dashboard`: the queue in a browser."""

from __future__ import annotations

import importlib.util
import secrets
import signal
from collections.abc import Callable
from functools import partial
from ipaddress import ip_address
from typing import Annotated

import anyio
import typer
from pydantic import SecretStr

from analysis_worker.cli.operator import EXIT_BAD_CONFIGURATION, JsonOption, fail, print_json, read_settings
from analysis_worker.logs import configure_logging
from analysis_worker.settings import DashboardSettings, Settings

_NOT_INSTALLED = "the dashboard is not installed: pip install 'analysis-worker[dashboard]'"


def dashboard(
    host: Annotated[
        str, typer.Option(help="Where to listen; 0.0.0.0 for every address of this machine.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port; 0 for any that is free.")] = 8787,
    json: JsonOption = False,
) -> None:
    """Serve the dashboard until Ctrl-C or SIGTERM.

    Needs a service key, and somebody to let in: ANALYSIS_DASHBOARD_TOKEN, ANALYSIS_DASHBOARD_VIEWER_TOKEN or
    ANALYSIS_DASHBOARD_SUPABASE_AUTH. On a loopback address it makes a token for this run where none of them is set.

    Exit codes: 0 stopped, 2 bad configuration or arguments.
    """
    if importlib.util.find_spec("aiohttp") is None or importlib.util.find_spec("jinja2") is None:
        fail(_NOT_INSTALLED, EXIT_BAD_CONFIGURATION)
    settings, entrance = read_settings(Settings), read_settings(DashboardSettings)
    token = None if entrance.lets_somebody_in else _token_for_this_run(host)
    if token is not None:
        entrance = entrance.model_copy(update={"token": SecretStr(token)})
    configure_logging(settings.log_format, settings.log_level)
    try:
        anyio.run(_serve, settings, entrance, (host, port), partial(_tell, token, json))
    except OSError as error:
        fail(f"cannot listen on {host}:{port}: {error.strerror}", EXIT_BAD_CONFIGURATION)


async def _serve(
    settings: Settings, entrance: DashboardSettings, address: tuple[str, int], tell: Callable[[str], None]
) -> None:
    from analysis_worker.dashboard.rendering import BASE  # noqa: PLC0415 - an extra
    from analysis_worker.dashboard.serving import open_dashboard, open_web_port  # noqa: PLC0415 - an extra

    async with (
        open_dashboard(settings.supabase_url, settings.current_key, entrance) as site,
        open_web_port(*address, site, {}) as bound,
    ):
        with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            tell(f"http://{address[0]}:{bound}{BASE}/")
            async for _ in signals:
                return


def _tell(token: str | None, json: bool, url: str) -> None:
    if json:
        print_json({"url": url, "token": token})
        return
    if token is not None:
        typer.echo(f"Token for this run: {token}")
    typer.echo(url)


def _token_for_this_run(host: str) -> str:
    if not _is_loopback(host):
        fail(
            "nobody could sign in: set ANALYSIS_DASHBOARD_TOKEN (24 characters or more) or "
            "ANALYSIS_DASHBOARD_SUPABASE_AUTH=true",
            EXIT_BAD_CONFIGURATION,
        )
    return secrets.token_urlsafe(24)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
