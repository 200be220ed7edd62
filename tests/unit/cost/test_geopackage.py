from __future__ import annotations

import sqlite3
import struct
from contextlib import closing
from pathlib import Path

import pytest
import shapely

from shbatch_sync.cost.crs import AreaError
from shbatch_sync.errors import SettingsError
from shbatch_sync.store.geopackage import read_features


def blob(geometry, *, envelope: bool = True, big: bool = False) -> bytes:
    west, south, east, north = geometry.bounds
    flags = (2 if envelope else 0) | (0 if big else 1)
    order = ">" if big else "<"
    head = b"GP" + bytes([0, flags]) + struct.pack(f"{order}i", 4326)
    body = struct.pack(f"{order}4d", west, east, south, north) if envelope else b""
    return head + body + shapely.to_wkb(geometry)


class Package:
    """Writes a GeoPackage the way common tools do, as far as it is read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.run(
            "CREATE TABLE gpkg_contents (table_name TEXT, data_type TEXT, srs_id INTEGER)",
            "CREATE TABLE gpkg_geometry_columns (table_name TEXT, column_name TEXT, srs_id INTEGER)",
            "CREATE TABLE gpkg_spatial_ref_sys (srs_id INTEGER, organization_coordsys_id INTEGER)",
        )

    def run(self, *statements: str) -> None:
        with closing(sqlite3.connect(self.path)) as connection:
            for statement in statements:
                connection.execute(statement)
            connection.commit()

    def add(self, table: str, epsg: int, columns: str, rows: list[tuple]) -> None:
        self.run(
            f"INSERT INTO gpkg_contents VALUES ('{table}', 'features', {epsg})",  # noqa: S608 - names of this test
            f"INSERT INTO gpkg_geometry_columns VALUES ('{table}', 'geom', {epsg})",  # noqa: S608 - names of this test
            f"INSERT INTO gpkg_spatial_ref_sys VALUES ({epsg}, {epsg})",  # noqa: S608 - names of this test
            f'CREATE TABLE "{table}" (id INTEGER PRIMARY KEY, identifier TEXT, geom BLOB{columns})',
        )
        marks = ", ".join("?" * (len(rows[0]) + 2)) if rows else ""
        with closing(sqlite3.connect(self.path)) as connection:
            statement = f'INSERT INTO "{table}" VALUES ({marks})'  # noqa: S608 - names of this test
            for i, row in enumerate(rows):
                connection.execute(statement, (i, f"{table}{i}", *row))
            connection.commit()


@pytest.fixture
def package(tmp_path) -> Package:
    return Package(tmp_path / "areas # 1.gpkg")


SQUARE = shapely.box(500_000, 5_000_000, 510_000, 5_010_000)


def test_width_and_height(package):
    package.add("a", 32633, ", width INTEGER, height INTEGER", [(blob(SQUARE), 100, 200)] * 3)
    package.add(
        "b", 4326, ", width INTEGER, height INTEGER", [(blob(shapely.box(0, 0, 1, 1)), 7, 8)]
    )
    found = read_features(package.path)
    assert found.sizes == {(100, 200): 3, (7, 8): 1}
    assert found.count == 4
    assert found.unsized == 0


@pytest.mark.parametrize(("envelope", "big"), [(True, False), (True, True), (False, False)])
def test_resolution(package, envelope, big):
    geometry = blob(SQUARE, envelope=envelope, big=big)
    package.add("a", 32633, ", resolution REAL", [(geometry, 10.0)])
    assert read_features(package.path).sizes == {(1000, 1000): 1}


def test_width_and_height_win_over_resolution_and_own_over_defaults(package):
    columns = ", width INTEGER, height INTEGER, resolution REAL"
    rows = [
        (blob(SQUARE), 5, 6, 10.0),
        (blob(SQUARE), 5, None, 100.0),
        (blob(SQUARE), None, None, None),
    ]
    package.add("a", 32633, columns, rows)
    found = read_features(package.path, defaults={"width": 9, "height": 9})
    assert found.sizes == {(5, 6): 1, (100, 100): 1, (9, 9): 1}
    assert read_features(package.path, defaults={"resolution": 20}).sizes[(500, 500)] == 1
    assert read_features(package.path).unsized == 1


def test_bounds_choose_features(package):
    far = shapely.box(600_000, 5_000_000, 610_000, 5_010_000)
    package.add(
        "a", 32633, ", width INTEGER, height INTEGER", [(blob(SQUARE), 1, 1), (blob(far), 2, 2)]
    )
    inside = {"bbox": [15.0, 45.1, 15.05, 45.2]}
    found = read_features(package.path, bounds=inside)
    assert found.sizes == {(1, 1): 1}
    assert found.inferred == ("features that meet the area are counted whole",)
    own = {
        "bbox": [600_000, 5_000_000, 600_010, 5_000_010],
        "properties": {"crs": "http://www.opengis.net/def/crs/EPSG/0/32633"},
    }
    assert read_features(package.path, bounds=own).sizes == {(2, 2): 1}
    with pytest.raises(AreaError):
        read_features(package.path, bounds={"bbox": [1]})


def test_large_features_are_said(package):
    package.add("a", 32633, ", width INTEGER, height INTEGER", [(blob(SQUARE), 3501, 10)])
    assert any("3500" in note for note in read_features(package.path).inferred)


def test_feature_without_extent_has_no_size(package):
    package.add("a", 32633, ", resolution REAL", [(blob(shapely.box(0, 0, 0, 1)), 10.0)])
    assert read_features(package.path).unsized == 1


def test_a_file_that_is_none(tmp_path, package):
    text = tmp_path / "x.gpkg"
    text.write_text("no database at all, but long enough to be taken for one by its size" * 20)
    for path in (text, tmp_path / "missing.gpkg", tmp_path, package.path):
        with pytest.raises(SettingsError):
            read_features(path)


@pytest.mark.parametrize("geometry", [b"XX", b"GP", b"GP\0\x0f\0\0\0\0", b"GP\0\x03\0\0\0\0"])
def test_broken_geometries(package, geometry):
    package.add("a", 32633, ", resolution REAL", [(geometry, 10.0)])
    with pytest.raises(SettingsError):
        read_features(package.path)


def test_broken_wkb(package):
    package.add("a", 32633, ", width INTEGER, height INTEGER", [(b"GP\0\x01\0\0\0\0zzzz", 1, 1)])
    with pytest.raises(SettingsError):
        read_features(package.path, bounds={"bbox": [14, 44, 16, 46]})


def test_the_file_is_not_touched(package):
    package.add("a", 32633, ", width INTEGER, height INTEGER", [(blob(SQUARE), 1, 1)])
    before = (package.path.read_bytes(), sorted(p.name for p in package.path.parent.iterdir()))
    read_features(package.path)
    assert before == (
        package.path.read_bytes(),
        sorted(p.name for p in package.path.parent.iterdir()),
    )


def test_a_table_in_no_known_crs_cannot_be_compared_with_an_area(package):
    package.add("a", 99999, ", width INTEGER, height INTEGER", [(blob(SQUARE), 1, 1)])
    assert read_features(package.path).sizes == {(1, 1): 1}
    with pytest.raises(AreaError, match="99999"):
        read_features(package.path, bounds={"bbox": [14, 44, 16, 46]})
