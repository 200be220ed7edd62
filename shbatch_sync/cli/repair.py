"""`repair`: write damaged markers back, after asking."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from shbatch_sync.cli.output import Output, speaking
from shbatch_sync.cli.selection import Selection, target_option
from shbatch_sync.cli.variables import variable_options
from shbatch_sync.cli.workspace import open_workspace, policy_of
from shbatch_sync.errors import ExitCode, SettingsError
from shbatch_sync.plural import counted
from shbatch_sync.render.escape import one_line
from shbatch_sync.workspace import make_run, open_target

if TYPE_CHECKING:
    from shbatch_sync.repair import Mend


@click.command("repair")
@target_option
@variable_options
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@speaking
def command(output: Output, target: str | None, variables: tuple[str, ...], yes: bool) -> int:
    """Write damaged markers back; says for each request how its owner was told."""
    from shbatch_sync.reconcile.looking import look  # noqa: PLC0415
    from shbatch_sync.reconcile.mending import mend  # noqa: PLC0415
    from shbatch_sync.repair import mends  # noqa: PLC0415

    workspace = open_workspace(output, Selection(target=target, variables=variables))
    with open_target(workspace) as session:
        run = make_run(workspace, session, policy_of(workspace))
        current = look(run, record=False)
        found = mends(workspace.jobs, current.inventory, current.ledger, current.plan.facts)
        output.result("\n".join(_lines(found)) if found else "no marker is damaged")
        ready = [one for one in found if one.marker is not None]
        if ready and not yes and not _agreed(len(ready)):
            output.say("nothing was changed")
            return ExitCode.ERROR
        failed = [text for one in ready if (text := mend(run, one)) is not None]
    if ready:
        output.say(f"{counted(len(ready) - len(failed), 'marker')} written back")
    for text in failed:
        output.say(f"error: {text}")
    if failed:
        return ExitCode.ERROR
    return ExitCode.ATTENTION if len(ready) < len(found) else ExitCode.OK


def _agreed(number: int) -> bool:
    if not sys.stdin.isatty():
        message = (
            "repair asks before it changes anything, and there is no terminal to ask on: pass --yes"
        )
        raise SettingsError(message)
    return click.confirm(f"Write {counted(number, 'marker')} back?", err=True)


def _lines(found: list[Mend]) -> list[str]:
    lines = []
    for one in found:
        lines.append(f"{'~' if one.marker else '!'}   {one.request_id}: {one_line(one.why)}")
        lines.append(f"      - {one_line(one.was)}")
        if one.marker is not None:
            lines.append(f"      + {one_line(one.becomes)}")
    return lines
