"""`plan`: what apply would do. Sends nothing but GET, and the call for a token."""

from __future__ import annotations

import os
from pathlib import Path

import click

from shbatch_sync.cli.output import Output, speaking
from shbatch_sync.cli.running import make_run
from shbatch_sync.cli.workspace import Selection, gating, open_workspace, policy_of, selecting
from shbatch_sync.errors import ExitCode
from shbatch_sync.plan import Plan


@click.command("plan")
@selecting
@gating
@click.option(
    "--format",
    "style",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Of the result.",
)
@click.option(
    "--out", type=click.Path(dir_okay=False), help="Write the plan as JSON to a file as well."
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
    prune: bool,
    allow: tuple[str, ...],
    restart: tuple[str, ...],
    max_pu: float | None,
    style: str,
    out: str | None,
    detailed_exitcode: bool,
) -> int:
    """Show what apply would change, and what it would cost."""
    from shbatch_sync.reconcile.apply import look  # noqa: PLC0415
    from shbatch_sync.session import open_session  # noqa: PLC0415

    workspace = open_workspace(
        output, target, Selection(paths=paths, globs=globs, labels=labels), variables
    )
    policy = policy_of(workspace, prune=prune, allow=allow, restart=restart, max_pu=max_pu)
    with open_session(workspace.project, workspace.target, os.environ) as session:
        plan = look(make_run(workspace, session, policy), record=False).plan
    show(output, plan, style)
    if out is not None:
        write(plan, Path(output.directory) / out)
    return ExitCode.CHANGES if detailed_exitcode and plan.has_changes else ExitCode.OK


def show(output: Output, plan: Plan, style: str = "text") -> None:
    """Print a plan."""
    if style == "json":
        from shbatch_sync.planfile import to_json  # noqa: PLC0415

        output.json(to_json(plan))
        return
    from shbatch_sync.render.plan_text import render_plan  # noqa: PLC0415

    output.result(render_plan(plan, output.paint))


def write(plan: Plan, path: Path) -> None:
    """Write a plan to a file, whole or not at all."""
    import json  # noqa: PLC0415

    from shbatch_sync.planfile import to_json  # noqa: PLC0415

    beside = path.with_name(f"{path.name}.part")
    beside.write_text(json.dumps(to_json(plan), indent=2) + "\n", encoding="utf-8")
    beside.replace(path)
