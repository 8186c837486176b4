"""`python -m tests.chaos.soak --minutes 120`: faults at random under load, for as long as one likes.

Each round about a thousand jobs arrive at a fleet of three workers while one to three faults strike; then everything is
healed, and every row has to be in order before the next round begins. Prints a line a round: what struck, how it went,
the memory of each worker and the connections to the database, which must not grow. Ends with 1 at the first round that
broke a promise, and says its seed.
"""

from __future__ import annotations

import argparse
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from tests.chaos.fleet import Fleet, running_fleet
from tests.chaos.invariants import assert_invariants, wait_until_settled
from tests.chaos.load import load
from tests.chaos.stack import ChaosStack, chaos_stack

JOBS, PER_SECOND, WORKERS = 1000, 40, 3
_SETTLED_S = 60.0

Fault = Callable[[ChaosStack, Fleet, random.Random], None]


def kill_a_worker(stack: ChaosStack, fleet: Fleet, dice: random.Random) -> None:
    dice.choice(fleet.alive()).signal(signal.SIGKILL)
    fleet.launch()


def stop_a_worker_for_longer_than_its_lease(stack: ChaosStack, fleet: Fleet, dice: random.Random) -> None:
    worker = dice.choice(fleet.alive())
    worker.signal(signal.SIGSTOP)
    time.sleep(dice.uniform(1, 6))
    worker.signal(signal.SIGCONT)


def replace_a_worker(stack: ChaosStack, fleet: Fleet, dice: random.Random) -> None:
    old = dice.choice(fleet.alive())
    fleet.launch()
    old.signal(signal.SIGTERM)


def restart_the_database(stack: ChaosStack, fleet: Fleet, dice: random.Random) -> None:
    stack.restart_postgres(dice.choice(["fast", "immediate", "kill"]))


def lose_answers(stack: ChaosStack, fleet: Fleet, dice: random.Random) -> None:
    stack.rest_faults(fail=dice.uniform(0, 0.4), cut=dice.uniform(0, 0.4))


def be_away(stack: ChaosStack, fleet: Fleet, dice: random.Random) -> None:
    stack.rest_faults(fail=1)
    time.sleep(dice.uniform(0.5, 4))
    stack.rest_faults(fail=0)


def refuse_realtime(stack: ChaosStack, fleet: Fleet, dice: random.Random) -> None:
    stack.realtime_faults(refuse=True, drop="abort")
    time.sleep(dice.uniform(0.5, 5))
    stack.realtime_faults(refuse=False)


def close_every_channel(stack: ChaosStack, fleet: Fleet, dice: random.Random) -> None:
    stack.realtime_faults(close_joins=True)
    time.sleep(dice.uniform(0.5, 4))
    stack.realtime_faults(close_joins=False)


def deliver_nothing(stack: ChaosStack, fleet: Fleet, dice: random.Random) -> None:
    stack.realtime_faults(silent=dice.random() < 0.5, deafen=True)


def jump_the_clock(stack: ChaosStack, fleet: Fleet, dice: random.Random) -> None:
    fleet.clock.write_text(str(dice.uniform(-1e5, 1e5)))


FAULTS: tuple[Fault, ...] = (
    kill_a_worker,
    stop_a_worker_for_longer_than_its_lease,
    replace_a_worker,
    restart_the_database,
    lose_answers,
    be_away,
    refuse_realtime,
    close_every_channel,
    deliver_nothing,
    jump_the_clock,
)


def main() -> None:
    arguments = _parse()
    dice = random.Random(arguments.seed)
    ends_at = time.monotonic() + arguments.minutes * 60
    with tempfile.TemporaryDirectory(prefix="analysis-soak-") as name:
        path = Path(name)
        path.chmod(0o711)
        with chaos_stack(path) as stack, running_fleet(path, stack) as fleet:
            fleet.start(WORKERS)
            number = 0
            while time.monotonic() < ends_at:
                number += 1
                try:
                    say(f"{number}: {play(stack, fleet, dice)}; {resources(stack, fleet)}")
                except AssertionError as broken:
                    say(f"{number}: broken, seed {arguments.seed}: {broken}")
                    sys.exit(1)


def play(stack: ChaosStack, fleet: Fleet, dice: random.Random) -> str:
    """One round; returns how it went. Raises AssertionError where a promise is broken."""
    stack.clear()
    fleet.executions.write_text("")
    faults = dice.sample(FAULTS, dice.randint(1, 3))
    with load(stack, JOBS, per_second=PER_SECOND, seconds=0.1) as arriving:
        for number, fault in enumerate(faults):
            arriving.wait_for(0.1 + 0.25 * number)
            fault(stack, fleet, dice)
    stack.heal()
    wait_until_settled(stack, arriving.ids, _SETTLED_S)
    summary = assert_invariants(stack, arriving.ids, fleet.executions)
    failures = fleet.failures()
    assert failures == [], failures
    return f"{summary} ({', '.join(fault.__name__ for fault in faults)})"


def resources(stack: ChaosStack, fleet: Fleet) -> str:
    memory = [psutil.Process(worker.process.pid).memory_info().rss / 2**20 for worker in fleet.alive()]
    (row,) = stack.query("select count(*) as open from pg_stat_activity where backend_type = 'client backend'")
    return f"workers {' '.join(f'{each:.0f}' for each in memory)} MiB, {row['open']} connections"


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=20, help="rounds begin for so long (default: 20)")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32), help="of the dice")
    return parser.parse_args()


if __name__ == "__main__":
    main()
