"""`python -m tests.campaign --seeds N [--start S] [--processes K] [--hasty]`."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from tests.campaign.report import report
from tests.campaign.seeds import play_seed
from tests.campaign.shrink import shrunk

CHUNK = 20


def tally(seeds: range, *, hasty: bool) -> tuple[Counter[str], list[int]]:
    """Play some seeds; return what was counted, and the seeds that fail."""
    counts: Counter[str] = Counter()
    failing = []
    for seed in seeds:
        played = play_seed(seed, hasty=hasty)
        struck = played.world.dice.struck
        counts.update(
            schedules=1,
            applies=played.applies,
            calls=played.calls,
            requests=len(played.world.seen),
            faults=sum("#" in event or "@" in event for event, _ in struck),
            crashes=sum(event.endswith((":crash", ":torn")) for event, _ in struck),
        )
        counts.update(f"kind {kind}" for kind in played.world.schedule.extras.kinds or ("plain",))
        counts.update({f"judged {what}": n for what, n in played.world.watch.judged.items()})
        counts.update(f"VIOLATED {_kind(violation)}" for violation in played.violations)
        if played.violations:
            failing.append(seed)
    return counts, failing


def _kind(violation: str) -> str:
    kinds = (
        "paid twice", "specs of", "requests of one key", "not quiet", "does not end", "ledger", "not ours", "beside",
        "is not DONE", "but it was made as", "PU, at most", "asks for attention", "withheld for nothing", "nobody says so",
    )  # fmt: skip
    return next((kind for kind in kinds if kind in violation), "other")


def chunks(start: int, seeds: int) -> Iterator[range]:
    """Cut the seeds into pieces of work."""
    end = start + seeds
    yield from (range(first, min(first + CHUNK, end)) for first in range(start, end, CHUNK))


def _progress(played: int, seeds: int, failing: list[int]) -> None:
    if sys.stderr.isatty():
        end = "\n" if played == seeds else ""
        told = f"\r{played:,} of {seeds:,} schedules, {len(failing)} violated"
        print(told, end=end, file=sys.stderr, flush=True)


def main() -> int:
    """Play schedules and say how it went; returns 1 where anything is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.campaign", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000, help="how many schedules")
    parser.add_argument("--start", type=int, default=0, help="the first seed")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument(
        "--hasty",
        action="store_true",
        help="settle for a tenth of the lists' lag: shows that the oracles can fail",
    )
    given = parser.parse_args()
    begun = time.perf_counter()
    counts: Counter[str] = Counter()
    failing: list[int] = []
    work = partial(tally, hasty=given.hasty)
    with ProcessPoolExecutor(given.processes) as pool:
        for counted, failed in pool.map(work, chunks(given.start, given.seeds)):
            counts.update(counted)
            failing += failed
            _progress(counts["schedules"], given.seeds, failing)
    seconds = time.perf_counter() - begun
    for seed in failing[:3]:
        _show(seed, hasty=given.hasty)
    rate = counts["schedules"] / seconds * 60
    _say(f"seeds {given.start} to {given.start + given.seeds - 1}: {dict(sorted(counts.items()))}")
    _say(f"{len(failing)} violated {failing[:50]}; {seconds:.0f} s, {rate:,.0f} schedules a minute")
    return 1 if failing else 0


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _show(seed: int, *, hasty: bool) -> None:
    played, _ = shrunk(play_seed(seed, hasty=hasty), seed, hasty=hasty)
    mode = " --hasty" if hasty else ""
    command = f"python -m tests.campaign --seeds 1 --start {seed}{mode}"
    _say("\n".join(report(played, seed, command)))


if __name__ == "__main__":
    sys.exit(main())
