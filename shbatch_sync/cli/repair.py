"""`repair`: write damaged markers back, after asking."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from shbatch_sync.cli.output import Output, speaking
from shbatch_sync.cli.running import make_run
from shbatch_sync.cli.workspace import Selection, open_workspace, policy_of, target_option
from shbatch_sync.errors import ExitCode, SettingsError
from shbatch_sync.render.escape import one_line

if TYPE_CHECKING:
    from shbatch_sync.repair import Mend


@click.command("repair")
@target_option
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@speaking
def command(output: Output, target: str | None, yes: bool) -> int:
    """Write damaged markers back; says for each request how its owner was told."""
    from shbatch_sync.reconcile.apply import look  # noqa: PLC0415
    from shbatch_sync.reconcile.mending import mend  # noqa: PLC0415
    from shbatch_sync.repair import mends  # noqa: PLC0415
    from shbatch_sync.session import open_session  # noqa: PLC0415

    workspace = open_workspace(output, target, Selection())
    with open_session(workspace.project, workspace.target, os.environ) as session:
        run = make_run(workspace, session, policy_of(workspace))
        current = look(run, record=False)
        found = mends(workspace.jobs, current.inventory, current.ledger, current.plan.facts)
        output.result("\n".join(_lines(found)) if found else "no marker is damaged")
        ready = [one for one in found if one.marker is not None]
        if ready and not yes:
            _ask(len(ready))
        failed = [text for one in ready if (text := mend(run, one)) is not None]
    for text in failed:
        output.say(f"error: {text}")
    if failed:
        return ExitCode.ERROR
    return ExitCode.ATTENTION if len(ready) < len(found) else ExitCode.OK


def _ask(number: int) -> None:
    if not sys.stdin.isatty():
        message = (
            "repair asks before it changes anything, and there is no terminal to ask on: pass --yes"
        )
        raise SettingsError(message)
    click.confirm(f"Write {number} marker{'s' if number > 1 else ''} back?", err=True, abort=True)


def _lines(found: list[Mend]) -> list[str]:
    lines = []
    for one in found:
        lines.append(f"{'~' if one.marker else '!'}   {one.request_id}: {one_line(one.why)}")
        lines.append(f"      - {one_line(one.was)}")
        if one.marker is not None:
            lines.append(f"      + {one_line(one.becomes)}")
    return lines
