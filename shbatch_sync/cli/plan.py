"""`plan`: what apply would do. Sends nothing but GET, and the call for a token."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from shbatch_sync.cli.output import Output, format_option, speaking
from shbatch_sync.cli.selection import Permission, Selection, gating, selecting
from shbatch_sync.cli.terms import make_terms, service_of
from shbatch_sync.cli.workspace import check_restart, open_workspace, policy_of
from shbatch_sync.errors import CredentialsMissingError, ExitCode, SettingsError
from shbatch_sync.workspace import make_run, open_target

if TYPE_CHECKING:
    from shbatch_sync.plan import Plan, Policy
    from shbatch_sync.planfile import Terms
    from shbatch_sync.workspace import Workspace

FORMATS = ("text", "json", "markdown")


@click.command("plan")
@selecting
@gating
@format_option(*FORMATS)
@click.option(
    "--out",
    "--json-into",
    "out",
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help="Save the plan as JSON as well, for `show` and `apply`.",
)
@click.option(
    "--offline",
    is_flag=True,
    help="Plan from manifests and ledger alone, where there are no credentials.",
)
@click.option("--detailed-exitcode", is_flag=True, help="End with 2 if there is something to do.")
@speaking
def command(
    output: Output,
    selection: Selection,
    permission: Permission,
    style: str,
    out: str | None,
    offline: bool,
    detailed_exitcode: bool,
) -> int:
    """Show what apply would change, and what it would cost."""
    if out is not None and "-" in selection.paths:
        message = "--out: a plan of a manifest from standard input could not be made again; give it a file"
        raise SettingsError(message)
    workspace = open_workspace(output, selection)
    check_restart(workspace, permission)
    policy = policy_of(workspace, permission)
    plan, service = _plan(workspace, policy, offline=offline)
    from shbatch_sync.planfile import to_json  # noqa: PLC0415

    terms = make_terms(output, workspace, selection, permission, service=service, policy=policy)
    show(output, plan, style, terms)
    output.save(out, lambda: to_json(plan, terms))
    return ExitCode.CHANGES if detailed_exitcode and plan.has_changes else ExitCode.OK


def _plan(workspace: Workspace, policy: Policy, *, offline: bool) -> tuple[Plan, str]:
    """Return the plan, and where the service it is about was seen."""
    if offline:
        from shbatch_sync.cli.offline import SERVICE, offline_plan  # noqa: PLC0415

        return offline_plan(workspace, policy), SERVICE
    from shbatch_sync.reconcile.looking import look  # noqa: PLC0415

    try:
        with open_target(workspace) as session:
            plan = look(make_run(workspace, session, policy), record=False).plan
            return plan, service_of(session)
    except CredentialsMissingError as error:
        message = f"{error}\n  without credentials, `plan --offline` goes by the manifests and the ledger alone"
        raise SettingsError(message) from None


def show(output: Output, plan: Plan, style: str = "text", terms: Terms | None = None) -> None:
    """Print a plan."""
    if style == "json":
        from shbatch_sync.planfile import to_json  # noqa: PLC0415

        output.json(to_json(plan, terms))
    elif style == "markdown":
        from shbatch_sync.render.markdown import render_markdown  # noqa: PLC0415

        output.result(render_markdown(plan))
    else:
        from shbatch_sync.render.plan_text import render_plan  # noqa: PLC0415

        output.result(render_plan(plan, output.paint))
