"""What of a worker can be seen from outside: its probes and its metrics, on a port where one is configured."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from loguru import logger
from pydantic import ValidationError

from analysis_worker.adapters.http_port import Page, Route, json_page, open_http_port
from analysis_worker.adapters.postgrest import new_http_client
from analysis_worker.adapters.queue_numbers import QueueNumbers
from analysis_worker.errors import ConfigurationError
from analysis_worker.health import Report, Vitals
from analysis_worker.metrics import WorkerMetrics, offering
from analysis_worker.observer import NOBODY, Observer, Observers
from analysis_worker.settings import DashboardSettings, Settings, variable_of
from analysis_worker.wakes import ListenerState

if TYPE_CHECKING:
    from analysis_worker.adapters.prometheus import PrometheusMeters

_NO_CLIENT = Page(501, b"no client for Prometheus is installed: pip install 'analysis-worker[metrics]'\n")


@asynccontextmanager
async def open_monitoring(settings: Settings) -> AsyncIterator[Observer]:
    """An observer for the worker, shown on the port while the block runs.

    Raises ConfigurationError where the port is taken. An application that opens within finds its meters by
    `current_meters`.
    """
    if settings.port is None:
        yield NOBODY
        return
    vitals = Vitals(time.monotonic, settings.lease_seconds, ListenerState.CONNECTING if settings.realtime else None)
    meters = _meters()
    if meters is None:
        async with _serving(settings, _probes(vitals) | {"/metrics": _without_client}):
            yield vitals
        return
    async with new_http_client(settings.supabase_url, settings.current_key) as client:
        observers = Observers([vitals, WorkerMetrics(meters)])
        numbers = QueueNumbers(client, meters, time.monotonic)
        with offering(meters):
            async with _serving(settings, _probes(vitals) | {"/metrics": _scrape(meters, numbers)}):
                yield observers


def _meters() -> PrometheusMeters | None:
    if importlib.util.find_spec("prometheus_client") is None:
        return None
    from analysis_worker.adapters.prometheus import PrometheusMeters  # noqa: PLC0415 - an extra

    return PrometheusMeters()


@asynccontextmanager
async def _serving(settings: Settings, routes: Mapping[str, Route]) -> AsyncIterator[None]:
    assert settings.port is not None
    async with AsyncExitStack() as stack:
        try:
            port = await stack.enter_async_context(_open_port(settings, settings.port, routes))
        except OSError as error:
            where = f"{settings.bind_address}:{settings.port}"
            raise ConfigurationError(f"ANALYSIS_WORKER_PORT: cannot listen on {where}: {error.strerror}") from error
        logger.info("http port open", address=settings.bind_address, port=port)
        yield


@asynccontextmanager
async def _open_port(settings: Settings, port: int, routes: Mapping[str, Route]) -> AsyncIterator[int]:
    """Its number. With the dashboard a web framework answers, which is more than probes alone are worth."""
    if not settings.dashboard:
        async with open_http_port(settings.bind_address, port, routes) as bound:
            yield bound
        return
    if importlib.util.find_spec("aiohttp") is None or importlib.util.find_spec("jinja2") is None:
        raise ConfigurationError("ANALYSIS_WORKER_DASHBOARD: pip install 'analysis-worker[dashboard]'")
    from analysis_worker.dashboard.serving import open_dashboard, open_web_port  # noqa: PLC0415 - an extra

    async with (
        open_dashboard(settings.supabase_url, settings.current_key, _read_entrance()) as site,
        open_web_port(settings.bind_address, port, site, routes) as bound,
    ):
        yield bound


def _read_entrance() -> DashboardSettings:
    try:
        entrance = DashboardSettings()
    except ValidationError as error:
        prefix = DashboardSettings.model_config.get("env_prefix", "")
        problems = error.errors(include_input=False)
        told = "; ".join(f"{variable_of(each['loc'], prefix)}: {each['msg']}" for each in problems)
        raise ConfigurationError(told) from None  # the cause would hold what was given
    if not entrance.lets_somebody_in:
        raise ConfigurationError(
            "ANALYSIS_WORKER_DASHBOARD: nobody could sign in; set ANALYSIS_DASHBOARD_TOKEN or "
            "ANALYSIS_DASHBOARD_SUPABASE_AUTH"
        )
    return entrance


def _probes(vitals: Vitals) -> dict[str, Route]:
    def page(report: Report) -> Page:
        return json_page(report.status, report.body)

    async def live() -> Page:
        return page(vitals.live())

    async def ready() -> Page:
        return page(vitals.ready())

    async def startup() -> Page:
        return page(vitals.startup())

    return {"/livez": live, "/readyz": ready, "/startupz": startup}


def _scrape(meters: PrometheusMeters, numbers: QueueNumbers) -> Route:
    from analysis_worker.adapters.prometheus import CONTENT_TYPE  # noqa: PLC0415 - an extra

    async def scrape() -> Page:
        await numbers.refresh()
        return Page(200, meters.render(), CONTENT_TYPE)

    return scrape


async def _without_client() -> Page:
    return _NO_CLIENT
