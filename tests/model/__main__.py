"""`python -m tests.model --trials N [--start S] [--processes K] [--hasty] [--without RULE] [--walk]`."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import NamedTuple

from tests.model import without
from tests.model.moments import JOB, alone
from tests.model.protocol import Protocol
from tests.model.roll import Rolled, hasty, roll, scenery
from tests.model.service import Rules
from tests.model.walk import walk

CHUNK = 500
WALKS = {
    "two appliers, lists late by 2": Rules(settle=2, lag=2),
    "and one answer lost": Rules(settle=1, lag=1, losses=1),
    "and one killed anywhere": Rules(settle=1, lag=1, kills=1),
    "and answers that are stale": Rules(settle=1, lag=1, stale=1),
    "and creates that arrive late": Rules(settle=1, lag=1, losses=1, late=1),
}


class Tally(NamedTuple):
    """What some seeds came to."""

    requests: int
    steps: int
    failing: list[int]


def play(seed: int, protocol: Protocol, *, in_haste: bool) -> Rolled:
    """Play the schedule of a seed."""
    world = scenery(seed)
    return roll(seed, hasty(world) if in_haste else world, protocol)


def tally(seeds: range, protocol: type[Protocol], *, in_haste: bool) -> Tally:
    """Play some seeds."""
    requests, steps, failing = 0, 0, []
    for seed in seeds:
        rolled = play(seed, protocol(), in_haste=in_haste)
        requests += rolled.requests
        steps += len(rolled.steps)
        if rolled.wrong:
            failing.append(seed)
    return Tally(requests, steps, failing)


def chunks(start: int, trials: int) -> Iterator[range]:
    """Cut the seeds into pieces of work."""
    end = start + trials
    yield from (range(first, min(first + CHUNK, end)) for first in range(start, end, CHUNK))


def walk_all() -> int:
    """See every state of the small worlds."""
    bad = 0
    for name, rules in WALKS.items():
        begun = time.perf_counter()
        walked = walk(alone(rules, JOB, JOB)(Protocol()), Protocol(), limit=5_000_000)
        seconds = time.perf_counter() - begun
        bad += walked.violation is not None
        print(
            f"{name}: {walked.states:,} states, all: {walked.whole}, {seconds:.0f} s, {walked.violation}"
        )
    return bad


def roll_all(given: argparse.Namespace) -> int:
    """Throw dice for large worlds."""
    begun = time.perf_counter()
    protocol = getattr(without, given.without) if given.without else Protocol
    work = partial(tally, protocol=protocol, in_haste=given.hasty)
    with ProcessPoolExecutor(given.processes) as pool:
        tallies = list(pool.map(work, chunks(given.start, given.trials)))
    seconds = time.perf_counter() - begun
    failing = [seed for one in tallies for seed in one.failing]
    for seed in failing[:3]:
        rolled = play(seed, protocol(), in_haste=given.hasty)
        print(f"seed {seed}: {rolled.wrong}\n  {' | '.join(rolled.steps)}")
    requests, steps = (sum(one[index] for one in tallies) for index in (0, 1))
    print(
        f"{given.trials:,} schedules, {steps:,} steps, {requests:,} requests: {len(failing)} violated"
    )
    print(f"{seconds:.0f} s, {given.trials / seconds * 60:,.0f} schedules a minute")
    return len(failing)


def main() -> int:
    """Look at many schedules, or at all of small worlds; returns 1 where anything is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.model", description=__doc__)
    parser.add_argument("--trials", type=int, default=10_000, help="how many schedules")
    parser.add_argument("--start", type=int, default=0, help="the first seed")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument(
        "--without", metavar="RULE", help="take a rule away, as named in without.py"
    )
    parser.add_argument("--hasty", action="store_true", help="do not settle, though lists are late")
    parser.add_argument(
        "--walk", action="store_true", help="see all states of small worlds instead"
    )
    given = parser.parse_args()
    return 1 if (walk_all() if given.walk else roll_all(given)) else 0


if __name__ == "__main__":
    sys.exit(main())
