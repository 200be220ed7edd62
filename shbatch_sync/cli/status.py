"""`status`: where every job stands."""

from __future__ import annotations

import os
from dataclasses import asdict

import click

from shbatch_sync.cli.output import Output, speaking
from shbatch_sync.cli.running import make_run
from shbatch_sync.cli.workspace import Selection, open_workspace, policy_of, selecting, since_option
from shbatch_sync.errors import ExitCode
from shbatch_sync.standing import Standing, standings

_NAMES = {
    "request_id": "requestId",
    "user_action": "userAction",
    "cost_pu": "costPU",
    "stop_reason": "stopReason",
}


@click.command("status")
@selecting
@since_option
@click.option(
    "--format",
    "style",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Of the result.",
)
@click.option(
    "--record",
    is_flag=True,
    help="Write ends, and requests of ours that it lacks, into the ledger.",
)
@speaking
def command(
    output: Output,
    paths: tuple[str, ...],
    target: str | None,
    globs: tuple[str, ...],
    labels: tuple[str, ...],
    variables: tuple[str, ...],
    since: str | None,
    style: str,
    record: bool,
) -> int:
    """Show where every job stands: state, progress, cost, what is next, where the results are."""
    from shbatch_sync.reconcile.apply import look, take_in  # noqa: PLC0415
    from shbatch_sync.session import open_session  # noqa: PLC0415

    selection = Selection(paths=paths, globs=globs, labels=labels, since=since)
    workspace = open_workspace(output, target, selection, variables)
    with open_session(workspace.project, workspace.target, os.environ) as session:
        run = make_run(workspace, session, policy_of(workspace))
        current = look(run, record=record)
        if record:
            taken = take_in(run, current)
            output.say(
                f"ledger {session.ledger.place}: {taken} request{'' if taken == 1 else 's'} taken in"
            )
    rows = standings(workspace.jobs, current.inventory, current.ledger, current.plan)
    if style == "json":
        output.json(
            {
                "formatVersion": "1.0",
                "target": workspace.target.name,
                "jobs": [_json(row) for row in rows],
            }
        )
        return ExitCode.OK
    from shbatch_sync.render.status_text import render_status  # noqa: PLC0415

    output.result(render_status(rows, output.paint, verbose=output.verbose > 0))
    return ExitCode.OK


def _json(row: Standing) -> dict[str, object]:
    members = {_NAMES.get(key, key): value for key, value in asdict(row).items()}
    return {**members, "updated": row.updated.isoformat() if row.updated else None}
