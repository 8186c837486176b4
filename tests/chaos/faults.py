"""What strikes a fleet and its stack during a soak: each fault once, with numbers from the dice.

The first of the living workers is never killed or replaced, so that one is watched from the beginning to the end.
"""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable

from tests.chaos.fleet import Fleet
from tests.chaos.stack import ChaosStack

Fault = Callable[[ChaosStack, Fleet, random.Random], None]


def kill_a_worker(stack: ChaosStack, fleet: Fleet, dice: random.Random) -> None:
    dice.choice(fleet.alive()[1:]).signal(signal.SIGKILL)
    fleet.launch()


def stop_a_worker_for_longer_than_its_lease(stack: ChaosStack, fleet: Fleet, dice: random.Random) -> None:
    worker = dice.choice(fleet.alive())
    worker.signal(signal.SIGSTOP)
    time.sleep(dice.uniform(1, 6))
    worker.signal(signal.SIGCONT)


def replace_a_worker(stack: ChaosStack, fleet: Fleet, dice: random.Random) -> None:
    old = dice.choice(fleet.alive()[1:])
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
