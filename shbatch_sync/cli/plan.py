"""`plan`: what apply would do. Sends nothing but GET, and the call for a token."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from shbatch_sync.cli.output import Output, json_text, speaking
from shbatch_sync.cli.running import make_run
from shbatch_sync.cli.terms import make_terms, service_of
from shbatch_sync.cli.workspace import (
    Selection,
    gating,
    open_workspace,
    policy_of,
    selecting,
    since_option,
)
from shbatch_sync.errors import ExitCode, SettingsError

if TYPE_CHECKING:
    from shbatch_sync.cli.workspace import Workspace
    from shbatch_sync.plan import Plan, Policy
    from shbatch_sync.planfile import Terms

FORMATS = ("text", "json", "markdown")


@click.command("plan")
@selecting
@since_option
@gating
@click.option(
    "--format",
    "style",
    type=click.Choice(FORMATS),
    default="text",
    show_default=True,
    help="Of the result.",
)
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
    paths: tuple[str, ...],
    target: str | None,
    globs: tuple[str, ...],
    labels: tuple[str, ...],
    variables: tuple[str, ...],
    since: str | None,
    prune: bool,
    allow: tuple[str, ...],
    restart: tuple[str, ...],
    max_pu: float | None,
    style: str,
    out: str | None,
    offline: bool,
    detailed_exitcode: bool,
) -> int:
    """Show what apply would change, and what it would cost."""
    if out is not None and "-" in paths:
        message = "--out: a plan of a manifest from standard input could not be made again; give it a file"
        raise SettingsError(message)
    selection = Selection(paths=paths, globs=globs, labels=labels, since=since)
    workspace = open_workspace(output, target, selection, variables)
    policy = policy_of(workspace, prune=prune, allow=allow, restart=restart, max_pu=max_pu)
    plan, service = _plan(workspace, policy, offline=offline)
    terms = make_terms(
        output,
        workspace,
        selection,
        policy,
        service=service,
        variables=variables,
        asked={"prune": prune, "allow": allow, "restart": restart, "max_pu": max_pu},
    )
    show(output, plan, style, terms)
    if out is not None:
        write(plan, terms, Path(output.directory) / out)
    return ExitCode.CHANGES if detailed_exitcode and plan.has_changes else ExitCode.OK


def _plan(workspace: Workspace, policy: Policy, *, offline: bool) -> tuple[Plan, str]:
    """Return the plan, and where the service it is about was seen."""
    if offline:
        from shbatch_sync.cli.offline import SERVICE, offline_plan  # noqa: PLC0415

        return offline_plan(workspace, policy), SERVICE
    from shbatch_sync.reconcile.apply import look  # noqa: PLC0415
    from shbatch_sync.session import open_session  # noqa: PLC0415

    with open_session(workspace.project, workspace.target, os.environ) as session:
        plan = look(make_run(workspace, session, policy), record=False).plan
        return plan, service_of(session)


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


def write(plan: Plan, terms: Terms, path: Path) -> None:
    """Write a plan to a file, whole or not at all."""
    from shbatch_sync.planfile import to_json  # noqa: PLC0415

    beside = path.with_name(f"{path.name}.part")
    beside.write_text(json_text(to_json(plan, terms), indent=2) + "\n", encoding="utf-8")
    beside.replace(path)
