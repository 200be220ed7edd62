"""`history`: what the ledger remembers; needs no network and no credentials."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase

import click

from shbatch_sync.cli.output import Output, speaking
from shbatch_sync.cli.workspace import target_option
from shbatch_sync.errors import ExitCode, SettingsError
from shbatch_sync.ledger import Ledger, dump


@click.command("history")
@target_option
@click.option("--job", "globs", multiple=True, metavar="GLOB", help="Only jobs with such a name.")
@click.option(
    "--format",
    "style",
    type=click.Choice(["text", "json", "csv"]),
    default="text",
    show_default=True,
    help="Of the result.",
)
@speaking
def command(output: Output, target: str | None, globs: tuple[str, ...], style: str) -> int:
    """Print what the ledger of a target remembers: runs, ids, ends and processing units."""
    from pathlib import Path  # noqa: PLC0415

    from shbatch_sync.session import ledger_of  # noqa: PLC0415
    from shbatch_sync.store.project import find_project, load_project  # noqa: PLC0415

    project = load_project(find_project(Path(output.directory)))
    name = target or project.default_target
    if name is None or name not in project.targets:
        message = f"which target? pass --target with one of: {', '.join(project.targets)}"
        raise SettingsError(message)
    store = ledger_of(project, project.targets[name])
    pinned = project.targets[name].account
    known = Ledger.of(store.read(), project=project.name, target=name, account=pinned)
    entries = [
        entry
        for entry in known.entries
        if not globs or any(fnmatchcase(entry.job, glob) for glob in globs)
    ]
    if unreadable := getattr(store, "unreadable", ()):
        lines = ", ".join(map(str, unreadable))
        output.say(f"warning: {store.place}: line {lines} cannot be read and is left out")
    if style == "json":
        told = [json.loads(dump(entry)) for entry in entries]
        output.json({"formatVersion": "1.0", "target": name, "entries": told})
        return ExitCode.OK
    if style == "csv":
        from shbatch_sync.render.history_csv import history_csv  # noqa: PLC0415

        output.result(history_csv(entries))
        return ExitCode.OK
    from shbatch_sync.render.history_text import render_history  # noqa: PLC0415

    output.result(render_history(entries, output.paint))
    return ExitCode.OK
