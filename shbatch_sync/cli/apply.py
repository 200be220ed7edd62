"""`apply`: make the service agree with the manifests, after asking; or do exactly what a saved plan says."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from shbatch_sync.cli.events import EventStream, event_stream
from shbatch_sync.cli.output import Output, format_option, speaking, verbose_option
from shbatch_sync.cli.plan import show
from shbatch_sync.cli.progress import Progress
from shbatch_sync.cli.saved import demand_consent, refuse_options, saved_plan
from shbatch_sync.cli.selection import Permission, Selection, gating, selecting
from shbatch_sync.cli.signals import ending_gently
from shbatch_sync.cli.terms import service_of
from shbatch_sync.cli.workspace import check_restart, open_workspace, policy_of
from shbatch_sync.errors import ExitCode, SettingsError, ShbatchError
from shbatch_sync.plan import Action, Plan
from shbatch_sync.plural import counted
from shbatch_sync.workspace import make_run, open_target

if TYPE_CHECKING:
    from shbatch_sync.reconcile.options import Options
    from shbatch_sync.reconcile.result import Step
    from shbatch_sync.reconcile.run import Run
    from shbatch_sync.savedplan import SavedPlan
    from shbatch_sync.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What an apply was asked to do, on the command line or by a saved plan.

    Attributes:
        selection: Which jobs to act on.
        permission: What it may do.
        saved: The saved plan that has to be met.
        yes: Whether it need not be asked for.
        style: `text` or `json`.
    """

    selection: Selection
    permission: Permission
    saved: SavedPlan | None
    yes: bool
    style: str


