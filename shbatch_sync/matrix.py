"""The matrix of a manifest: one job for every combination of its axes.

An axis is a list, `{dates: {from, to, step}}`, or `{features: FILE, id: properties.x}`. `exclude` and `include`
work as in GitHub Actions: an exclude removes what it matches in part; an include adds its values to every
combination it does not contradict, or is a combination of its own. Where values are maps, a map matches every
map that has at least its members. An exclude names axes only.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from shbatch_sync.dates import DateError, periods
from shbatch_sync.expressions import Scope, Unresolved, expand
from shbatch_sync.files import FileReader, FileRefusedError
from shbatch_sync.geojson import features
from shbatch_sync.slug import slug
from shbatch_sync.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from shbatch_sync.pointer import Steps

MAX_COMBINATIONS = 5_000
_SPECIAL = ("include", "exclude")

Row = dict[str, Any]


class MatrixError(Exception):
    """A matrix that gives no combinations; `steps` lead to what is wrong within it.

    `others` are further things that are wrong with it, so that all are told at once.
    """

    def __init__(self, message: str, *steps: str | int) -> None:
        super().__init__(message)
        self.steps: Steps = steps
        self.others: tuple[MatrixError, ...] = ()


def combinations(matrix: Any, scope: Scope, files: FileReader, beside: str) -> list[Row]:
    """Return the combinations of `matrix` in the order it is written, the first axis slowest.

    Args:
        matrix: As the manifest has it, valid by its schema.
        scope: Names its expressions may use.
        files: Reads feature files.
        beside: The manifest's own file.

    Raises:
        MatrixError: A value cannot be had, or there are none or too many.
    """
    unresolved: list[Unresolved] = []
    matrix = expand(matrix, scope, unresolved)
    _raise([MatrixError(one.message, *one.steps) for one in unresolved])
    axes, errors = {}, []
    for name, axis in matrix.items():
        if name not in _SPECIAL:
            try:
                axes[name] = _values(name, axis, files, beside)
            except MatrixError as error:
                errors.append(error)
    _raise([*errors, *_strange_excludes(matrix)])
    _refuse_explosion(axes)
    rows = (
        [dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values())]
        if axes
        else []
    )
    rows = [
        row
        for row in rows
        if not any(_matches(row, wanted) for wanted in matrix.get("exclude", ()))
    ]
    rows = _with_includes(rows, set(axes), matrix.get("include", ()))
    if not rows:
        message = "gives no combination: everything is excluded"
        raise MatrixError(message)
    if len(rows) > MAX_COMBINATIONS:
        raise MatrixError(_too_many(len(rows)))
    return rows


def _strange_excludes(matrix: Mapping[str, Any]) -> Iterator[MatrixError]:
    """Yield the keys of excludes that are no axis: a misspelt one would exclude nothing, and be paid."""
    axes = [name for name in matrix if name not in _SPECIAL]
    for number, wanted in enumerate(matrix.get("exclude", ())):
        for key in wanted:
            if key not in axes:
                known = f" (known: {', '.join(axes) or 'nothing'})"
                message = f"no axis {key!r}{did_you_mean(key, axes) or known}"
                yield MatrixError(message, "exclude", number, key)


def _raise(errors: Sequence[MatrixError]) -> None:
    if errors:
        first, *others = errors
        first.others = tuple(others)
        raise first


def _refuse_explosion(axes: Mapping[str, Sequence[Any]]) -> None:
    count = 1
    for values in axes.values():
        count *= len(values)
    if count > MAX_COMBINATIONS:
        sizes = " × ".join(f"{name} {len(values)}" for name, values in axes.items())
        message = f"{_too_many(count)} ({sizes})"
        raise MatrixError(message)


def _too_many(count: int) -> str:
    return f"gives {count:,} jobs, a manifest may have {MAX_COMBINATIONS:,}: split it"


def _values(name: str, axis: Any, files: FileReader, beside: str) -> Sequence[Any]:
    if isinstance(axis, list) and axis:
        return axis
    if isinstance(axis, dict) and isinstance(axis.get("dates"), dict):
        return _dates(name, axis["dates"])
    if isinstance(axis, dict) and isinstance(axis.get("features"), str):
        return _features(name, axis, files, beside)
    message = "an axis is a list of values, {dates: {from, to, step}}, or {features: FILE, id: …}"
    raise MatrixError(message, name)


def _dates(name: str, dates: Mapping[str, Any]) -> Sequence[Row]:
    try:
        found = periods(
            dates.get("from"), dates.get("to"), str(dates.get("step", "P1M")), MAX_COMBINATIONS
        )
    except DateError as error:
        raise MatrixError(str(error), name, "dates", error.key) from None
    return [{"start": period.start, "end": period.end, "label": period.label} for period in found]


def _features(name: str, axis: Mapping[str, Any], files: FileReader, beside: str) -> Sequence[Row]:
    path = str(axis.get("id", "id"))
    try:
        found = features(files.read(axis["features"], beside=beside))
    except FileRefusedError as error:
        raise MatrixError(str(error), name, "features") from None
    rows = [_feature(name, path, number, feature) for number, feature in enumerate(found, 1)]
    seen: dict[str, Any] = {}
    for row in rows:
        if row["slug"] in seen:
            message = f"the ids {seen[row['slug']]!r} and {row['id']!r} both give the slug {row['slug']!r}"
            raise MatrixError(message, name, "id")
        seen[row["slug"]] = row["id"]
    if not rows:
        message = f"{axis['features']} has no features"
        raise MatrixError(message, name, "features")
    return rows


def _feature(axis: str, path: str, number: int, feature: Mapping[str, Any]) -> Row:
    value: Any = feature
    for step in path.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        message = f"feature {number} has no {path}, which is to name it"
        raise MatrixError(message, axis, "id")
    short = slug(str(value))
    if not short:
        message = f"the id {value!r} of feature {number} has no letter or digit to make a name of"
        raise MatrixError(message, axis, "id")
    return {
        "id": value,
        "slug": short,
        "properties": feature.get("properties") or {},
        "geometry": feature.get("geometry"),
    }


def _matches(row: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    return all(key in row and _contains(row[key], value) for key, value in wanted.items())


def _contains(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, dict):
        return isinstance(value, dict) and _matches(value, wanted)
    return bool(value == wanted) and isinstance(value, bool) == isinstance(wanted, bool)


def _with_includes(rows: list[Row], axes: set[str], includes: Sequence[Row]) -> list[Row]:
    originals = list(rows)
    result = list(rows)
    for include in includes:
        own = {key: value for key, value in include.items() if key in axes}
        added = {key: value for key, value in include.items() if key not in axes}
        fitting = [row for row in originals if _matches(row, own)]
        for row in fitting:
            row.update(added)
        if not fitting:
            result.append(dict(include))
    return result
