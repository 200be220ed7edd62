"""`status`: where every job stands."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from shbatch_sync.cli.output import Output, format_option, into_option, speaking, verbose_option
from shbatch_sync.cli.selection import Selection, selecting
from shbatch_sync.cli.workspace import open_workspace, policy_of
from shbatch_sync.errors import ExitCode
from shbatch_sync.ledger_line import Entry, Event
from shbatch_sync.plural import counted
from shbatch_sync.standing import Standing, standings
from shbatch_sync.workspace import make_run, open_target

if TYPE_CHECKING:
    from shbatch_sync.store.ledger import LedgerStore

_NAMES = {
    "request_id": "requestId",
    "user_action": "userAction",
    "cost_pu": "costPU",
    "stop_reason": "stopReason",
}

# A name as the schema of manifests has it, or a glob of such names; `-` is standard input.
NAME = re.compile(r"[a-z0-9*?][a-z0-9._*?-]{0,62}")


@click.command("status")
@selecting
@format_option("text", "json")
@into_option
@click.option(
    "--record",
    is_flag=True,
    help="Write ends, and requests of ours that it lacks, into the ledger.",
)
@verbose_option("Every job with its request's id and where its results are.")
@speaking
def command(
    output: Output, selection: Selection, style: str, into: str | None, record: bool
) -> int:
    """Show where every job stands: state, progress, cost, what is next, where the results are.

    A path may also be the name of a job, which is then told in full.
    """
    from shbatch_sync.reconcile.looking import look  # noqa: PLC0415
    from shbatch_sync.reconcile.recording import take_in  # noqa: PLC0415

    named = tuple(path for path in selection.paths if _is_name(output, path))
    paths = tuple(path for path in selection.paths if path not in named)
    selection = replace(selection, paths=paths, words=named)
    workspace = open_workspace(output, selection)
    with open_target(workspace) as session:
        run = make_run(workspace, session, policy_of(workspace))
        known = set(session.ledger.read()) if record else set()
        current = look(run, record=record)
        if record:
            _say_recorded(output, session.ledger, known, take_in(run, current))
    rows = standings(workspace.jobs, current.inventory, current.ledger, current.plan)
    document = {
        "formatVersion": "1.0",
        "target": workspace.target.name,
        "jobs": [_json(row) for row in rows],
    }
    output.save(into, lambda: document)
    if style == "json":
        output.json(document)
        return ExitCode.OK
    from shbatch_sync.render.status_text import render_status  # noqa: PLC0415

    output.result(render_status(rows, output.paint, verbose=bool(named) or output.verbose > 0))
    return ExitCode.OK


def _say_recorded(
    output: Output, ledger: LedgerStore, known: Collection[Entry], taken: int
) -> None:
    new = [line for line in ledger.read() if line not in known]
    ends = sum(line.event is Event.FINAL for line in new)
    words = f"{counted(taken, 'request')} taken in, {counted(ends, 'end')} written down"
    output.say(f"ledger {ledger.place}: {words}")


def _is_name(output: Output, path: str) -> bool:
    """Say whether an argument is a job's name, or a glob of names: nothing else is called so here."""
    if path.endswith((".yaml", ".yml", ".json")):
        return False
    return NAME.fullmatch(path) is not None and not Path(output.directory, path).exists()


def _json(row: Standing) -> dict[str, object]:
    members = {_NAMES.get(key, key): value for key, value in asdict(row).items()}
    return {**members, "updated": row.updated.isoformat() if row.updated else None}
