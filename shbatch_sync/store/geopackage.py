"""Reading a local GeoPackage: how many features a request would process, of which size in pixels.

Layout as the service wants it (Batch V2 docs, GeoPackage input): every feature table has `width` and `height`, or
`resolution`; the geometry column is registered. The file is opened read-only.
"""

from __future__ import annotations

import sqlite3
import struct
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from shbatch_sync.cost.area import area_in
from shbatch_sync.cost.features import Features
from shbatch_sync.errors import SettingsError

MAX_SIDE = 3500
MAX_FEATURES = 700_000

_TABLES = """
    SELECT c.table_name, g.column_name, g.srs_id, s.organization_coordsys_id
    FROM gpkg_contents c
    JOIN gpkg_geometry_columns g ON g.table_name = c.table_name
    LEFT JOIN gpkg_spatial_ref_sys s ON s.srs_id = g.srs_id
    WHERE c.data_type = 'features' ORDER BY c.table_name
"""
_MAGIC = b"GP"
_EMPTY = 0x10
_ENVELOPES = {0: 0, 1: 32, 2: 48, 3: 48, 4: 64}
_CHUNK = 2000

Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Table:
    """A feature table; `columns` are those of width, height and resolution that it has."""

    name: str
    geometry: str
    epsg: int
    columns: frozenset[str]

    def select(self) -> str:
        """Give the query for width, height, resolution and geometry of every row."""
        wanted = [
            _quoted(name) if name in self.columns else "NULL"
            for name in ("width", "height", "resolution")
        ]
        return f"SELECT {', '.join(wanted)}, {_quoted(self.geometry)} FROM {_quoted(self.name)}"  # noqa: S608 - quoted names of the file itself


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
    # Checked here: SQLite would make an empty database of a missing file's name with other modes, and says little.
    if not path.is_file():
        message = f"{path} is not there"
        raise SettingsError(message)
    sizes: Counter[Size] = Counter()
    unsized = 0
    try:
        uri = f"file:{quote(str(path))}?mode=ro&immutable=1"
        with closing(sqlite3.connect(uri, uri=True)) as connection:
            for size in _sizes(connection, bounds, defaults or {}):
                if size is None:
                    unsized += 1
                else:
                    sizes[size] += 1
    except (sqlite3.Error, struct.error, ValueError) as error:
        message = f"{path} is no GeoPackage that can be read: {error}"
        raise SettingsError(message) from error
    return Features(sizes=dict(sizes), unsized=unsized, inferred=_notes(sizes, unsized, bounds))


def _notes(sizes: Counter[Size], unsized: int, bounds: Mapping[str, Any] | None) -> tuple[str, ...]:
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


def _sizes(
    connection: sqlite3.Connection, bounds: Mapping[str, Any] | None, defaults: Mapping[str, Any]
) -> Iterator[Size | None]:
    tables = list(_tables(connection))
    if not tables:
        message = "it has no feature table"
        raise ValueError(message)
    for table in tables:
        area = area_in(bounds, table.epsg) if bounds else None
        cursor = connection.execute(table.select())
        while rows := cursor.fetchmany(_CHUNK):
            for width, height, resolution, blob in rows if area is None else _met(rows, area):
                yield _size(width, height, resolution, blob, defaults)


def _tables(connection: sqlite3.Connection) -> Iterator[_Table]:
    for name, geometry, srs, code in connection.execute(_TABLES).fetchall():
        found = connection.execute(f"PRAGMA table_info({_quoted(name)})")
        columns = frozenset(str(row[1]).lower() for row in found)
        yield _Table(name, geometry, int(srs if code is None else code), columns)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _met(rows: list[Any], area: Any) -> list[Any]:
    """Keep the rows whose geometry meets the area."""
    import shapely  # noqa: PLC0415 - only requests with bounds need it
    from shapely.errors import ShapelyError  # noqa: PLC0415

    shapely.prepare(area)
    try:
        shapes = shapely.from_wkb([_header(row[3])[1] for row in rows])
    except ShapelyError as error:
        message = f"a geometry cannot be read: {error}"
        raise ValueError(message) from error
    return [row for row, met in zip(rows, shapely.intersects(area, shapes), strict=True) if met]


def _header(blob: Any) -> tuple[tuple[float, float, float, float] | None, bytes]:
    """Take a geometry apart: its envelope (west, east, south, north), if it has one, and its WKB."""
    if not isinstance(blob, bytes) or blob[:2] != _MAGIC:
        message = "a geometry is not in GeoPackage's form"
        raise ValueError(message)
    flags = blob[3]
    kind = (flags >> 1) & 0b111
    if kind not in _ENVELOPES:
        message = "a geometry has an envelope of an unknown kind"
        raise ValueError(message)
    body = blob[8 + _ENVELOPES[kind] :]
    if kind == 0 or flags & _EMPTY:
        return None, body
    west, east, south, north = struct.unpack_from("<4d" if flags & 1 else ">4d", blob, 8)
    return (west, east, south, north), body


def _size(
    width: Any, height: Any, resolution: Any, blob: Any, defaults: Mapping[str, Any]
) -> Size | None:
    """Give the pixels of a feature: width and height win over resolution, its own over the defaults."""
    own = {"width": width, "height": height, "resolution": resolution}
    for given in (own, defaults):
        if _is_length(given.get("width")) and _is_length(given.get("height")):
            return int(given["width"]), int(given["height"])
        if _is_length(given.get("resolution")):
            return _from_resolution(float(given["resolution"]), blob)
    return None


def _is_length(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value > 0


def _from_resolution(resolution: float, blob: Any) -> Size | None:
    envelope, body = _header(blob)
    if envelope is None:
        import shapely  # noqa: PLC0415

        west, south, east, north = shapely.from_wkb(body).bounds
    else:
        west, east, south, north = envelope
    if not (east > west and north > south):
        return None
    return max(1, round((east - west) / resolution)), max(1, round((north - south) / resolution))
