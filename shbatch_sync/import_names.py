"""Names for jobs that are made of requests nobody gave a name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from shbatch_sync.normalize import normalize
from shbatch_sync.slug import slug

if TYPE_CHECKING:
    from shbatch_sync.importing import Subject

_LONGEST = 54  # a name has 63 characters, and a collision adds nine
_DIGITS = 8


def name_all(subjects: Sequence[Subject], taken: Collection[str]) -> list[str]:
    """Return a name for each of `subjects`, made of what it is; those of one name get digits of their ids."""
    wanted = [_wanted_name(subject) for subject in subjects]
    counts = Counter(wanted)
    used = {*taken, *(name for name in counts if counts[name] == 1)}
    names = []
    for subject, name in zip(subjects, wanted, strict=True):
        if counts[name] > 1 or name in taken:
            name = _with_digits(name, subject.hex, used)  # noqa: PLW2901 - the same name, longer
            used.add(name)
        names.append(name)
    return names


def _with_digits(name: str, digits: str, used: Collection[str]) -> str:
    length = _DIGITS
    while (longer := f"{name[: 62 - length].rstrip('-')}-{digits[:length]}") in used:
        length += 1
    return longer


def _wanted_name(subject: Subject) -> str:
    first = subject.description.partition("\n")[0]
    words = slug(first) or slug(_summary(subject.body)) or "imported"
    if len(words) <= _LONGEST:
        return words
    return words[: _LONGEST + 1].rpartition("-")[0] or words[:_LONGEST]


def _summary(body: Mapping[str, Any]) -> str:
    """Return what a request without a description is about: its data and its first output."""
    process = normalize(body).get("processRequest", {})
    data, responses = (
        process.get("input", {}).get("data"),
        process.get("output", {}).get("responses"),
    )
    parts = [_first(data, "type"), _first(responses, "identifier")]
    return " ".join(part for part in parts if part)


def _first(items: Any, key: str) -> str:
    item = items[0] if isinstance(items, list) and items else None
    return str(item.get(key, "")) if isinstance(item, dict) else ""
