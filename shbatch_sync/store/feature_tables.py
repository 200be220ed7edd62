"""The feature tables of a GeoPackage, as its own tables of contents name them; these are not believed either."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any

MAX_TABLES = 10_000
_SHOWN_LENGTH = 60

_TABLES = """
    SELECT c.table_name, g.column_name, g.srs_id, s.organization_coordsys_id
    FROM gpkg_contents c
    JOIN gpkg_geometry_columns g ON g.table_name = c.table_name
    LEFT JOIN gpkg_spatial_ref_sys s ON s.srs_id = g.srs_id
    WHERE c.data_type = 'features' ORDER BY c.table_name
"""
# A virtual table has no page of its own: its module would run.
_REAL = "SELECT name FROM sqlite_master WHERE type = 'table' AND rootpage > 0"


@dataclass(frozen=True, slots=True)
class Table:
    """A feature table.

    Attributes:
        name: The table's.
        geometry: The column that holds the geometries.
        epsg: Code of its CRS; None where it names none that can be one.
        columns: Those that it stores, lower case; none that is computed.
        has_id: Whether a column `id` is its integer primary key.
    """

    name: str
    geometry: str
    epsg: int | None
    columns: frozenset[str]
    has_id: bool

    def select(self, *names: str) -> str:
        """Give the query for some columns and the geometry of every row; NULL stands for a column that is not there."""
        wanted = [_quoted(name) if name in self.columns else "NULL" for name in names]
        return f"SELECT {', '.join(wanted)}, {_quoted(self.geometry)} FROM {_quoted(self.name)}"  # noqa: S608 - quoted names of the file itself


def tables_of(connection: sqlite3.Connection) -> list[Table]:
    """Return the feature tables by name, each once, and none that is not stored in the file.

    Raises:
        ValueError: One of them is a view or not there, or has no such column.
    """
    real = {str(name).lower() for (name,) in connection.execute(_REAL)}
    for name in ("gpkg_contents", "gpkg_geometry_columns", "gpkg_spatial_ref_sys"):
        _demand(name in real, f"it has no table {name}")
    found: dict[str, Table] = {}
    for name, geometry, srs, code in connection.execute(_TABLES).fetchmany(MAX_TABLES + 1):
        _demand(isinstance(name, str) and name.lower() in real, f"{_shown(name)} is no table in it")
        if name.lower() not in found:
            found[name.lower()] = _table(connection, name, geometry, srs if code is None else code)
    _demand(len(found) <= MAX_TABLES, f"it has more than {MAX_TABLES:,} feature tables")
    return list(found.values())


def _table(connection: sqlite3.Connection, name: str, geometry: Any, code: Any) -> Table:
    # Generated columns, whose expressions would run, are not among these.
    columns = connection.execute(f"PRAGMA table_info({_quoted(name)})").fetchall()
    keys = {
        str(row[1]).lower(): row[5] == 1 and str(row[2]).upper() == "INTEGER" for row in columns
    }
    stored = isinstance(geometry, str) and geometry.lower() in keys
    _demand(stored, f"its table {_shown(name)} has no column {_shown(geometry)}")
    return Table(
        name=name,
        geometry=geometry,
        epsg=code if isinstance(code, int) and code > 0 else None,
        columns=frozenset(keys),
        has_id=keys.get("id", False),
    )


def _demand(met: bool, otherwise: str) -> None:  # noqa: FBT001 - reads like an assertion
    if not met:
        raise ValueError(otherwise)


def _shown(name: Any) -> str:
    return repr(name[:_SHOWN_LENGTH] if isinstance(name, str) else name)[: _SHOWN_LENGTH + 2]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
