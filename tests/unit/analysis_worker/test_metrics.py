"""What a worker measures: the numbers after what was done, by a worker on a queue in memory."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import nullcontext
from typing import Any

import anyio
import pytest
from prometheus_client.parser import text_string_to_metric_families

from analysis_worker import DeferredError, JobContext, PermanentError, RetryableError
from analysis_worker.adapters.observed import ObservedJobStore
from analysis_worker.adapters.prometheus import PrometheusMeters
from analysis_worker.jobs import JobStatus
from analysis_worker.metrics import Instrument, Meters, WorkerMetrics, current_meters, offering
from analysis_worker.wakes import WakeReason
from analysis_worker.worker import Surroundings, Worker
from tests.unit.analysis_worker.doubles import (
    Clock,
    LossyStore,
    Number,
    Run,
    ScriptedWakeSource,
    double,
    eventually,
    handler_of,
)
from tests.unit.analysis_worker.test_worker import settings

pytestmark = pytest.mark.anyio

FORBIDDEN_LABELS = {"job_id", "user_id", "user", "job", "lease_id"}


def samples(meters: PrometheusMeters) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    families = text_string_to_metric_families(meters.render().decode())
    return {(s.name, frozenset(s.labels.items())): s.value for family in families for s in family.samples}


def value(meters: PrometheusMeters, name: str, **labels: str) -> float | None:
    return samples(meters).get((name, frozenset(labels.items())))


async def ended(store: LossyStore, run: Run, jobs: int = 1, **changes: Any) -> PrometheusMeters:
    """The metrics of a worker that ran these many jobs once, and stopped."""
    meters = PrometheusMeters()
    metrics = WorkerMetrics(meters)
    source = ScriptedWakeSource()
    observed = ObservedJobStore(store, metrics)
    surroundings = Surroundings(lambda: nullcontext(observed), source, metrics)
    worker = Worker(surroundings, [handler_of(run)], settings(**changes), "w1")
    for n in range(jobs):
        store.enqueue("double", {"n": n})
    async with anyio.create_task_group() as group:
        group.start_soon(worker.run)
        await eventually(lambda: all(job.ended for job in store.jobs.values()))
        worker.stop()
    return meters


async def test_completed_jobs_are_counted_and_timed(store: LossyStore) -> None:
    meters = await ended(store, double, jobs=3)
    assert value(meters, "analysis_worker_jobs_total", type="double", outcome="completed") == 3
    for name in ("wait", "run", "latency"):
        assert value(meters, f"analysis_worker_job_{name}_seconds_count", type="double") == 3
    assert value(meters, "analysis_worker_jobs_in_flight", type="double") == 0
    assert value(meters, "analysis_worker_queue_calls_total", function="settle_jobs", answer="answered") in {1, 2, 3}
    assert (value(meters, "analysis_worker_queue_calls_total", function="claim_job", answer="answered") or 0) >= 2
    assert value(meters, "analysis_worker_wakes_total", source="sweep") == 1
    assert value(meters, "analysis_worker_draining") == 1


@pytest.mark.parametrize(
    ("error", "outcome", "code"),
    [
        (PermanentError("broken", "no"), "failed", "broken"),
        (RetryableError("busy", "later", delay_seconds=1000), "retried", "busy"),
        (ZeroDivisionError("oops"), "retried", "internal_error"),
        (DeferredError("cooling", "later", 1000), "deferred", None),
    ],
)
async def test_every_end_has_its_word(store: LossyStore, error: Exception, outcome: str, code: str | None) -> None:
    async def run(number: Number, context: JobContext) -> Number:
        raise error

    meters = await ended(store, run)
    assert value(meters, "analysis_worker_jobs_total", type="double", outcome=outcome) == 1
    failures = [labels for (name, labels) in samples(meters) if name == "analysis_worker_failures_total"]
    assert failures == ([frozenset({("type", "double"), ("code", code)})] if code else [])
    assert value(meters, "analysis_worker_job_latency_seconds_count", type="double") is None


async def test_a_lost_lease_and_a_released_job_are_told_apart(store: LossyStore, clock: Clock) -> None:
    began = anyio.Event()

    async def lose(number: Number, context: JobContext) -> Number:
        if context.job.attempt == 1:
            store.rescue(context.job.id)
        return number

    async def wait(number: Number, context: JobContext) -> Number:
        began.set()
        await anyio.sleep_forever()
        return number

    meters = await ended(store, lose)
    assert value(meters, "analysis_worker_jobs_total", type="double", outcome="lost") == 1

    other, metrics_source, other_store = PrometheusMeters(), ScriptedWakeSource(), LossyStore(clock)
    metrics = WorkerMetrics(other)
    surroundings = Surroundings(lambda: nullcontext(other_store), metrics_source, metrics)
    worker = Worker(surroundings, [handler_of(wait)], settings(grace_seconds=0), "w2")
    async with anyio.create_task_group() as group:
        group.start_soon(worker.run)
        other_store.enqueue("double", {"n": 1})
        await metrics_source.listening.wait()
        metrics_source.ring(WakeReason.REALTIME)
        await began.wait()
        assert value(other, "analysis_worker_jobs_in_flight", type="double") == 1
        worker.stop()
    assert value(other, "analysis_worker_jobs_total", type="double", outcome="released") == 1
    assert value(other, "analysis_worker_jobs_in_flight", type="double") == 0


async def test_answers_that_get_lost_are_counted(store: LossyStore) -> None:
    store.lost_answers = {"claim": 1}
    meters = await ended(store, double)
    assert value(meters, "analysis_worker_queue_calls_total", function="claim_job", answer="none") == 1
    assert value(meters, "analysis_worker_jobs_total", type="double", outcome="completed") == 1


async def test_refused_results_are_counted_as_what_became_of_them(store: LossyStore) -> None:
    store.refused_results = "22P05"
    meters = await ended(store, double)
    assert value(meters, "analysis_worker_failures_total", type="double", code="result_refused") == 1


async def test_what_attempts_use_is_summed_up(store: LossyStore) -> None:
    async def run(number: Number, context: JobContext) -> Number:
        context.add_usage({"input_tokens": 100, "output_tokens": 20, "cost_micro_usd": 1500, "model": "m"})
        return number

    meters = await ended(store, run, jobs=2)
    assert value(meters, "analysis_worker_tokens_total", type="double", direction="input") == 200
    assert value(meters, "analysis_worker_tokens_total", type="double", direction="output") == 40
    assert value(meters, "analysis_worker_cost_usd_total", type="double") == pytest.approx(0.003)


async def test_rescues_are_counted_by_who_made_them(store: LossyStore, clock: Clock) -> None:
    job = store.enqueue("double", {"n": 1})
    await store.claim("dead", job.id, ["double"], 1)
    clock.advance(26)
    meters = await ended(store, double, jobs=0)
    assert value(meters, "analysis_worker_reconciled_attempts_total", result="rescued") == 1


async def test_missed_events_and_lag_are_measured(store: LossyStore, clock: Clock) -> None:
    meters = PrometheusMeters()
    metrics = WorkerMetrics(meters)
    source = ScriptedWakeSource(ready_seconds=60.0)
    worker = Worker(Surroundings(lambda: nullcontext(store), source, metrics), [handler_of(double)], settings(), "w1")
    store.enqueue("double", {"n": 1})
    clock.advance(10)
    async with anyio.create_task_group() as group:
        group.start_soon(worker.run)
        await eventually(lambda: source.distrusted == 1)
        worker.stop()
    assert value(meters, "analysis_worker_missed_events_total") == 1
    assert (value(meters, "analysis_worker_event_loop_lag_seconds_count") or 0) >= 1


async def test_no_label_names_a_user_or_a_job(store: LossyStore) -> None:
    meters = await ended(store, double)
    assert not FORBIDDEN_LABELS & {label for _, labels in samples(meters) for label, _ in labels}
    assert "analysis_worker_info" in {name for name, _ in samples(meters)}
    for job in store.jobs.values():
        assert job.status is JobStatus.COMPLETED
        assert str(job.id) not in meters.render().decode()


def test_an_application_gets_the_meters_of_its_worker_and_elsewhere_ones_that_forget() -> None:
    meters = PrometheusMeters()
    with offering(meters):
        requests = current_meters().counter("provider_requests", "Requests.", ("outcome",))
        requests.add(2, outcome="ok")
        current_meters().counter("provider_requests", "Requests.", ("outcome",)).add(1, outcome="ok")
        current_meters().gauge("provider_breaker_open", "1 while open.").set(1)
        current_meters().histogram("provider_seconds", "Time.", ("provider",)).observe(0.3, provider="p")
    assert value(meters, "provider_requests_total", outcome="ok") == 3
    assert value(meters, "provider_breaker_open") == 1
    assert value(meters, "provider_seconds_count", provider="p") == 1
    assert current_meters() is not meters


def test_without_prometheus_every_instrument_forgets() -> None:
    kinds: Collection[Instrument] = [
        Meters().counter("c", "."),
        Meters().gauge("g", ".", ("label",)),
        Meters().histogram("h", "."),
    ]
    for instrument in kinds:
        instrument.add(1)
        instrument.set(1)
        instrument.observe(1)
        instrument.clear()
    WorkerMetrics(Meters()).woken(WakeReason.SWEEP)


async def test_calls_that_are_refused_are_counted(store: LossyStore) -> None:
    store.spoils_calls = True
    meters = await ended(store, double, jobs=2)
    assert value(meters, "analysis_worker_queue_calls_total", function="settle_jobs", answer="refused") == 1
    assert value(meters, "analysis_worker_queue_calls_total", function="settle_jobs", answer="answered") == 2
