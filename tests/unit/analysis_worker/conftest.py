"""Fixtures of the engine's unit tests."""

import pytest

from tests.unit.analysis_worker.doubles import Clock, LossyStore


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(clock: Clock) -> LossyStore:
    return LossyStore(clock)
