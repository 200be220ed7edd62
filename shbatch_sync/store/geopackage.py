"""Reading a local GeoPackage: what is in it, and how many features a request would process, of which size in pixels.

Layout as the service wants it (Batch V2 docs, GeoPackage input): every feature table has `width` and `height`, or
`resolution`; the geometry column is registered. The file is opened read-only and trusted with nothing.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shbatch_sync.cost.area import area_in
from shbatch_sync.cost.features import Features
from shbatch_sync.package import MAX_FEATURES, MAX_SIDE, FeatureTable, Package
from shbatch_sync.store.feature_tables import Table, tables_of
from shbatch_sync.store.strange_db import opened, rows
from shbatch_sync.store.wkb import (
    GeometryError,
    body_of,
    box_of,
    check_area,
    is_area,
    is_plain,
    kind_of,
)

_SHOWN = 5
_SHOWN_LENGTH = 60
_CHUNK = 2000
_SIZES = ("width", "height", "resolution")

Size = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class GeoPackageFile:
    """A GeoPackage that lies in the project; it is read once for each question.

    Attributes:
        path: Relative to the project's root.
        file: Where it is on this machine.
        sha256: Of its content, in hex.
    """

    path: str
    file: str
    sha256: str
    _known: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    def package(self) -> Package:
        """Return what is in it.

        Raises:
            SettingsError: It is no GeoPackage that can be read.
        """
        if "" not in self._known:
            self._known[""] = read_package(Path(self.file))
        found: Package = self._known[""]
        return found

    def features(
        self, bounds: Mapping[str, Any] | None, defaults: Mapping[str, Any] | None
    ) -> Features:
        """Count the features that a request processes, by size.

        Raises:
            SettingsError: It is no GeoPackage that can be read.
            AreaError: The bounds cannot be compared with the features.
        """
        area = bounds if bounds and not bounds.keys().isdisjoint(("bbox", "geometry")) else None
        key = json.dumps([area, defaults], sort_keys=True)
        if key not in self._known:
            self._known[key] = read_features(Path(self.file), bounds=area, defaults=defaults)
        found: Features = self._known[key]
        return found


def read_features(
    path: Path,
    *,
    bounds: Mapping[str, Any] | None = None,
    defaults: Mapping[str, Any] | None = None,
) -> Features:
    """Count the features of a GeoPackage by size.

    Args:
        path: The local copy.
        bounds: `processRequest.input.bounds`; only features that meet it are processed. None: all.
        defaults: `input.defaults`: width and height, or resolution, for features without their own.

    Raises:
        SettingsError: It is no GeoPackage that can be read.
        AreaError: The bounds cannot be used.
    """
    sizes: Counter[Size | None] = Counter()
    with opened(path) as connection:
        most = path.stat().st_size
        tables = tables_of(connection)
        if not tables:
            message = "it has no feature table"
            raise ValueError(message)
        for table in tables:
            found = rows(connection, table.select(*_SIZES), most)
            for row in found if bounds is None else _met(found, bounds, table):
                sizes[_size(row, defaults or {})] += 1
                if sizes.total() > MAX_FEATURES:
                    break
    unsized = sizes.pop(None, 0)
    known = {size: count for size, count in sizes.items() if size is not None}
    return Features(sizes=known, unsized=unsized, inferred=_notes(known, unsized, bounds))


def _notes(
    sizes: Mapping[Size, int], unsized: int, bounds: Mapping[str, Any] | None
) -> tuple[str, ...]:
    notes = []
    if bounds:
        notes.append("features that meet the area are counted whole")
    if large := sum(count for size, count in sizes.items() if max(size) > MAX_SIDE):
        notes.append(
            f"{large} features are larger than {MAX_SIDE} pixels, which the service refuses"
        )
    if sum(sizes.values()) + unsized > MAX_FEATURES:
        notes.append(f"more than {MAX_FEATURES:,} features, which the service refuses")
    return tuple(notes)


def read_package(path: Path) -> Package:
    """Return what is in a GeoPackage; reading ends where it holds more features than the service takes.

    Raises:
        SettingsError: It cannot be read.
    """
    seen = _Seen()
    with opened(path) as connection:
        tables = tables_of(connection)
        for table in tables:
            for identifier, blob in rows(
                connection, table.select("identifier"), path.stat().st_size
            ):
                seen.add(table, identifier, blob)
                if seen.count > MAX_FEATURES:
                    break
    return seen.package(tables, open_elsewhere=_has_journal(path))


def _has_journal(path: Path) -> bool:
    journals = (path.with_name(f"{path.name}{end}") for end in ("-wal", "-journal"))
    return any(journal.is_file() and journal.stat().st_size > 0 for journal in journals)


@dataclass(slots=True)
class _Seen:
    """What the rows of all tables add up to."""

    count: int = 0
    unnamed: int = 0
    shapeless: int = 0
    names: set[str] = field(default_factory=set)
    twins: Counter[str] = field(default_factory=Counter)
    shapes: Counter[str] = field(default_factory=Counter)

    def add(self, table: Table, identifier: Any, blob: Any) -> None:
        """Count a feature."""
        self.count += 1
        name = None if identifier is None else str(identifier)
        if name is None:
            self.unnamed += 1
        elif name in self.names:
            self.twins[name] += 1
        else:
            self.names.add(name)
        try:
            self._shape(blob)
        except GeometryError as error:
            which = repr(name[:_SHOWN_LENGTH]) if name is not None else f"number {self.count}"
            message = f"table {table.name[:_SHOWN_LENGTH]!r}, feature {which}: {error}"
            raise ValueError(message) from error

    def _shape(self, blob: Any) -> None:
        if blob is None:
            self.shapeless += 1
            return
        body = body_of(blob)
        if is_plain(body):
            return
        kind = kind_of(body)
        if is_area(kind):
            check_area(body)
        else:
            self.shapes[kind] += 1

    def package(self, tables: Iterable[Table], *, open_elsewhere: bool) -> Package:
        return Package(
            tables=tuple(
                FeatureTable(
                    name=table.name, epsg=table.epsg, columns=table.columns, has_id=table.has_id
                )
                for table in tables
            ),
            count=self.count,
            unnamed=self.unnamed,
            twins={name: more + 1 for name, more in self.twins.most_common(_SHOWN)},
            shapeless=self.shapeless,
            shapes=dict(self.shapes),
            open_elsewhere=open_elsewhere,
        )


# --- features ------------------------------------------------------------------------------------------------


def _met(
    found: Iterator[Sequence[Any]], bounds: Mapping[str, Any], table: Table
) -> Iterator[Sequence[Any]]:
    """Yield the rows whose geometry meets the area."""
    import shapely  # noqa: PLC0415 - only requests with bounds need it

    # Without a CRS there is no telling; 0 is none.
    area = area_in(bounds, table.epsg or 0)
    shapely.prepare(area)
    chunk: list[Sequence[Any]] = []
    for row in found:
        if row[-1] is None:
            continue
        chunk.append(row)
        if len(chunk) == _CHUNK:
            yield from _meeting(chunk, area)
            chunk = []
    yield from _meeting(chunk, area)


def _meeting(chunk: Sequence[Sequence[Any]], area: Any) -> Iterator[Sequence[Any]]:
    import numpy as np  # noqa: PLC0415
    import shapely  # noqa: PLC0415
    from shapely.errors import ShapelyError  # noqa: PLC0415

    bodies = [body_of(row[-1]) for row in chunk]
    for body in bodies:
        check_area(body)
    try:
        with np.errstate(invalid="ignore"):  # a position that is no number meets nothing
            met = shapely.intersects(area, shapely.from_wkb(bodies))
    except ShapelyError as error:
        message = f"a geometry cannot be read: {error}"
        raise ValueError(message) from error
    return (row for row, one in zip(chunk, met, strict=True) if one)


def _size(row: Sequence[Any], defaults: Mapping[str, Any]) -> Size | None:
    """Give the pixels of a feature: width and height win over resolution, its own over the defaults."""
    own = dict(zip(_SIZES, row, strict=False))
    for given in (own, defaults):
        if _is_length(given.get("width")) and _is_length(given.get("height")):
            return int(given["width"]), int(given["height"])
        if _is_length(given.get("resolution")):
            return _from_resolution(float(given["resolution"]), row[-1])
    return None


def _is_length(value: Any) -> bool:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return number and value > 0 and math.isfinite(value)


def _from_resolution(resolution: float, blob: Any) -> Size | None:
    if blob is None:
        return None
    box = box_of(blob)
    if box is None:
        return None
    west, south, east, north = box
    sides = [(east - west) / resolution, (north - south) / resolution]
    if not all(0 < side < math.inf for side in sides):
        return None
    return max(1, round(sides[0])), max(1, round(sides[1]))
