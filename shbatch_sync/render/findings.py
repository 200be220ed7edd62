"""Problems of manifests for those that show them beside the line: GitHub's annotations, and SARIF."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from shbatch_sync.errors import Problem
from shbatch_sync.render.escape import printable
from shbatch_sync.version import __version__

SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def workflow_commands(
    problems: Sequence[Problem], notes: Sequence[str] = (), prefix: str = ""
) -> str:
    """Return problems as workflow commands of GitHub Actions, one a line.

    Args:
        problems: Each becomes an annotation of its line.
        notes: Warnings without a place.
        prefix: Folder of the project within the repository, ending with a slash; files are named from the top.
    """
    lines = [
        f"::{_level(problem)} file={_property(prefix + problem.file)},line={problem.line},"
        f"col={problem.column},title={_property(problem.code)}::{_data(_message(problem))}"
        for problem in problems
    ]
    return "\n".join([*lines, *(f"::warning::{_data(note)}" for note in notes)])


def _level(problem: Problem) -> str:
    return "warning" if problem.severity == "warning" else "error"


def _message(problem: Problem) -> str:
    text = f"{problem.pointer}: {problem.message}" if problem.pointer else problem.message
    return printable(text)


def _data(text: str) -> str:
    escaped = printable(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return escaped.replace("##", "#%23")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def sarif(problems: Sequence[Problem], prefix: str = "") -> dict[str, Any]:
    """Return problems as a SARIF 2.1.0 log, for code scanning and editors."""
    rules = sorted({problem.code for problem in problems})
    driver = {
        "name": "shbatch-sync",
        "version": __version__,
        "rules": [{"id": code} for code in rules],
    }
    return {
        "$schema": SARIF_SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "columnKind": "unicodeCodePoints",
                "results": [_result(problem, rules, prefix) for problem in problems],
            }
        ],
    }


def _result(problem: Problem, rules: Sequence[str], prefix: str) -> dict[str, Any]:
    place = {
        "artifactLocation": {"uri": quote(prefix + problem.file)},
        "region": {"startLine": problem.line, "startColumn": problem.column},
    }
    return {
        "ruleId": problem.code,
        "ruleIndex": rules.index(problem.code),
        "level": _level(problem),
        "message": {"text": _message(problem)},
        "locations": [{"physicalLocation": place}],
    }
