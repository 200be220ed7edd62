"""GeoPackages for tests, written the way common tools do, as far as the service's rules go."""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import shapely

SIZED = "width INTEGER, height INTEGER"
Row = tuple[Any, ...]


def blob(
    geometry: shapely.Geometry, *, envelope: bool = True, big: bool = False, epsg: int = 4326
) -> bytes:
    """Return a geometry in GeoPackage's form."""
    west, south, east, north = geometry.bounds or (0.0, 0.0, 0.0, 0.0)
    flags = (2 if envelope else 0) | (0 if big else 1)
    order = ">" if big else "<"
    head = b"GP" + bytes([0, flags]) + struct.pack(f"{order}i", epsg)
    body = struct.pack(f"{order}4d", west, east, south, north) if envelope else b""
    return head + body + shapely.to_wkb(geometry, byte_order=0 if big else 1)


FIELD = shapely.box(14.0, 46.0, 14.1, 46.1)


@dataclass(frozen=True, kw_only=True)
class Table:
    """A feature table: `columns` besides id, identifier and geometry; rows without the id."""

    name: str = "fields"
    epsg: int = 4326
    columns: str = SIZED
    head: str = "id INTEGER PRIMARY KEY, identifier TEXT, geom BLOB"
    rows: Sequence[Row] = field(default_factory=lambda: [("a", blob(FIELD), 100, 100)])


_GEOMETRY_COLUMNS = "table_name TEXT, column_name TEXT, geometry_type_name TEXT, srs_id INTEGER, z INTEGER, m INTEGER"
_REFERENCES = (
    "srs_name TEXT, srs_id INTEGER PRIMARY KEY, organization TEXT, organization_coordsys_id INTEGER"
)
SCHEMA = (
    "CREATE TABLE gpkg_contents (table_name TEXT, data_type TEXT, identifier TEXT, srs_id INTEGER)",
    f"CREATE TABLE gpkg_geometry_columns ({_GEOMETRY_COLUMNS})",
    f"CREATE TABLE gpkg_spatial_ref_sys ({_REFERENCES}, definition TEXT)",
)


def write(path: Path, *tables: Table, extra: Sequence[str] = ()) -> Path:
    """Write a GeoPackage; `extra` is run after everything else."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA page_size = 512")
        connection.execute("PRAGMA application_id = 1196444487")
        for statement in SCHEMA:
            connection.execute(statement)
        for table in tables:
            _add(connection, table)
        for statement in extra:
            connection.execute(statement)
        connection.commit()
    return path


def _add(connection: sqlite3.Connection, table: Table) -> None:
    name, epsg = table.name, table.epsg
    connection.execute("INSERT INTO gpkg_contents VALUES (?, 'features', ?, ?)", (name, name, epsg))
    connection.execute(
        "INSERT INTO gpkg_geometry_columns VALUES (?, 'geom', 'GEOMETRY', ?, 0, 0)", (name, epsg)
    )
    connection.execute(
        "INSERT OR IGNORE INTO gpkg_spatial_ref_sys VALUES (?, ?, 'EPSG', ?, 'undefined')",
        (f"EPSG {epsg}", epsg, epsg),
    )
    columns = f"{table.head}, {table.columns}" if table.columns else table.head
    connection.execute(f'CREATE TABLE "{name}" ({columns})')
    width = len(connection.execute(f'PRAGMA table_info("{name}")').fetchall())
    for number, row in enumerate(table.rows, 1):
        values = (number, *row) if len(row) < width else row
        marks = ", ".join("?" * len(values))
        connection.execute(f'INSERT INTO "{name}" VALUES ({marks})', values)  # noqa: S608


_POINT = shapely.Point(14, 46)
_WIDE = shapely.box(425_000, 5_080_000, 465_000, 5_090_000)


def write_examples(folder: Path) -> None:
    """Write the GeoPackages that the example manifests name: one that is sound, the others each with its faults."""
    sound = Table(rows=[("a", blob(FIELD), 100, 120), ("b", blob(FIELD), 80, 80)])
    write(folder / "fields.gpkg", sound)
    write(folder / "no-tables.gpkg")
    write(folder / "no-features.gpkg", Table(rows=[]))
    write(
        folder / "other-key.gpkg",
        Table(head="fid INTEGER PRIMARY KEY, identifier TEXT, geom BLOB"),
    )
    write(
        folder / "no-identifier.gpkg",
        Table(head="id INTEGER PRIMARY KEY, name TEXT, geom BLOB"),
    )
    twins = [("a", blob(FIELD), 9, 9), ("b", blob(FIELD), 9, 9), (None, blob(FIELD), 9, 9)]
    write(folder / "twins.gpkg", Table(rows=twins), Table(name="more", rows=twins[:1]))
    write(folder / "points.gpkg", Table(rows=[("a", blob(_POINT), 9, 9)]))
    write(folder / "shapeless.gpkg", Table(rows=[("a", None, 9, 9), ("b", blob(FIELD), 9, 9)]))
    write(folder / "other-crs.gpkg", Table(epsg=31258))
    large = Table(epsg=32633, columns="resolution REAL", rows=[("a", blob(_WIDE), 10.0)])
    write(folder / "large.gpkg", large)
    write(folder / "unsized.gpkg", Table(columns="", rows=[("a", blob(FIELD))]))
    write(folder / "broken.gpkg", Table(rows=[("a", blob(FIELD)[:-8], 9, 9)]))
    write(
        folder / "view.gpkg",
        Table(),
        extra=("ALTER TABLE fields RENAME TO f", "CREATE VIEW fields AS SELECT * FROM f"),
    )
    write(folder / "open.gpkg", Table())
    (folder / "open.gpkg-wal").write_bytes(b"more")
    whole = (folder / "fields.gpkg").read_bytes()
    (folder / "cut.gpkg").write_bytes(whole[: len(whole) // 2])
