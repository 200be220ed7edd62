"""`apply`: make the service agree with the manifests, after asking."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from shbatch_sync.cli.output import Output, speaking
from shbatch_sync.cli.plan import show
from shbatch_sync.cli.progress import Progress
from shbatch_sync.cli.running import make_run
from shbatch_sync.cli.workspace import Selection, gating, open_workspace, policy_of, selecting
from shbatch_sync.errors import SettingsError
from shbatch_sync.plan import Action, Plan

if TYPE_CHECKING:
    from shbatch_sync.reconcile.run import Interrupt, Run
    from shbatch_sync.session import Session


@click.command("apply")
@selecting
@gating
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@click.option("--wait", is_flag=True, help="Go on until nothing can progress without a person.")
@click.option(
    "--timeout", type=click.FloatRange(min=0), metavar="SECONDS", help="End after so long."
)
@click.option(
    "--poll",
    type=click.FloatRange(min=0.01),
    metavar="SECONDS",
    help="Between two lists while waiting.",
)
@click.option(
    "--settle",
    type=click.FloatRange(min=0),
    metavar="SECONDS",
    help="Before a new request is judged.",
)
@click.option(
    "--parallelism", type=click.IntRange(1, 32), default=4, show_default=True, help="Calls at once."
)
@click.option("--fail-fast", is_flag=True, help="Stop at the first job that fails.")
@speaking
def command(
    output: Output,
    paths: tuple[str, ...],
    target: str | None,
    globs: tuple[str, ...],
    labels: tuple[str, ...],
    variables: tuple[str, ...],
    prune: bool,
    allow: tuple[str, ...],
    restart: tuple[str, ...],
    max_pu: float | None,
    yes: bool,
    wait: bool,
    timeout: float | None,
    poll: float | None,
    settle: float | None,
    parallelism: int,
    fail_fast: bool,
) -> int:
    """Make the service agree with the manifests."""
    from shbatch_sync.reconcile.run import Options  # noqa: PLC0415
    from shbatch_sync.session import open_session  # noqa: PLC0415

    workspace = open_workspace(
        output, target, Selection(paths=paths, globs=globs, labels=labels), variables
    )
    policy = policy_of(workspace, prune=prune, allow=allow, restart=restart, max_pu=max_pu)
    with open_session(workspace.project, workspace.target, os.environ) as session:
        options = Options(
            wait=wait,
            timeout=timeout,
            poll=session.poll if poll is None else poll,
            settle=_settle(output, session, settle),
            parallelism=parallelism,
            fail_fast=fail_fast,
        )
        run = make_run(workspace, session, policy, options)
        return _apply(output, run, yes=yes)


def _settle(output: Output, session: Session, asked: float | None) -> float:
    if asked is not None and asked < session.settle:
        output.say(
            f"warning: --settle {asked:g} is shorter than this target's {session.settle:g} s; if its list lags"
        )
        output.say("longer than that, two runs at once may pay for a job twice")
    return session.settle if asked is None else asked


def _apply(output: Output, run: Run, *, yes: bool) -> int:
    from shbatch_sync.reconcile.apply import apply_plan, look  # noqa: PLC0415
    from shbatch_sync.render.apply_text import render_result  # noqa: PLC0415

    first = look(run, record=yes)
    show(output, first.plan)
    if not yes and not _agreed(first.plan):
        output.say("nothing was changed")
        return 1
    run.known = first.inventory.ids
    progress = Progress(output)
    run.report, run.watch = progress.step, progress.round
    with _signals(run.interrupt), progress:
        result = apply_plan(run, first if yes else None)
    output.result(render_result(result, output.paint))
    return result.exit_code


def _agreed(plan: Plan) -> bool:
    """Ask, where there is something to agree to."""
    if not any(change.effective for change in plan.changes):
        return True
    if not sys.stdin.isatty():
        message = (
            "apply asks before it changes anything, and there is no terminal to ask on: pass --yes"
        )
        raise SettingsError(message)
    return click.confirm(_question(plan), err=True)


def _question(plan: Plan) -> str:
    starts = plan.count(Action.START)
    if not starts:
        return "Apply this?"
    total = plan.estimate
    price = f", about {total['pu']:,.0f} PU" if total["pu"] else ", at a price that is not known"
    return f"Start {starts} job{'s' if starts > 1 else ''}{price}?"


@contextmanager
def _signals(interrupt: Interrupt) -> Iterator[None]:
    """Let Ctrl-C, a kill and a closed terminal end the run after the call in flight; a second Ctrl-C ends it at once."""

    def ask(number: int, _: object) -> None:
        if interrupt.requested and number == signal.SIGINT:
            raise KeyboardInterrupt
        interrupt.set()

    numbers = [
        getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
    ]
    before = {number: signal.signal(number, ask) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