@click.command("apply")
@selecting
@gating
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@click.option("--wait", is_flag=True, help="Go on until nothing can progress without a person.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0),
    metavar="SECONDS",
    help="End after so long; a call in flight is finished.",
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
@format_option("text", "json", words="Of the result; json is one event a line.")
@click.option(
    "--json-into",
    "into",
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help="Write the events to a file as well.",
)
@verbose_option("Tell of sealing as well.")
@speaking
def command(
    output: Output,
    selection: Selection,
    permission: Permission,
    yes: bool,
    wait: bool,
    timeout: float | None,
    poll: float | None,
    settle: float | None,
    parallelism: int,
    fail_fast: bool,
    style: str,
    into: str | None,
) -> int:
    """Make the service agree with the manifests, or do exactly what a saved plan says: `apply plan.json`."""
    from shbatch_sync.reconcile.options import Options  # noqa: PLC0415

    given = Order(
        selection=selection,
        permission=permission,
        saved=saved_plan(output, selection.paths),
        yes=yes,
        style=style,
    )
    options = Options(wait=wait, timeout=timeout, parallelism=parallelism, fail_fast=fail_fast)
    with event_stream(output, stdout=style == "json", into=into) as events:
        try:
            order = given if given.saved is None else _as_saved(output, given, given.saved)
            return _carry_out(output, order, options, (settle, poll), events)
        except ShbatchError as error:
            _tell(events, error)
            raise


def _tell(events: EventStream, error: ShbatchError) -> None:
    from shbatch_sync.render.events import failed  # noqa: PLC0415

    events.send(failed(error))


def _as_saved(output: Output, given: Order, saved: SavedPlan) -> Order:
    """Return what a saved plan asks for; options that it has decided may not be given beside it."""
    from shbatch_sync.savedplan import check_place  # noqa: PLC0415
    from shbatch_sync.store.project import find_project, load_project  # noqa: PLC0415

    chosen = given.selection
    refuse_options(
        saved,
        {
            "--job": chosen.globs,
            "--label": chosen.labels,
            "--changed-since": chosen.since,
            "--var": chosen.variables,
            "--prune": given.permission.prune,
            "--allow": given.permission.allow,
            "--restart": given.permission.restart,
            "--max-pu": given.permission.max_pu is not None,
        },
    )
    project = load_project(find_project(Path(output.directory)))
    check_place(saved, project=project.name, target=chosen.target)
    terms = saved.terms
    return replace(
        given,
        selection=Selection(
            target=saved.document["target"],
            variables=tuple(f"{name}={value}" for name, value in terms.variables.items()),
            paths=tuple(str(project.root / path) for path in terms.paths),
            globs=terms.globs,
            labels=terms.labels,
            names=terms.names,
        ),
        permission=Permission(
            prune=terms.prune,
            allow=terms.allow,
            restart=terms.restart,
            max_pu=terms.max_pu,
        ),
        yes=True,
    )


def _carry_out(
    output: Output,
    order: Order,
    options: Options,
    times: tuple[float | None, float | None],
    events: EventStream,
) -> int:
    workspace = open_workspace(output, order.selection)
    if order.saved is None:
        check_restart(workspace, order.permission)
    policy = policy_of(workspace, order.permission)
    with open_target(workspace) as session:
        if order.saved is not None:
            from shbatch_sync.savedplan import check_policy, check_service  # noqa: PLC0415

            check_service(order.saved, service_of(session))
            check_policy(order.saved, policy)
        settle, poll = times
        options = replace(
            options,
            poll=session.poll if poll is None else poll,
            settle=_settle(output, session, settle),
        )
        return _apply(output, make_run(workspace, session, policy, options), order, events)


def _settle(output: Output, session: Session, asked: float | None) -> float:
    if asked is not None and asked < session.settle:
        output.say(
            f"warning: --settle {asked:g} is shorter than this target's {session.settle:g} s; if its list lags"
        )
        output.say("longer than that, two runs at once may pay for a job twice")
    return session.settle if asked is None else asked


def _apply(output: Output, run: Run, order: Order, events: EventStream) -> int:
    from shbatch_sync.reconcile.apply import apply_plan  # noqa: PLC0415
    from shbatch_sync.reconcile.looking import look  # noqa: PLC0415
    from shbatch_sync.render.events import ended, planned  # noqa: PLC0415

    first = look(run, record=order.yes)
    if order.saved is not None:
        demand_consent(order.saved, run, first)
    if order.style == "text":
        show(output, first.plan)
    events.send(*planned(first.plan))
    if not order.yes:
        asks = _asks(first.plan, wait=run.options.wait)
        if asks and not _agreed(first.plan):
            output.say("nothing was changed")
            return ExitCode.ERROR
        run.agree(first.plan if asks else None)
    run.known = first.inventory.ids
    progress = Progress(output)
    _listen(run, progress, events)
    try:
        with ending_gently(run.interrupt), progress:
            result = apply_plan(run, first if order.yes else None)
    except (ShbatchError, KeyboardInterrupt):
        _tell_steps(output, run, order)
        raise
    events.send(ended(result))
    if order.style == "text":
        from shbatch_sync.render.apply_text import render_result  # noqa: PLC0415

        output.result(render_result(result, output.paint))
    return result.exit_code


def _tell_steps(output: Output, run: Run, order: Order) -> None:
    """Say what was done before an error ended the run: it is done, and may cost, whatever came after it."""
    if order.style == "text" and run.steps:
        from shbatch_sync.render.apply_text import render_steps  # noqa: PLC0415

        output.result(render_steps(run.steps, output.paint))


def _listen(run: Run, progress: Progress, events: EventStream) -> None:
    """Have a run tell its steps and rounds to the person and to the stream."""
    from shbatch_sync.render.events import taken, waiting  # noqa: PLC0415

    def step(one: Step) -> None:
        progress.step(one)
        events.send(taken(one))

    def watch(plan: Plan) -> None:
        progress.round(plan)
        if any(change.action is Action.WAIT for change in plan.changes):
            events.send(waiting(plan))

    run.report, run.watch, run.settling = step, watch, progress.settling


def _asks(plan: Plan, *, wait: bool) -> bool:
    """Say whether there is something to agree to, be it only what a run that waits will start later."""
    return any(change.effective for change in plan.changes) or (wait and bool(plan.later))


def _agreed(plan: Plan) -> bool:
    if not sys.stdin.isatty():
        message = (
            "apply asks before it changes anything, and there is no terminal to ask on: pass --yes"
        )
        raise SettingsError(message)
    return click.confirm(_question(plan), err=True)


def _question(plan: Plan) -> str:
    starts, later = plan.count(Action.START), len(plan.later)
    if not starts + later:
        return "Apply this?"
    total = plan.estimate
    price = f", about {total['pu']:,.0f} PU" if total["pu"] else ", at a price that is not known"
    now = counted(starts, "job")
    which = f"{now}, and {later} later" if later else now
    return f"Start {which}{price}?"
