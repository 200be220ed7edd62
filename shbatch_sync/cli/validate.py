"""`validate`: every problem of every manifest, without network or credentials."""

from __future__ import annotations

import os

import click

from shbatch_sync.cli.output import Output, speaking
from shbatch_sync.cli.problems import problem_text
from shbatch_sync.errors import ExitCode, ManifestError, Problem


@click.command("validate")
@click.argument("paths", nargs=-1, type=click.Path())
@click.option("--target", metavar="NAME", help="For jobs that name none.")
@click.option(
    "--format",
    "style",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Of the result.",
)
@speaking
def command(output: Output, paths: tuple[str, ...], target: str | None, style: str) -> int:
    """Check every manifest of the project, offline; reports all problems at once."""
    from shbatch_sync.store.project import load  # noqa: PLC0415

    try:
        loaded = load(paths, directory=output.directory, target=target, env=os.environ)
    except ManifestError as error:
        _report(output, style, error.problems, jobs=0)
        return ExitCode.ERROR
    unset = [_unset(variable, jobs) for variable, jobs in loaded.unset.items()]
    _report(output, style, loaded.problems, jobs=len(loaded.jobs), notes=unset)
    return ExitCode.OK


def _unset(variable: str, jobs: tuple[str, ...]) -> str:
    return f"{variable} is not set; {len(jobs)} job{'s' if len(jobs) > 1 else ''} cannot be created without it"


def _report(
    output: Output,
    style: str,
    problems: tuple[Problem, ...],
    *,
    jobs: int,
    notes: list[str] | None = None,
) -> None:
    valid = not any(problem.severity != "warning" for problem in problems)
    if style == "json":
        document = {
            "formatVersion": "1.0",
            "valid": valid,
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
            "notes": notes or [],
        }
        output.json(document)
        return
    for note in notes or []:
        output.say(f"warning: {note}")
    if problems:
        output.result(problem_text(problems))
    if valid:
        output.result(f"{jobs} job{'' if jobs == 1 else 's'}, no errors.")
