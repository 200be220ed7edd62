"""`history`: what the ledger remembers, beside what it was expected to cost; needs no network and no credentials."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from shbatch_sync.cli.output import Output, format_option, into_option, speaking, verbose_option
from shbatch_sync.cli.selection import has_name, job_option, target_option
from shbatch_sync.cli.variables import as_environment, variable_options
from shbatch_sync.cli.workspace import named_target
from shbatch_sync.errors import ExitCode, ManifestError, SettingsError
from shbatch_sync.ledger import Ledger
from shbatch_sync.ledger_line import Entry, dump
from shbatch_sync.past import Past, by_job, entries_of, estimated, past_requests, sum_up
from shbatch_sync.plural import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shbatch_sync.job import Job
    from shbatch_sync.project import Project, Target


@click.command("history")
@target_option
@job_option
@variable_options
@format_option("text", "json", "csv")
@into_option
@verbose_option("Whole ids.")
@speaking
def command(
    output: Output,
    target: str | None,
    globs: tuple[str, ...],
    variables: tuple[str, ...],
    style: str,
    into: str | None,
) -> int:
    """Print what the ledger of a target remembers: runs, ids, ends, and their cost against today's estimates."""
    from shbatch_sync.store.project import find_project, load_project  # noqa: PLC0415

    env = {**os.environ, **as_environment(variables)}
    project = load_project(find_project(Path(output.directory)))
    chosen = named_target(project, target)
    entries = _entries(output, project, chosen)
    if globs:
        entries = entries_of(entries, lambda name: has_name(name, globs))
    rows = _compared(output, chosen, past_requests(entries), env)
    output.save(into, lambda: _document(chosen, entries, rows))
    match style:
        case "json":
            output.json(_document(chosen, entries, rows))
        case "csv":
            from shbatch_sync.render.history_csv import history_csv  # noqa: PLC0415

            output.result(history_csv(entries, rows))
        case _:
            from shbatch_sync.render.history_text import render_history  # noqa: PLC0415

            output.result(render_history(rows, output.paint, verbose=output.verbose > 0))
    return ExitCode.OK


def _entries(output: Output, project: Project, target: Target) -> Sequence[Entry]:
    from shbatch_sync.session import open_ledger  # noqa: PLC0415

    with open_ledger(project, target, os.environ) as store:
        lines = store.read()
        if target.ledger == "none" or not store.exists():
            output.say(f"target {target.name} has no ledger ({store.place})")
    if unreadable := getattr(store, "unreadable", ()):
        which = ", ".join(map(str, unreadable))
        output.say(f"warning: ledger {store.place}: left out, for it cannot be read: {which}")
    known = Ledger.of(lines, project=project.name, target=target.name, account=target.account)
    return known.entries


def _compared(
    output: Output, target: Target, rows: Sequence[Past], env: Mapping[str, str]
) -> Sequence[Past]:
    """Return the rows with the estimates of what is still declared; without any where nothing has cost anything."""
    if not any(row.cost_pu for row in rows):
        return rows
    from shbatch_sync.pricing import Prices  # noqa: PLC0415

    jobs = _declared(output, target, env)
    return estimated(rows, jobs, Prices(jobs))


def _declared(output: Output, target: Target, env: Mapping[str, str]) -> Sequence[Job]:
    """Return the jobs of a target; none where the manifests cannot be used, for the past is the past."""
    from shbatch_sync.store.project import load  # noqa: PLC0415

    try:
        loaded = load(directory=output.directory, target=target.name, env=env, may_be_empty=True)
        return [job for job in loaded.jobs if job.target == target.name]
    except ManifestError as error:
        reason = f"{counted(len(error.problems), 'problem')}, see `shbatch-sync validate`"
    except SettingsError as error:
        reason = str(error)
    output.say(f"warning: no estimates, for the manifests cannot be read: {reason}")
    return ()


def _document(target: Target, entries: Sequence[Entry], rows: Sequence[Past]) -> dict[str, Any]:
    return {
        "formatVersion": "1.0",
        "target": target.name,
        "entries": [json.loads(dump(entry)) for entry in entries],
        "requests": [_request(row) for row in rows],
        "jobs": [{"job": job, **_sums(mine)} for job, mine in by_job(rows).items()],
        "total": _sums(rows),
    }


def _sums(rows: Sequence[Past]) -> dict[str, Any]:
    sums = sum_up(rows)
    return {
        "requests": sums.requests,
        "ended": sums.ended,
        "seconds": round(sums.took.total_seconds()),
        "costPU": sums.cost_pu,
    }


def _request(row: Past) -> dict[str, Any]:
    from shbatch_sync.planfile import estimate_to_json  # noqa: PLC0415

    return {
        "job": row.job,
        "generation": row.generation,
        "try": row.attempt,
        "requestId": row.request_id,
        "begun": row.begun.isoformat().replace("+00:00", "Z"),
        "state": row.state,
        "seconds": None if row.took is None else round(row.took.total_seconds()),
        "costPU": row.cost_pu,
        "estimate": estimate_to_json(row.estimate),
        "ratio": row.ratio,
    }
