"""`${{ name }}` in the strings of a manifest: found, looked up, put in.

    "${{ vars.resolution }}"       only an expression: the value keeps its type
    "ndvi-${{ matrix.month }}"     within text: becomes text
    "$${{ as it is }}"             an escaped one: the first dollar goes, the rest stays

A name leads through mappings and lists: `matrix.region.bbox.0`. There is nothing but names, on purpose: no
functions, no environment, no arithmetic, so that a manifest reads the same for everyone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from shbatch_sync.pointer import Steps, to_pointer
from shbatch_sync.suggest import did_you_mean

# An escape, an expression, or an opening that nothing closes.
_TOKEN = re.compile(r"\$(\$\{\{)|\$\{\{\s*([^{}]*?)\s*\}\}|(\$\{\{)")
_NAME = re.compile(r"[A-Za-z_][\w-]*(?:\.[\w-]+)*")
MARK = "${{"


class ExpressionError(Exception):
    """An expression that has no value; the message says which name was meant, if one is near.

    It is empty where another problem that has been told is the cause.
    """


@dataclass(slots=True)
class Scope:
    """The names an expression may use.

    Attributes:
        names: First step of a name → its value.
        absent: First step of a name → why it has no value here; empty where that has been told already.
    """

    names: Mapping[str, Any]
    absent: Mapping[str, str] = field(default_factory=dict)

    def lookup(self, name: str) -> Any:
        """Return the value of `name`.

        Raises:
            ExpressionError: There is none.
        """
        if not _NAME.fullmatch(name):
            message = (
                f"${{{{ {name} }}}} is not a name: only names such as vars.bucket may stand there"
            )
            raise ExpressionError(message)
        first, *rest = name.split(".")
        if first in self.absent and first not in self.names:
            reason = self.absent[first]
            message = f"${{{{ {name} }}}}: {reason}" if reason else ""
            raise ExpressionError(message)
        value: Any = self.names
        for number, step in enumerate([first, *rest]):
            found, value = _step(value, step)
            if not found:
                raise ExpressionError(
                    _undefined(name, ".".join([first, *rest][:number]), step, value)
                )
        return value


def _step(value: Any, step: str) -> tuple[bool, Any]:
    if isinstance(value, Mapping) and step in value:
        return True, value[step]
    if isinstance(value, list) and step.isdecimal() and int(step) < len(value):
        return True, value[int(step)]
    return False, value


def _undefined(name: str, prefix: str, step: str, around: Any) -> str:
    message = f"${{{{ {name} }}}} is not defined"
    if isinstance(around, Mapping):
        known = [f"{prefix}.{key}" if prefix else str(key) for key in around]
        wanted = f"{prefix}.{step}" if prefix else step
        hint = did_you_mean(wanted, known)
        if prefix == "vars" and not hint:
            hint = f"; set it under `vars`, by --var {step}=… or SHBATCH_VAR_{step}"
        return message + (hint or f" (known: {', '.join(known) or 'nothing'})")
    if isinstance(around, list):
        return f"{message}: {prefix} is a list of {len(around)}"
    return f"{message}: {prefix} is a single value"


def expand_text(text: str, scope: Scope) -> Any:
    """Return `text` with its expressions replaced.

    Raises:
        ExpressionError: A name has no value, or a value that cannot stand within text.
    """
    if MARK not in text:
        return text
    whole = _TOKEN.fullmatch(text)
    if whole and whole[2] is not None:
        return scope.lookup(whole[2])
    return _TOKEN.sub(lambda match: _replacement(match, scope), text)


def _replacement(match: re.Match[str], scope: Scope) -> str:
    if match[1]:
        return MARK
    if match[3]:
        message = "${{ is not closed by }}: to mean it as text, write $${{"
        raise ExpressionError(message)
    value = scope.lookup(match[2])
    if isinstance(value, str):
        return value
    if isinstance(value, (dict, list)) or value is None:
        kind = (
            "a mapping"
            if isinstance(value, dict)
            else "a list"
            if isinstance(value, list)
            else "empty"
        )
        message = f"${{{{ {match[2]} }}}} is {kind}, which cannot stand within text"
        raise ExpressionError(message)
    return json.dumps(value)


@dataclass(frozen=True, slots=True)
class Unresolved:
    """An expression without a value: the way to its string, and why; without words where that has been told already."""

    steps: Steps
    message: str

    @property
    def pointer(self) -> str:
        """The way as a JSON pointer."""
        return to_pointer(self.steps)


def expand(data: Any, scope: Scope, unresolved: list[Unresolved], steps: Steps = ()) -> Any:
    """Return `data` with every expression in it replaced; those without a value go to `unresolved`.

    Parts without an expression are the same objects as before.
    """
    if isinstance(data, str):
        if MARK not in data:
            return data
        try:
            return expand_text(data, scope)
        except ExpressionError as error:
            unresolved.append(Unresolved(steps, str(error)))
            return data
    if isinstance(data, dict):
        return {key: expand(value, scope, unresolved, (*steps, key)) for key, value in data.items()}
    if isinstance(data, list):
        return [
            expand(value, scope, unresolved, (*steps, index)) for index, value in enumerate(data)
        ]
    return data


def has_expression(data: Any) -> bool:
    """Return whether any string within `data` holds an expression, or an escaped one."""
    if isinstance(data, str):
        return MARK in data
    if isinstance(data, dict):
        return any(has_expression(value) for value in data.values())
    if isinstance(data, list):
        return any(has_expression(value) for value in data)
    return False
