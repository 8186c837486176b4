"""The pure parts: delays, patience, outcomes, settings."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from analysis_worker import Settings
from analysis_worker.backoff import Backoff
from analysis_worker.errors import DeferredError, HandlerError, PermanentError, RetryableError
from analysis_worker.flow import goes_first, patience
from analysis_worker.outcomes import Deferred, Failed
from analysis_worker.settings import variable_of
from analysis_worker.settle import outcome_of_error
from analysis_worker.wakes import ListenerState

seconds = st.floats(min_value=0.001, max_value=1e6)


@given(seconds, seconds, st.integers(1, 10_000), st.floats(0, 1, exclude_max=True))
def test_a_delay_is_at_least_half_of_its_step_and_never_above_the_cap(
    first: float, cap: float, failures: int, drawn: float
) -> None:
    step = min(cap, first * 2.0 ** min(failures - 1, 30))
    assert step / 2 <= Backoff(first, cap).delay(failures, lambda: drawn) <= cap


@given(st.sampled_from(ListenerState), seconds, st.none() | st.floats(-100, 1e6))
def test_only_a_ready_listener_with_nothing_due_may_wait_for_ever(
    state: ListenerState, poll: float, due: float | None
) -> None:
    wait = patience(state, poll, due)
    assert (wait is None) == (state is ListenerState.READY and due is None)
    assert wait is None or 0 <= wait <= max(poll, due or 0)
    if state is not ListenerState.READY:
        assert wait is not None
        assert wait <= poll


@given(st.uuids(), st.lists(st.text(min_size=1), min_size=1, unique=True))
def test_exactly_one_of_the_workers_goes_first(job_id: UUID, workers: list[str]) -> None:
    assert sum(goes_first(worker, job_id, workers) for worker in workers) == 1


@given(st.uuids())
def test_who_knows_nobody_goes_first(job_id: UUID) -> None:
    assert goes_first("me", job_id, [])


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (PermanentError("a", "b"), Failed("a", "b", retryable=False)),
        (HandlerError("a", "b"), Failed("a", "b", retryable=False)),
        (RetryableError("a", "b", 3.0), Failed("a", "b", retryable=True, delay_seconds=3.0)),
        (DeferredError("a", "b", 4.0), Deferred(4.0, "a")),
        (KeyError("x"), Failed("internal_error", "The analysis failed unexpectedly.", retryable=True)),
        (ExceptionGroup("g", [PermanentError("a", "b")]), Failed("a", "b", retryable=False)),
    ],
)
def test_every_error_has_one_outcome(error: Exception, outcome: Failed | Deferred) -> None:
    assert outcome_of_error(error) == outcome


def make_settings(**changes: object) -> Settings:
    base: dict[str, object] = {"supabase_url": "http://x/", "supabase_key": "k", "_env_file": None}
    return Settings(**base | changes)  # type: ignore[arg-type]


def test_settings_come_from_the_variables_every_supabase_program_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUPABASE_URL", "https://p.supabase.co/")
    monkeypatch.setenv("SUPABASE_SERVICE_ROLE_KEY", "from-the-environment")
    monkeypatch.setenv("ANALYSIS_WORKER_CONCURRENCY", "7")
    settings = Settings(_env_file=None)
    assert settings.supabase_url == "https://p.supabase.co"
    assert settings.supabase_key.get_secret_value() == "from-the-environment"
    assert settings.concurrency == 7


def test_the_key_is_not_in_the_printed_settings() -> None:
    assert "sb_secret_abc" not in repr(make_settings(supabase_key="sb_secret_abc"))


def test_a_lease_too_short_for_the_heartbeat_is_refused() -> None:
    with pytest.raises(ValidationError, match="twice heartbeat_seconds"):
        make_settings(heartbeat_seconds=10, lease_seconds=15)


def test_messages_name_the_variable_to_set() -> None:
    assert variable_of(("supabase_key",)) == "SUPABASE_SECRET_KEY"
    assert variable_of(("concurrency",)) == "ANALYSIS_WORKER_CONCURRENCY"
