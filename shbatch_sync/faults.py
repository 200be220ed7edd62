"""Errors of jsonschema, brought down to the ones that a person can act on.

A schema with alternatives reports that none of them fits, which helps nobody. Here the alternative that was most
likely meant is chosen, by its `type`, its kind of value, or the fewest mistakes, and its mistakes are reported.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shbatch_sync import wording
from shbatch_sync.suggest import did_you_mean, nearest

if TYPE_CHECKING:
    from jsonschema import ValidationError

    from shbatch_sync.pointer import Steps

SECRET_KEYS = frozenset({"accessKey", "secretAccessKey", "credentials", "clientId", "clientSecret"})
# As many of one document can be mended at a time, and each takes milliseconds to explain.
MAX_FAULTS = 200
_MORE = f"there is more than these {MAX_FAULTS} faults: the rest is told when they are mended"
_EXPRESSION = {"$ref": "#/$defs/expression"}
_EXPRESSION_PATTERN = r"\$\{\{"
_TYPE_KEYWORDS = frozenset({"const", "enum", "pattern", "type", ""})


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaFault:
    """One way in which data does not fit its schema.

    Attributes:
        steps: The way to the value.
        message: What is wrong, without the value where it may be secret.
        code: `schema`, `unknown-key`, `unknown-value`, `missing-key` or `secret-literal`.
        at_key: Whether the key is at fault, not its value.
        meant: Key beside or below the value that is missing, or was misspelt.
    """

    steps: Steps
    message: str
    code: str = "schema"
    at_key: bool = False
    meant: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Mistake:
    """An error of jsonschema in plain types.

    Attributes:
        keyword: That of the schema which is not met; empty for a schema that allows nothing.
        value: Of the keyword.
        instance: The data.
        schema: The one the keyword stands in; empty for a schema that allows nothing.
        steps: The way to the data from the root.
        own: The way to the data from where the alternatives branch.
        text: jsonschema's message.
        branches: What is wrong with each alternative, by its index.
    """

    keyword: str
    value: Any
    instance: Any
    schema: Mapping[str, Any]
    steps: Steps
    own: Steps
    text: str
    branches: Mapping[int, Sequence[_Mistake]]

    def misses(self, key: str) -> bool:
        """Return whether the mistake is that `key` is not there."""
        # jsonschema yields one error a key, and says which one only in its text
        return self.keyword == "required" and f"{key!r} is a required" in self.text

    @property
    def strangers(self) -> list[str]:
        """Keys that the schema does not know."""
        if self.keyword != "additionalProperties":
            return []
        known, patterns = (
            self.schema.get("properties", {}),
            self.schema.get("patternProperties", {}),
        )
        return [
            key
            for key in self.instance
            if key not in known and not any(re.search(pattern, key) for pattern in patterns)
        ]


_Branch = Sequence[_Mistake]


def explain(errors: Iterable[ValidationError]) -> list[SchemaFault]:
    """Return `errors` as faults: the likeliest alternative only, no fault twice."""
    found: dict[tuple[Steps, str], SchemaFault] = {}
    for error in errors:
        if len(found) >= MAX_FAULTS:
            found[(), _MORE] = SchemaFault(steps=(), message=_MORE)
            break
        for fault in _faults(_mistake(error)):
            found.setdefault((fault.steps, fault.message), fault)
    return _without_consequences(list(found.values()))


def _mistake(error: ValidationError) -> _Mistake:
    branches: dict[int, list[_Mistake]] = {}
    if error.validator in ("anyOf", "oneOf"):
        for cause in error.context:
            branches.setdefault(int(cause.schema_path[0]), []).append(_mistake(cause))
    return _Mistake(
        keyword=error.validator if isinstance(error.validator, str) else "",
        value=error.validator_value,
        instance=error.instance,
        schema=error.schema if isinstance(error.schema, Mapping) else {},
        steps=tuple(error.absolute_path),
        own=tuple(error.relative_path),
        text=error.message,
        branches=branches,
    )


def _without_consequences(faults: list[SchemaFault]) -> list[SchemaFault]:
    """Leave out that a key is missing where another fault says that it is misspelt."""
    misspelt = [
        (fault.steps[:-1], fault.message) for fault in faults if fault.code == "unknown-key"
    ]
    return [
        fault
        for fault in faults
        if fault.code != "missing-key"
        or not any(
            at == fault.steps and f"did you mean {fault.message.split()[0]}?" in message
            for at, message in misspelt
        )
    ]


def _faults(mistake: _Mistake) -> list[SchemaFault]:
    steps = mistake.steps
    if steps and steps[-1] in SECRET_KEYS and isinstance(mistake.instance, str):
        return [SchemaFault(steps=steps, message=wording.LITERAL_SECRET, code="secret-literal")]
    if mistake.branches:
        return _likeliest(mistake)
    if mistake.keyword == "additionalProperties":
        return [_unknown_key(mistake, key) for key in mistake.strangers]
    if mistake.keyword == "required":
        missing = [key for key in mistake.value if mistake.misses(key)]
        return [
            SchemaFault(steps=steps, message=f"{key!r} is missing", code="missing-key", meant=key)
            for key in missing
        ]
    code = "unknown-value" if mistake.keyword == "enum" else "schema"
    return [SchemaFault(steps=steps, message=_message(mistake), code=code)]


def _message(mistake: _Mistake) -> str:
    if not mistake.keyword or SECRET_KEYS.intersection(map(str, mistake.steps)):
        return wording.discreet(mistake.keyword, mistake.value, mistake.schema)
    return (
        wording.of(mistake.keyword, mistake.value, mistake.instance, mistake.schema) or mistake.text
    )


def _unknown_key(mistake: _Mistake, key: str) -> SchemaFault:
    schema = mistake.schema
    known = list(schema.get("properties", {}))
    message, meant = f"unknown key {key!r}", None
    if key in wording.MOVED:
        message += f": {wording.MOVED[key]}"
    elif "patternProperties" in schema:
        message = f"{key!r} is no name: {' or '.join(schema['patternProperties'])}"
    else:
        free = [name for name in known if name not in mistake.instance]
        meant = nearest(key, free) or nearest(key, known)
        message += did_you_mean(key, [meant]) if meant else f" (known: {', '.join(known)})"
    return SchemaFault(
        steps=(*mistake.steps, key), message=message, code="unknown-key", at_key=True, meant=meant
    )


def _likeliest(mistake: _Mistake) -> list[SchemaFault]:
    wanted = [
        causes
        for index, causes in mistake.branches.items()
        if mistake.value[index] != _EXPRESSION and not _is_expression(causes)
    ]
    fitting = [causes for causes in wanted if not _is_other_kind(causes)]
    if not fitting:
        kinds = [kind for causes in wanted for cause in causes for kind in _kinds(cause)]
        message = wording.not_of_kind(mistake.instance, dict.fromkeys(kinds))
        return [SchemaFault(steps=mistake.steps, message=message)]
    typed = [causes for causes in fitting if _type_mistakes(causes)]
    named = [causes for causes in fitting if not _is_other_type(causes)]
    if typed and not named:
        return [_wrong_type(typed, mistake.steps)]
    return [fault for cause in min(named or fitting, key=_weight) for fault in _faults(cause)]


def _kinds(cause: _Mistake) -> list[str]:
    return wording.kind_names(cause.value) if cause.keyword == "type" and not cause.own else []


def _is_expression(causes: _Branch) -> bool:
    """Tell the branch of a data set whose type is an expression: never what was meant by a plain value."""
    return any(
        cause.value == _EXPRESSION_PATTERN or not cause.keyword for cause in _type_mistakes(causes)
    )


def _is_other_kind(causes: _Branch) -> bool:
    return any(cause.keyword == "type" and not cause.own for cause in causes)


def _type_mistakes(causes: _Branch) -> list[_Mistake]:
    """Return what says that the branch has another `type`, or needs one."""
    return [
        cause
        for cause in causes
        if (cause.own == ("type",) and cause.keyword in _TYPE_KEYWORDS)
        or (not cause.own and cause.misses("type"))
    ]


def _is_other_type(causes: _Branch) -> bool:
    return bool(_type_mistakes(causes)) or any(
        not cause.own and "type" in cause.strangers for cause in causes
    )


def _weight(causes: _Branch) -> tuple[int, int]:
    """Mistakes in the keys of the value itself count most: they tell that another alternative was meant."""
    own = [cause for cause in causes if not cause.own]
    strangers = sum(len(cause.strangers) for cause in own)
    return strangers + sum(cause.keyword == "required" for cause in own), len(causes)


def _wrong_type(branches: Sequence[_Branch], steps: Steps) -> SchemaFault:
    allowed: list[str] = []
    for causes in branches:
        for cause in _type_mistakes(causes):
            missing = cause.keyword == "required"
            allowed += wording.type_names(
                cause.schema["properties"]["type"] if missing else cause.schema
            )
    allowed = list(dict.fromkeys(allowed))
    first = _type_mistakes(branches[0])[0]
    if first.keyword == "required":
        return SchemaFault(
            steps=steps,
            message=f"'type' is missing: {', '.join(allowed)}",
            code="missing-key",
            meant="type",
        )
    message = wording.not_one_of(first.instance, allowed)
    return SchemaFault(steps=(*steps, "type"), message=message, code="unknown-value")
