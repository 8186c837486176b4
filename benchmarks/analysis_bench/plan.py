"""How much is measured."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Jobs that are enqueued one by one, so many a second."""

    per_second: float
    jobs: int

    def __str__(self) -> str:
        return f"{self.per_second:g}/s"


@dataclass(frozen=True, slots=True)
class Plan:
    """`minutes`: a round begins only if it can end within them, judged by the longest one so far."""

    name: str = "standard"
    rounds: int = 3
    minutes: float = 19.0
    pickup: tuple[tuple[int, tuple[Arrivals, ...]], ...] = (
        (1, (Arrivals(1, 5), Arrivals(10, 20), Arrivals(100, 100))),
        (3, (Arrivals(10, 20), Arrivals(100, 100))),
        (10, (Arrivals(10, 20), Arrivals(100, 100))),
    )
    """For each number of workers."""
    drain_jobs: int = 20_000
    drain_seconds: float = 6.0
    sleepers: tuple[int, ...] = (5, 50, 500)
    sleeper_waves: int = 3
    enqueued: Arrivals = Arrivals(50, 150)
    idle_seconds: float = 60.0
    recovery_seconds: float = 90.0
    crowd: int = 5000
    cancels: int = 8
    claimed: Arrivals = Arrivals(100, 1000)
    claim_rows: tuple[int, ...] = (1000, 100_000, 1_000_000)
    claims: int = 200


STANDARD = Plan()
QUICK = replace(
    STANDARD,
    name="quick",
    rounds=1,
    pickup=((1, (Arrivals(10, 10),)), (3, (Arrivals(10, 10),))),
    drain_jobs=1000,
    drain_seconds=3.0,
    sleepers=(5, 50),
    sleeper_waves=2,
    enqueued=Arrivals(50, 30),
    idle_seconds=10.0,
    recovery_seconds=20.0,
    crowd=500,
    cancels=2,
    claimed=Arrivals(50, 100),
    claim_rows=(1000, 10_000),
    claims=50,
)
_EVERY_RATE = (Arrivals(1, 20), Arrivals(10, 100), Arrivals(100, 500))
THOROUGH = replace(
    STANDARD,
    name="thorough",
    rounds=5,
    minutes=240.0,
    pickup=((1, _EVERY_RATE), (3, _EVERY_RATE), (10, _EVERY_RATE)),
    drain_seconds=120.0,
    sleeper_waves=5,
    enqueued=Arrivals(50, 1000),
    idle_seconds=180.0,
    recovery_seconds=660.0,
    cancels=30,
    claims=1000,
)
PRESETS = {plan.name: plan for plan in (QUICK, STANDARD, THOROUGH)}
