import pytest

from maxnutrition.providers.breaker import CircuitBreaker
from maxnutrition.providers.cooldowns import Cooldowns
from tests.unit.providers.doubles import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


def opened(clock: Clock) -> CircuitBreaker:
    breaker = CircuitBreaker(clock, failures=2, open_seconds=30)
    for _ in range(2):
        assert breaker.admits()
        breaker.failed()
    return breaker


def test_it_opens_only_after_failures_in_a_row(clock: Clock) -> None:
    breaker = CircuitBreaker(clock, failures=2, open_seconds=30)
    for report in (breaker.failed, breaker.succeeded, breaker.failed):
        assert breaker.admits()
        report()
    assert breaker.admits()
    breaker.failed()
    assert not breaker.admits()


def test_it_stays_open_for_its_time_and_then_admits_one_probe(clock: Clock) -> None:
    breaker = opened(clock)
    clock.now += 29
    assert not breaker.admits()
    assert breaker.seconds_until_probe() == 1
    clock.now += 1
    assert breaker.admits()
    assert not breaker.admits()


def test_a_probe_that_succeeds_closes_it(clock: Clock) -> None:
    breaker = opened(clock)
    clock.now += 30
    assert breaker.admits()
    breaker.succeeded()
    assert breaker.admits()
    breaker.failed()
    assert breaker.admits()


def test_a_probe_that_fails_opens_it_for_the_whole_time_again(clock: Clock) -> None:
    breaker = opened(clock)
    clock.now += 30
    assert breaker.admits()
    breaker.failed()
    assert breaker.seconds_until_probe() == 30
    assert not breaker.admits()


def test_a_probe_that_is_given_back_can_be_taken_at_once(clock: Clock) -> None:
    breaker = opened(clock)
    clock.now += 45
    assert breaker.admits()
    breaker.left()
    assert breaker.admits()


def test_leaving_a_closed_circuit_forgets_no_failure(clock: Clock) -> None:
    breaker = CircuitBreaker(clock, failures=2, open_seconds=30)
    breaker.failed()
    breaker.left()
    breaker.failed()
    assert not breaker.admits()


def test_a_call_from_before_the_opening_keeps_it_open_when_it_fails_late(clock: Clock) -> None:
    breaker = opened(clock)
    clock.now += 10
    breaker.failed()
    assert breaker.seconds_until_probe() == 30


def test_a_shorter_cooldown_does_not_end_a_longer_one(clock: Clock) -> None:
    cooldowns = Cooldowns(clock)
    cooldowns.start("gemini", "a", 30)
    cooldowns.start("gemini", "a", 5)
    clock.now += 10
    assert cooldowns.remaining("gemini", "a") == 20
    assert cooldowns.remaining("gemini", "b") == 0
    clock.now += 60
    assert cooldowns.remaining("gemini", "a") == 0
