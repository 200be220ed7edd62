"""Problems of manifests, for people: all at once, by place, counted at the end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from shbatch_sync.render.escape import no_commands, printable

if TYPE_CHECKING:
    from shbatch_sync.cli.output import Output
    from shbatch_sync.errors import Problem
    from shbatch_sync.store.project import Loaded


def problem_text(problems: Sequence[Problem]) -> str:
    """Return one line a problem and a last line that counts them."""
    errors = sum(problem.severity != "warning" for problem in problems)
    warnings = len(problems) - errors
    words = [_count(errors, "error")] if errors else []
    words += [_count(warnings, "warning")] if warnings else []
    return "\n".join([*(printable(str(problem)) for problem in problems), f"{', '.join(words)}."])


def report_problems(problems: Sequence[Problem]) -> None:
    """Print problems on stderr."""
    click.echo(no_commands(problem_text(problems)), err=True)


def report_warnings(output: Output, loaded: Loaded) -> None:
    """Print the warnings of a project that can be used, on stderr."""
    for problem in loaded.problems:
        output.say(printable(str(problem)))
    for variable, jobs in loaded.unset.items():
        output.say(f"warning: {variable} is not set; {_names(jobs)} cannot be created without it")


def _names(jobs: Sequence[str]) -> str:
    return jobs[0] if len(jobs) == 1 else f"{jobs[0]} and {len(jobs) - 1} more"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
