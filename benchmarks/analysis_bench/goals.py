"""The goals of the project, each with the number that was measured, met or missed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from analysis_bench.results import Results
from analysis_bench.systems import SYSTEMS

DOORBELL, DIRECT = "ours-doorbell", "ours-direct"
PICKUP_CASE = "10/s, 1 worker"
PEERS = tuple(system.name for system in SYSTEMS if not system.is_ours)
POLLING = ("every-second", "messages")


@dataclass(frozen=True, slots=True)
class Goal:
    """`met` is None where nothing was measured."""

    text: str
    measured: str
    met: bool | None

    @property
    def verdict(self) -> str:
        return {True: "met", False: "**missed**", None: "not measured"}[self.met]


def judge(results: Results) -> list[Goal]:
    return [rule(results) for rule in _RULES]


def _near_arrival(results: Results) -> Goal:
    text = "pickup p50 within 5 ms of the raw arrival of the event"
    pickup = results.median("pickup", DOORBELL, "p50_ms", PICKUP_CASE)
    arrival = results.median("arrival", DOORBELL, "p50_ms", PICKUP_CASE)
    if pickup is None or arrival is None:
        return _unmeasured(text)
    return Goal(text, f"{pickup - arrival:.1f} ms after it ({pickup:.1f} and {arrival:.1f} ms)", pickup - arrival <= 5)


def _quickest_pickup(results: Results) -> Goal:
    def measure(system: str) -> float | None:
        return results.median("pickup", system, "p50_ms", PICKUP_CASE)

    return _below("pickup p50 with the doorbell below every peer's", measure, PEERS, " ms")


def _few_claims(results: Results) -> Goal:
    text = "1,000 jobs that arrive at 10 workers: at most 1.5 claims a job"
    found = results.median("claims", DOORBELL, "claims_per_job")
    return _unmeasured(text) if found is None else Goal(text, f"{found:.2f}", found <= 1.5)


def _drain_direct(results: Results) -> Goal:
    text = "no-op drain on the direct path at least as fast as PGQueuer's default"
    return _faster(results, text, DIRECT, ("pgqueuer",))


def _drain_http(results: Results) -> Goal:
    text = "no-op drain over HTTP faster than Procrastinate and Oban"
    return _faster(results, text, DOORBELL, ("procrastinate", "oban"))


def _idle(results: Results) -> Goal:
    def measure(system: str) -> float | None:
        return results.median("idle", system, "statements_per_minute")

    return _below("idle cost (statements a minute) below all polling peers", measure, POLLING)


def _enqueue(results: Results) -> Goal:
    text = "enqueue p95 below 20 ms by RPC at 50 jobs/s"
    found = results.median("enqueue", DOORBELL, "p95_ms", "50/s")
    return _unmeasured(text) if found is None else Goal(text, f"{found:.1f} ms", found < 20)


def _flat_claims(results: Results) -> Goal:
    text = "claim p95 flat to 1,000,000 rows (at most 1.5 times that at 1,000)"
    small = results.median("claim cost", DIRECT, "p95_ms", "1,000 rows")
    large = results.median("claim cost", DIRECT, "p95_ms", "1,000,000 rows")
    if small is None or large is None:
        return _unmeasured(text)
    return Goal(text, f"{large / small:.2f} times ({small:.1f} and {large:.1f} ms)", large / small <= 1.5)


def _sleepers(results: Results) -> Goal:
    text = "500 concurrent jobs of 1 s on one worker with less than 5 % overhead"
    found = {name: results.median("sleepers", name, "overhead_percent", "500 at a time") for name in (DOORBELL, DIRECT)}
    known = {name: overhead for name, overhead in found.items() if overhead is not None}
    if not known:
        return _unmeasured(text)
    said = ", ".join(f"{overhead:.1f} % {name.removeprefix('ours-')}" for name, overhead in known.items())
    return Goal(text, said, min(known.values()) < 5)


def _faster(results: Results, text: str, ours: str, peers: Iterable[str]) -> Goal:
    own = results.median("drain", ours, "jobs_per_second")
    theirs = {peer: results.median("drain", peer, "jobs_per_second") for peer in peers}
    known = {peer: speed for peer, speed in theirs.items() if speed is not None}
    if own is None or not known:
        return _unmeasured(text)
    said = ", ".join(f"{_title(peer)} {speed:,.0f}" for peer, speed in known.items())
    return Goal(text, f"{own:,.0f} jobs/s; {said}", own >= max(known.values()))


def _below(text: str, measure: Callable[[str], float | None], peers: Iterable[str], unit: str = "") -> Goal:
    """Whether the doorbell's row has less than the best of the peers."""
    own = measure(DOORBELL)
    known = {peer: found for peer in peers if (found := measure(peer)) is not None}
    if own is None or not known:
        return _unmeasured(text)
    best = min(known, key=lambda peer: known[peer])
    return Goal(text, f"{own:.3g}{unit}; {_title(best)} {known[best]:.3g}{unit}", own < known[best])


def _title(name: str) -> str:
    return next(system.title for system in SYSTEMS if system.name == name)


def _unmeasured(text: str) -> Goal:
    return Goal(text, "—", None)


_RULES = (
    _near_arrival,
    _quickest_pickup,
    _few_claims,
    _drain_direct,
    _drain_http,
    _idle,
    _enqueue,
    _flat_claims,
    _sleepers,
)
