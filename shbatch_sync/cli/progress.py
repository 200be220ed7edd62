"""What a person sees while an apply runs: a line a step, and on a terminal one moving line for what it waits for."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from shbatch_sync.plan import Action, Plan, Reason
from shbatch_sync.reconcile.result import Outcome, Step
from shbatch_sync.render.apply_text import step_line, waiting_line
from shbatch_sync.render.escape import no_commands

if TYPE_CHECKING:
    from shbatch_sync.cli.output import Output

WORTH_A_WORD = 2.0  # seconds
_MOVING = frozenset({Reason.ANALYSING, Reason.STARTING, Reason.PROCESSING, Reason.STOPPING})


class Progress:
    """Tells of an apply as it goes; silent with `-q`."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._status: Any = None
        self._said = ""
        self._seen: set[Step] = set()
        self._settling = False

    def __enter__(self) -> Self:
        if self._output.interactive(sys.stderr) and not self._output.quiet:
            from rich.console import Console  # noqa: PLC0415 - only where it will be seen

            self._status = Console(
                stderr=True, no_color=not self._output.coloured(sys.stderr)
            ).status("listing …")
            self._status.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._status is not None:
            self._status.stop()

    def step(self, step: Step) -> None:
        """Tell of a step; one that waits for the same thing round after round is told once."""
        if step in self._seen and step.outcome is Outcome.WAITING:
            return
        if step.sealing and not self._output.verbose:
            return
        self._seen.add(step)
        self._say(step_line(step))

    def _say(self, line: str) -> None:
        if self._status is None:
            self._output.say(line)
        else:
            # Above the moving line; printed past it, both would share a line.
            self._status.console.print(
                no_commands(line), markup=False, highlight=False, soft_wrap=True
            )

    def settling(self, seconds: float) -> None:
        """Tell once why nothing happens, where that takes long enough to wonder."""
        if seconds > WORTH_A_WORD and not self._settling:
            self._say(f"waiting {seconds:.0f} s, until every list is sure to show what is new")
        self._settling = True

    def round(self, plan: Plan) -> None:
        """Tell what is being waited for."""
        line = waiting_line(plan)
        if self._status is not None:
            from rich.markup import escape  # noqa: PLC0415

            self._status.update(escape(line or "working …"))
        elif line and _stage(plan) != self._said:
            self._output.say(line)
        self._said = _stage(plan)


def _stage(plan: Plan) -> str:
    """Return what changes when a log should get another line: which jobs wait for what, not how far they are."""
    return ";".join(
        f"{change.job}={change.reason}"
        for change in plan.changes
        if change.action is Action.WAIT and change.reason in _MOVING
    )
