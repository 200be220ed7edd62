"""Text of a manifest or project file to plain JSON documents that know where each of their values stands."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from shbatch_sync.aliases import multiplied
from shbatch_sync.errors import Problem
from shbatch_sync.jsontext import JsonRefusedError, loads, within
from shbatch_sync.pointer import Steps, to_pointer
from shbatch_sync.yamlquick import OddError, quick
from shbatch_sync.yamltext import (
    MAX_DEPTH,
    MAX_NODES,
    TOO_MANY_ALIASES,
    Construction,
    Fault,
    RefusedError,
    compose,
    place,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    r"""The text of one file.

    Attributes:
        file: Path as the user would write it, relative to the project; `-` for standard input.
        text: Its content, without byte order mark, line ends as `\n`.
    """

    file: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One YAML or JSON document.

    Attributes:
        source: The file it stands in.
        index: Its place among the documents of the file, from 0.
        line: 1-based line it begins on.
        data: Its plain JSON value.
    """

    source: Source
    index: int
    line: int
    data: Any

    def locate(self, steps: Steps, *, key: bool = False) -> tuple[int, int]:
        """Return 1-based line and column of the value at `steps`, or of the nearest one around it.

        Args:
            steps: The way from the root of the document.
            key: Point at the key in front of the value instead.
        """
        roots = _roots(self.source.text)
        if self.index >= len(roots):
            return self.line, 1
        return _locate(roots[self.index], steps, key=key)

    def problem(
        self, steps: Steps, message: str, code: str, *, key: bool = False, severity: str = "error"
    ) -> Problem:
        """Return a problem with the value at `steps`."""
        line, column = self.locate(steps, key=key)
        return Problem(
            file=self.source.file,
            line=line,
            column=column,
            pointer=to_pointer(steps),
            message=message,
            code=code,
            severity=severity,
        )


def parse(source: Source) -> tuple[list[Document], list[Problem]]:
    """Return the documents of `source` and what is wrong with its text.

    A document with a problem is left out. JSON is read as JSON, everything else as YAML 1.2 with one difference:
    what YAML 1.1 and 1.2 read differently (`010`) is a problem.
    """
    if source.file.endswith(".json") or source.file == "-":
        found = _parse_json(source)
        if found[0] or source.file != "-":
            return found
    try:
        return _parse_yaml(source)
    except RefusedError as error:
        return [], [_problem(source, error.line, error.column, str(error), "yaml-limit")]
    except yaml.YAMLError as error:
        return [], [_syntax_problem(source, error)]


def _parse_json(source: Source) -> tuple[list[Document], list[Problem]]:
    if not source.text.strip():
        return [], [_problem(source, 1, 1, "the file is empty", "empty")]
    try:
        data = loads(source.text)
    except JsonRefusedError as error:
        return [], [_problem(source, error.line, error.column, str(error), "json-syntax")]
    if not within(data, MAX_DEPTH, MAX_NODES):
        message = f"deeper than {MAX_DEPTH} levels or more than {MAX_NODES:,} values"
        return [], [_problem(source, 1, 1, message, "yaml-limit")]
    return [Document(source=source, index=0, line=1, data=data)], []


def _parse_yaml(source: Source) -> tuple[list[Document], list[Problem]]:
    documents: list[Document] = []
    problems: list[Problem] = []
    roots = compose(source.text)
    for root in roots if "*" in source.text else ():
        _refuse_multiplied(root)
    for index, root in enumerate(roots):
        data, faults = _plain(root, source)
        line, column = place(root)
        if data is None and not faults:
            problems.append(_problem(source, line, column, "the document is empty", "empty"))
        problems += [
            _problem(source, fault.line, fault.column, fault.message, fault.code, fault.steps)
            for fault in faults
        ]
        if data is not None and not faults:
            documents.append(Document(source=source, index=index, line=line, data=data))
    if not roots:
        problems.append(
            _problem(source, 1, 1, "the file is empty or holds nothing but comments", "empty")
        )
    return documents, problems


def _plain(root: Node, source: Source) -> tuple[Any, list[Fault]]:
    """Return a document as plain JSON, and what has no such form; the careful way is the slower one."""
    if "&" not in source.text or "*" not in source.text:
        try:
            return quick(root), []
        except OddError:
            pass
    construction = Construction()
    return construction.value(root), construction.faults


def _refuse_multiplied(root: Node) -> None:
    node = multiplied(root)
    if node is not None:
        raise RefusedError(TOO_MANY_ALIASES, *place(node))


def _problem(
    source: Source, line: int, column: int, message: str, code: str, steps: Steps = ()
) -> Problem:
    return Problem(
        file=source.file,
        line=line,
        column=column,
        pointer=to_pointer(steps),
        message=message,
        code=code,
    )


def _syntax_problem(source: Source, error: yaml.YAMLError) -> Problem:
    if isinstance(error, yaml.MarkedYAMLError):
        return _marked_problem(source, error)
    position = getattr(error, "position", 0)
    head = source.text[:position]
    line, column = head.count("\n") + 1, position - head.rfind("\n")
    reason = getattr(error, "reason", None) or str(error)
    return _problem(source, line, column, f"not readable as YAML: {reason}", "yaml-syntax")


def _marked_problem(source: Source, error: yaml.MarkedYAMLError) -> Problem:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    marks = {mark.line for mark in (error.problem_mark, error.context_mark) if mark}
    message = ": ".join(part for part in (error.context, error.problem) if part)
    lines = source.text.split("\n")
    if any("{{" in lines[number] for number in marks if number < len(lines)):
        message = 'an expression in braces must stand in quotes here: quote it, as in "${{ name }}"'
    elif "'\\t'" in message or (line <= len(lines) and "\t" in lines[line - 1][:column]):
        message = "a tab cannot indent YAML: use spaces"
    return _problem(source, line, column, message, "yaml-syntax")


@lru_cache(maxsize=4)
def _roots(text: str) -> Sequence[Node]:
    """Return nodes once more: kept for all documents they would need ten times the text's room."""
    try:
        return compose(text)
    except (yaml.YAMLError, RefusedError):
        return ()  # JSON that is no YAML


def _locate(node: Node, steps: Steps, *, key: bool) -> tuple[int, int]:
    at = node
    for number, step in enumerate(steps):
        found = _child(node, step)
        if found is None:
            break
        key_node, node = found
        at = key_node if key and number == len(steps) - 1 else node
    return place(at)


def _child(node: Node, step: str | int) -> tuple[Node, Node] | None:
    if isinstance(node, SequenceNode):
        if isinstance(step, int) and step < len(node.value):
            return node.value[step], node.value[step]
        return None
    if not isinstance(node, MappingNode):
        return None
    for key, value in node.value:
        if isinstance(key, ScalarNode) and key.value == step:
            return key, value
    return _merged_child(node, step)


def _merged_child(node: MappingNode, step: str | int) -> tuple[Node, Node] | None:
    for key, value in node.value:
        if isinstance(key, ScalarNode) and key.value == "<<":
            for other in value.value if isinstance(value, SequenceNode) else [value]:
                found = _child(other, step)
                if found is not None:
                    return found
    return None
