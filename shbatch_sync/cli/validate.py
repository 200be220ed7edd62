"""`validate`: every problem of every manifest, without network or credentials."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from shbatch_sync.cli.output import Output, format_option, into_option, speaking
from shbatch_sync.cli.problems import problem_text
from shbatch_sync.cli.selection import paths_argument
from shbatch_sync.cli.variables import as_environment, variable_options
from shbatch_sync.errors import ExitCode, ManifestError, Problem
from shbatch_sync.plural import counted


@click.command("validate")
@paths_argument
@click.option("--target", metavar="NAME", help="For jobs that name none.")
@variable_options
@format_option("text", "json", "github", "sarif")
@into_option
@speaking
def command(
    output: Output,
    paths: tuple[str, ...],
    target: str | None,
    variables: tuple[str, ...],
    style: str,
    into: str | None,
) -> int:
    """Check every manifest of the project, offline; reports all problems at once."""
    from shbatch_sync.store.project import load  # noqa: PLC0415

    env = {**os.environ, **as_environment(variables)}
    try:
        loaded = load(paths, directory=output.directory, target=target, env=env)
    except ManifestError as error:
        problems, jobs, notes = error.problems, 0, []
    else:
        problems, jobs = loaded.problems, len(loaded.jobs)
        notes = [_unset(variable, unable) for variable, unable in loaded.unset.items()]
    output.save(into, lambda: _document(problems, jobs, notes))
    _report(output, style, problems, jobs=jobs, notes=notes)
    return ExitCode.OK if _valid(problems) else ExitCode.ERROR


def _unset(variable: str, jobs: tuple[str, ...]) -> str:
    return f"{variable} is not set; {counted(len(jobs), 'job')} cannot be created without it"


def _report(
    output: Output, style: str, problems: Sequence[Problem], *, jobs: int, notes: Sequence[str] = ()
) -> None:
    match style:
        case "json":
            output.json(_document(problems, jobs, notes))
        case "sarif":
            from shbatch_sync.render.findings import sarif  # noqa: PLC0415

            output.json(sarif(problems, _prefix(output)))
        case "github":
            _annotate(output, problems, jobs, notes)
        case _:
            _print(output, problems, jobs, notes)


def _valid(problems: Sequence[Problem]) -> bool:
    return not any(problem.severity != "warning" for problem in problems)


def _document(problems: Sequence[Problem], jobs: int, notes: Sequence[str]) -> dict[str, Any]:
    return {
        "formatVersion": "1.0",
        "valid": _valid(problems),
        "jobs": jobs,
        "problems": [
            {
                "file": problem.file,
                "line": problem.line,
                "column": problem.column,
                "pointer": problem.pointer,
                "message": problem.message,
                "code": problem.code,
                "severity": problem.severity,
            }
            for problem in problems
        ],
        "notes": list(notes),
    }


def _prefix(output: Output) -> str:
    """Return the project's folder as seen from the top of the repository, where a forge looks for files."""
    from shbatch_sync.errors import SettingsError  # noqa: PLC0415
    from shbatch_sync.store.git import prefix  # noqa: PLC0415
    from shbatch_sync.store.project import find_project  # noqa: PLC0415

    try:
        return prefix(find_project(Path(output.directory)).parent)
    except SettingsError:
        return ""


def _annotate(output: Output, problems: Sequence[Problem], jobs: int, notes: Sequence[str]) -> None:
    from shbatch_sync.render.findings import workflow_commands  # noqa: PLC0415

    text = workflow_commands(problems, notes, _prefix(output))
    if text:
        output.commands(text)
    if _valid(problems):
        output.result(f"{counted(jobs, 'job')}, no errors.")


def _print(output: Output, problems: Sequence[Problem], jobs: int, notes: Sequence[str]) -> None:
    for note in notes:
        output.say(f"warning: {note}")
    if problems:
        output.result(problem_text(problems))
    if _valid(problems):
        output.result(f"{counted(jobs, 'job')}, no errors.")
