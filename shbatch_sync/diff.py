"""What differs between two request bodies, told by field; the only importer of deepdiff.

Deepdiff explains and does not decide: it is far too slow to be asked about every job, so equal sides are found
by comparing their canonical JSON first.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from shbatch_sync.digest import without_credentials
from shbatch_sync.normalize import MEMBERS, normalize


class Kind(StrEnum):
    """How a field differs, seen from the declared side."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field that differs.

    Attributes:
        path: JSON pointer within the request body.
        kind: Whether the field is new, gone or another.
        before: What the service holds; None where it holds nothing.
        after: What is declared; None where nothing is.
        reason: Empty for a real difference; else why it does not count.
    """

    path: str
    kind: Kind
    before: Any = None
    after: Any = None
    reason: str = ""


def changed_fields(desired: Mapping[str, Any], live: Mapping[str, Any]) -> tuple[FieldChange, ...]:
    """Return what really differs between a declared spec and the service's echo, sorted by path."""
    found = _compare(normalize(live), normalize(desired))
    return tuple(field for field in found if not _filled_in(field.path, field.kind))


# What stands below these is named by the user, not by the API.
_NAMED_BY_USERS = ("/arrayOverrides/", "/customAttributes/", "/compressor/")


def _filled_in(path: str, kind: Kind) -> bool:
    """Say whether a member that only the echo has is none that anybody took out of a manifest.

    The region of a bucket defaults to the deployment's (Batch V2 reference), which no table of ours can know; and a
    service may answer with members that this release has never heard of.
    """
    if kind is not Kind.REMOVED or any(place in path for place in _NAMED_BY_USERS):
        return False
    names = [step for step in path.split("/") if step and not step.isdigit()]
    return path.endswith("/s3/region") or (bool(names) and names[-1] not in MEMBERS)


def suppressed_fields(
    desired: Mapping[str, Any], live: Mapping[str, Any]
) -> tuple[FieldChange, ...]:
    """Return what only looks different: the service's defaults, other spellings of one value."""
    real = {field.path for field in changed_fields(desired, live)}
    return tuple(
        FieldChange(field.path, field.kind, field.before, field.after, _SUPPRESSIONS[field.kind])
        for field in _compare(_visible(live), _visible(desired))
        if field.path not in real
    )


def same(left: Any, right: Any) -> bool:
    """Say whether two JSON values are equal, telling `true` from `1`."""
    return left == right and _text(left) == _text(right)


def _visible(spec: Mapping[str, Any]) -> dict[str, Any]:
    visible: dict[str, Any] = without_credentials(
        {key: value for key, value in spec.items() if key != "description"}
    )
    return visible


_SUPPRESSIONS = {
    Kind.REMOVED: "filled in by the service",
    Kind.ADDED: "the service's default, spelt out",
    Kind.CHANGED: "the same value in other words",
}


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


# Told as wholes: line by line or number by number they say nothing, and there may be a million numbers.
_WHOLES = (
    ("processRequest", "evalscript"),
    ("processRequest", "input", "bounds", "geometry"),
)


def _compare(before: dict[str, Any], after: dict[str, Any]) -> tuple[FieldChange, ...]:
    if same(before, after):
        return ()
    wholes = [field for steps in _WHOLES if (field := _whole(steps, before, after)) is not None]
    parts = _deep(_without(before, _WHOLES), _without(after, _WHOLES))
    found = tuple(sorted([*wholes, *parts], key=lambda field: field.path))
    # Whatever deepdiff may take for equal: two sides that are not the same differ.
    return found or (FieldChange("", Kind.CHANGED, before, after),)


def _whole(steps: tuple[str, ...], before: Any, after: Any) -> FieldChange | None:
    old, new = _at(steps, before), _at(steps, after)
    if same(old, new):
        return None
    kind = Kind.ADDED if old is None else Kind.REMOVED if new is None else Kind.CHANGED
    return FieldChange(pointer(list(steps)), kind, old, new)


def _at(steps: tuple[str, ...], value: Any) -> Any:
    for step in steps:
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def _without(value: Any, paths: tuple[tuple[str, ...], ...]) -> Any:
    """Return a copy that lacks the members at `paths`."""
    if not isinstance(value, Mapping):
        return value
    gone = {path[0] for path in paths if len(path) == 1}
    return {
        key: _without(item, tuple(path[1:] for path in paths if path[0] == key and len(path) > 1))
        for key, item in value.items()
        if key not in gone
    }


def _deep(before: dict[str, Any], after: dict[str, Any]) -> Iterator[FieldChange]:
    from deepdiff import DeepDiff  # noqa: PLC0415 - a tenth of a second that a plan without changes never spends

    found = DeepDiff(
        before,
        after,
        view="tree",
        # Otherwise a whole object is reported where few of its keys are shared,
        threshold_to_diff_deeper=0,
        # and members whose names begin with two underscores are passed over.
        ignore_private_variables=False,
        # Item by item; otherwise lists are hashed, and 1 and true are one hash.
        zip_ordered_iterables=True,
    )
    kinds = {
        "dictionary_item_added": Kind.ADDED,
        "iterable_item_added": Kind.ADDED,
        "dictionary_item_removed": Kind.REMOVED,
        "iterable_item_removed": Kind.REMOVED,
    }
    for group, levels in found.items():
        kind = kinds.get(group, Kind.CHANGED)
        for level in levels:
            yield FieldChange(
                pointer(level.path(output_format="list")),
                kind,
                None if kind is Kind.ADDED else level.t1,
                None if kind is Kind.REMOVED else level.t2,
            )


def pointer(steps: list[Any]) -> str:
    """Return the JSON pointer (RFC 6901) of a path given as steps."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)
