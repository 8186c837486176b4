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
    """`minutes`: nothing begins after them, and no scenario again that took longer than what is left.

    `pickup` is at one worker, `pickup_of_many` has the numbers of workers.
    """

    name: str = "standard"
    rounds: int = 3
    minutes: float = 19.0
    pickup: tuple[Arrivals, ...] = (Arrivals(1, 4), Arrivals(10, 20), Arrivals(100, 100))
    pickup_of_many: tuple[tuple[int, tuple[Arrivals, ...]], ...] = (
        (3, (Arrivals(10, 20),)),
        (10, (Arrivals(10, 10), Arrivals(100, 100))),
    )
    drain_jobs: int = 20_000
    drain_seconds: float = 5.0
    sleepers: tuple[int, ...] = (5, 50, 500)
    sleeper_waves: int = 3
    enqueued: Arrivals = Arrivals(50, 100)
    idle_seconds: float = 30.0
    recovery_seconds: float = 75.0
    crowd: int = 5000
    cancels: int = 4
    claimed: Arrivals = Arrivals(100, 1000)
    claim_rows: tuple[int, ...] = (1000, 100_000, 1_000_000)
    claims: int = 100


STANDARD = Plan()
QUICK = replace(
    STANDARD,
    name="quick",
    rounds=1,
    pickup=(Arrivals(10, 10),),
    pickup_of_many=((3, (Arrivals(10, 10),)),),
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
    pickup=_EVERY_RATE,
    pickup_of_many=((3, _EVERY_RATE), (10, _EVERY_RATE)),
    drain_seconds=120.0,
    sleeper_waves=5,
    enqueued=Arrivals(50, 1000),
    idle_seconds=180.0,
    recovery_seconds=660.0,
    cancels=30,
    claims=1000,
)
PRESETS = {plan.name: plan for plan in (QUICK, STANDARD, THOROUGH)}
