"""Problems of manifests, for people: all at once, by place, counted at the end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from shbatch_sync.cli.output import discreet
from shbatch_sync.plural import counted
from shbatch_sync.render.escape import no_commands, printable

if TYPE_CHECKING:
    from shbatch_sync.cli.output import Output
    from shbatch_sync.errors import Problem
    from shbatch_sync.store.project import Loaded


# As many lines of one kind can be read; beyond, what they have in common says more.
MANY = 20
FEW = 3


def problem_text(problems: Sequence[Problem]) -> str:
    """Return one line a problem, those that are alike together where they are many, and a last line that counts them."""
    errors = sum(problem.severity != "warning" for problem in problems)
    warnings = len(problems) - errors
    words = [counted(errors, "error")] if errors else []
    words += [counted(warnings, "warning")] if warnings else []
    return "\n".join([*map(printable, _lines(problems)), f"{', '.join(words)}."])


def _lines(problems: Sequence[Problem]) -> Iterator[str]:
    """Yield problems in their order; what many of one kind have in common stands where the first of them is."""
    kinds: dict[tuple[str, str], list[Problem]] = {}
    for problem in problems:
        kinds.setdefault((problem.severity, problem.code), []).append(problem)
    told: set[tuple[str, str]] = set()
    for problem in problems:
        kind = (problem.severity, problem.code)
        if len(kinds[kind]) <= MANY:
            yield str(problem)
        elif kind not in told:
            told.add(kind)
            yield from _together(kinds[kind])


def _together(problems: Sequence[Problem]) -> Iterator[str]:
    alike: dict[str, list[Problem]] = {}
    for problem in problems:
        alike.setdefault(problem.message, []).append(problem)
    shown = list(alike.values())[:MANY]
    for group in shown:
        yield str(group[0])
        others = [f"{one.file}:{one.line}:{one.column}" for one in group[1:FEW]]
        more = len(group) - FEW
        if others:
            yield f"  the same at {', '.join(others)}" + (
                f" and {more:,} more places" if more > 0 else ""
            )
    rest = len(problems) - sum(map(len, shown))
    if rest:
        yield f"  and {rest:,} more [{problems[0].code}]: `shbatch-sync validate --format json` has them all"


def report_problems(problems: Sequence[Problem]) -> None:
    """Print problems on stderr."""
    click.echo(no_commands(discreet(problem_text(problems))), err=True)


def report_warnings(output: Output, loaded: Loaded) -> None:
    """Print the warnings of a project that can be used, on stderr."""
    for line in _lines(loaded.problems):
        output.say(printable(line))
    for variable, jobs in loaded.unset.items():
        output.say(f"warning: {variable} is not set; {_names(jobs)} cannot be created without it")


def _names(jobs: Sequence[str]) -> str:
    return jobs[0] if len(jobs) == 1 else f"{jobs[0]} and {len(jobs) - 1} more"
