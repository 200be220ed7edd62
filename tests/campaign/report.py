"""A failing schedule for people."""

from __future__ import annotations

from collections.abc import Iterator

from tests.campaign.play import Played


def report(played: Played, seed: int, command: str) -> Iterator[str]:
    """Yield lines: what is wrong, what it takes, every call, and how to see it again."""
    schedule = played.world.schedule
    yield f"seed {seed}: {len(played.violations)} violations"
    yield from (f"  VIOLATION {violation}" for violation in played.violations)
    yield f"  settle {schedule.settle:.0f} s, {schedule.weather}"
    yield f"  allowed: {', '.join(sorted(schedule.allow)) or 'nothing'}; pages of {schedule.page_size}"
    extras = schedule.extras
    if extras.kinds:
        yield f"  beyond the plain: {extras}"
    for number, stage in enumerate(schedule.stages):
        applies = ", ".join(
            f"{apply.name} after {apply.after:.0f} s{' --wait' if apply.wait else ''}"
            f"{f' --timeout {apply.timeout:.0f}' if apply.timeout else ''}{' --prune' if apply.prune else ''}"
            for apply in stage.applies
        )
        told = f"stage {number}: {'; '.join(stage.edits) or 'nothing edited'}; {applies}"
        told += "; ledgers apart" if stage.separate else ""
        yield f"  {told}; then {stage.pause:.0f} s"
    for declared in schedule.manifests:
        yield f"  at last: {declared}"
    yield "  what struck:"
    yield from (f"    {event} ({what})" for event, what in played.world.dice.struck)
    yield "  what happened:"
    yield from (f"    {line}" for line in played.world.log)
    yield f"  again: {command}"
