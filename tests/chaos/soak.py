"""`python -m tests.chaos.soak --minutes 120`: faults at random under load, for as long as one likes.

Each round about a thousand jobs arrive at a fleet of three workers while one to three faults strike; then everything is
healed, and every row has to be in order before the next round begins. Prints a line a round: what struck and how it
went. Memory, connections, files and threads are written to `--output` every few seconds, as CSV and as a plot, and may
not grow: the median of the last third is held against that of the first. Ends with 1 at the first round that broke a
promise, or where something grew, and says its seed.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from tests.chaos.faults import FAULTS
from tests.chaos.fleet import Fleet, running_fleet
from tests.chaos.invariants import assert_invariants, wait_until_settled
from tests.chaos.load import load
from tests.chaos.samples import FEWEST, growth_of, look_at, read_samples, sampling
from tests.chaos.soak_plot import draw
from tests.chaos.stack import ChaosStack, chaos_stack

JOBS, PER_SECOND, WORKERS = 1000, 40, 3
_SETTLED_S = 60.0
_SAMPLE_EVERY_S = 5.0


def main() -> None:
    arguments = _parse()
    dice = random.Random(arguments.seed)
    ends_at = time.monotonic() + arguments.minutes * 60
    arguments.output.mkdir(parents=True, exist_ok=True)
    samples = arguments.output / "soak.csv"
    with tempfile.TemporaryDirectory(prefix="analysis-soak-") as name:
        path = Path(name)
        path.chmod(0o711)
        with chaos_stack(path) as stack, running_fleet(path, stack) as fleet:
            fleet.start(WORKERS)
            with sampling(samples, partial(look_at, stack, fleet), _SAMPLE_EVERY_S):
                kept = play_until(ends_at, stack, fleet, dice)
    draw(read_samples(samples), arguments.output / "soak.svg")
    if not (judge(samples) and kept):
        say(f"broken, seed {arguments.seed}")
        sys.exit(1)


def play_until(ends_at: float, stack: ChaosStack, fleet: Fleet, dice: random.Random) -> bool:
    """Whether every round kept every promise; the first that did not is the last."""
    number = 0
    while time.monotonic() < ends_at:
        number += 1
        try:
            say(f"{number}: {play(stack, fleet, dice)}")
        except AssertionError as broken:
            say(f"{number}: {broken}")
            return False
    return True


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


def judge(file: Path) -> bool:
    """Whether nothing grew; a run too short to tell is not judged."""
    samples = read_samples(file)
    if len(samples) < FEWEST:
        say(f"{len(samples)} samples, too few to tell what grows")
        return True
    found = growth_of(samples)
    for growth in found:
        say(str(growth))
    return all(growth.is_flat for growth in found)


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=20, help="rounds begin for so long (default: 20)")
    parser.add_argument("--output", type=Path, default=Path(".analysis-worker/soak"), help="where samples and plot go")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32), help="of the dice")
    return parser.parse_args()


if __name__ == "__main__":
    main()
