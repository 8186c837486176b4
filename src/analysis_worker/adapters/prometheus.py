"""Meters that Prometheus can read. Needs the extra `metrics`."""

from __future__ import annotations

from collections.abc import Callable, Collection
from importlib.metadata import version
from typing import TypeVar

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)

from analysis_worker.metrics import Instrument, Meters

CONTENT_TYPE = CONTENT_TYPE_LATEST
_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 20, 30, 45, 60, 120, 300, 600)
_Family = TypeVar("_Family", Counter, Gauge, Histogram)


class _Counter(Instrument):
    def __init__(self, family: Counter) -> None:
        self._family = family

    def add(self, amount: float, **labels: str) -> None:
        _child(self._family, labels).inc(amount)


class _Gauge(Instrument):
    def __init__(self, family: Gauge) -> None:
        self._family = family

    def add(self, amount: float, **labels: str) -> None:
        _child(self._family, labels).inc(amount)

    def set(self, value: float, **labels: str) -> None:
        _child(self._family, labels).set(value)

    def clear(self) -> None:
        self._family.clear()


class _Histogram(Instrument):
    def __init__(self, family: Histogram) -> None:
        self._family = family

    def observe(self, value: float, **labels: str) -> None:
        _child(self._family, labels).observe(value)


class PrometheusMeters(Meters):
    """One registry, with the process's own metrics in it."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._instruments: dict[str, Instrument] = {}
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        GCCollector(registry=self._registry)
        about = self.gauge("analysis_worker_info", "Always 1; tells the version.", ("version",))
        about.set(1, version=version("analysis-worker"))

    def counter(self, name: str, description: str, labels: Collection[str] = ()) -> Instrument:
        return self._once(name, lambda: _Counter(Counter(name, description, labels, registry=self._registry)))

    def gauge(self, name: str, description: str, labels: Collection[str] = ()) -> Instrument:
        return self._once(name, lambda: _Gauge(Gauge(name, description, labels, registry=self._registry)))

    def histogram(self, name: str, description: str, labels: Collection[str] = ()) -> Instrument:
        return self._once(
            name, lambda: _Histogram(Histogram(name, description, labels, registry=self._registry, buckets=_BUCKETS))
        )

    def render(self) -> bytes:
        return generate_latest(self._registry)

    def _once(self, name: str, make: Callable[[], Instrument]) -> Instrument:
        if name not in self._instruments:
            self._instruments[name] = make()
        return self._instruments[name]


def _child(family: _Family, labels: dict[str, str]) -> _Family:
    return family.labels(**labels) if labels else family
