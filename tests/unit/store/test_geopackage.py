"""GeoPackages of the project: hashed, looked into, and trusted with nothing."""

from __future__ import annotations

import hashlib
import os
import random
import sqlite3
import struct

import pytest
import shapely

from shbatch_sync.cost.crs import AreaError
from shbatch_sync.errors import SettingsError
from shbatch_sync.files import FileRefusedError
from shbatch_sync.package import MAX_FEATURES
from shbatch_sync.store import files as project_files
from shbatch_sync.store.files import ProjectFiles, Recording
from shbatch_sync.store.geopackage import read_features, read_package
from shbatch_sync.store.strange_db import opened, rows
from tests.geopackages import FIELD, SIZED, Table, blob, write

BOUNDS = {"bbox": [13, 45, 15, 47]}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.gpkg"


def refusal(path, read=read_package) -> str:
    with pytest.raises(SettingsError) as caught:
        read(path)
    return str(caught.value)


def test_what_is_in_it(path):
    twin = [("a", blob(FIELD)), ("b", None), (None, blob(shapely.Point(1, 1)))]
    write(path, Table(columns="", rows=twin), Table(name="b", epsg=32633, columns="", rows=twin))
    found = read_package(path)
    assert [(table.name, table.epsg, table.has_id) for table in found.tables] == [
        ("b", 32633, True),
        ("fields", 4326, True),
    ]
    assert found.tables[0].columns == {"id", "identifier", "geom"}
    assert (found.count, found.unnamed, found.shapeless) == (6, 2, 2)
    assert (found.twins, found.shapes) == ({"a": 2, "b": 2}, {"Point": 2})


def test_a_table_that_is_named_twice_is_read_once(path):
    write(path, Table(), extra=["INSERT INTO gpkg_contents SELECT * FROM gpkg_contents"])
    assert read_package(path).count == read_features(path).count == 1


@pytest.mark.parametrize("code", ["'x'", "NULL", "-1", "4326.5", "x'00'"])
def test_a_crs_that_has_no_code(path, code):
    update = f"UPDATE gpkg_spatial_ref_sys SET organization_coordsys_id = {code}"  # noqa: S608
    write(path, Table(epsg=0), extra=[update])
    assert read_package(path).tables[0].epsg is None
    with pytest.raises(AreaError):
        read_features(path, bounds=BOUNDS)


def test_features_without_geometry_meet_no_area_and_have_no_size_of_their_own(path):
    table = Table(columns="resolution REAL", rows=[("a", None, 0.1), ("b", blob(FIELD), 0.1)])
    write(path, table)
    assert read_features(path).unsized == 1
    assert read_features(path, bounds=BOUNDS).sizes == {(1, 1): 1}


@pytest.mark.parametrize("resolution", [1e-320, 1e300, "'wide'", "9e999", "-9e999", "x'01'"])
def test_resolutions_that_lead_nowhere(path, resolution):
    update = f"UPDATE fields SET resolution = {resolution}"  # noqa: S608
    write(path, Table(columns="resolution", rows=[("a", blob(FIELD), 1)]), extra=[update])
    found = read_features(path)
    assert found.count == 1
    assert found.unsized == (resolution != 1e300)


def test_boxes_that_lead_nowhere(path):
    nothing = b"GP\0\3\0\0\0\0" + struct.pack("<4d", 0, float("inf"), 0, 1) + shapely.to_wkb(FIELD)
    write(path, Table(columns="resolution REAL", rows=[("a", nothing, 1.0)]))
    assert read_features(path).unsized == 1


def test_areas_are_compared_in_pieces(path, monkeypatch):
    monkeypatch.setattr("shbatch_sync.store.geopackage._CHUNK", 2)
    far = shapely.box(50, 0, 51, 1)
    rows = [(str(n), blob(far if n == 3 else FIELD), 1, 1) for n in range(5)]
    write(path, Table(rows=rows))
    assert read_features(path, bounds=BOUNDS).count == 4


def test_a_polygon_of_holes_alone(path, monkeypatch):
    ring = struct.pack("<8d", 0, 0, 1, 0, 1, 1, 0, 0)
    holes = b"GP\0\1\0\0\0\0" + struct.pack("<BIIII", 1, 3, 2, 0, 4) + ring
    write(path, Table(rows=[("a", holes, 1, 1)]))
    assert "feature 'a': its geometry has a ring that is not closed" in refusal(path)
    # If ever one slipped through, the library that compares areas would say so.
    monkeypatch.setattr("shbatch_sync.store.geopackage.check_area", lambda _: None)
    with pytest.raises(SettingsError, match="a geometry cannot be read"):
        read_features(path, bounds=BOUNDS)


# --- hostile -------------------------------------------------------------------------------------------------

ENDLESS = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n"
VIEWS = {
    "a view": ["ALTER TABLE fields RENAME TO f", "CREATE VIEW fields AS SELECT * FROM f"],
    "a view without end": [
        "DROP TABLE fields",
        f"CREATE VIEW fields (id) AS {ENDLESS}",
    ],
    "a virtual table": [
        "DROP TABLE fields",
        "CREATE VIRTUAL TABLE fields USING rtree(id, a, b)",
    ],
    "a view of the contents": [
        "ALTER TABLE gpkg_contents RENAME TO c",
        "CREATE VIEW gpkg_contents AS SELECT * FROM c",
    ],
    "no such table": ["DROP TABLE fields"],
    "a name that is none": [
        "UPDATE gpkg_contents SET table_name = x'00'",
        "UPDATE gpkg_geometry_columns SET table_name = x'00'",
    ],
}


@pytest.mark.parametrize("name", VIEWS)
def test_only_what_is_stored_is_read(path, name):
    write(path, Table(), extra=VIEWS[name])
    assert "no GeoPackage that can be read: " in refusal(path)
    assert "no GeoPackage that can be read: " in refusal(path, read_features)


@pytest.mark.parametrize("column", ["'nowhere'", "NULL", "x'6765'", "'made'"])
def test_a_geometry_column_that_is_not_stored(path, column):
    made = "ALTER TABLE fields ADD COLUMN made BLOB GENERATED ALWAYS AS (zeroblob(1000000)) VIRTUAL"
    update = f"UPDATE gpkg_geometry_columns SET column_name = {column}"  # noqa: S608
    write(path, Table(), extra=[made, update])
    assert "its table 'fields' has no column" in refusal(path)


def test_generated_columns_are_not_asked(path):
    made = "ALTER TABLE fields ADD COLUMN {} GENERATED ALWAYS AS (5) VIRTUAL"
    head = "id INTEGER PRIMARY KEY, geom BLOB"
    table = Table(head=head, columns="", rows=[(1, blob(FIELD))])
    write(
        path, table, extra=[made.format("identifier"), made.format("width"), made.format("height")]
    )
    assert "identifier" not in read_package(path).tables[0].columns
    assert read_features(path).unsized == 1


def test_a_trigger_never_runs(path):
    write(
        path,
        Table(),
        extra=["CREATE TRIGGER t AFTER INSERT ON fields BEGIN DELETE FROM fields; END"],
    )
    before = path.read_bytes()
    assert read_package(path).count == 1
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO gpkg_contents VALUES ('a', 'b', 'c', 1)",
        "DROP TABLE fields",
        "ATTACH DATABASE 'b.db' AS b",
        "SELECT load_extension('x')",
        "SELECT hex(geom) FROM fields",
        "PRAGMA query_only=OFF",
        "PRAGMA table_list",
        "SELECT * FROM v",
        ENDLESS,
    ],
)
def test_nothing_but_plain_reads_is_let_through(path, statement):
    write(path, Table(), extra=["CREATE VIEW v AS SELECT id FROM fields"])
    with pytest.raises(SettingsError), opened(path) as connection:
        connection.execute(statement).fetchall()
    assert list(path.parent.iterdir()) == [path]


def test_a_query_ends_after_so_many_steps(path):
    write(path, Table(rows=[(str(n), None, 1, 1) for n in range(300)]))
    with (
        pytest.raises(SettingsError, match="too long to read"),
        opened(path, calls=3) as connection,
    ):
        connection.execute(
            "SELECT 1 FROM fields a, fields b, fields c WHERE a.width + c.width > 5"
        ).fetchall()


def test_more_content_than_the_file_has_bytes(path):
    write(path, Table())
    with pytest.raises(SettingsError, match="more than its size"), opened(path) as connection:
        list(rows(connection, "SELECT identifier, geom FROM fields", 20))


def test_values_have_a_limit(path):
    huge = "UPDATE fields SET geom = zeroblob(67108865)"
    write(path, Table(), extra=[huge])
    assert "too big" in refusal(path)


def test_tables_have_a_limit(path, monkeypatch):
    monkeypatch.setattr("shbatch_sync.store.feature_tables.MAX_TABLES", 2)
    write(path, *(Table(name=name, rows=[]) for name in "abc"))
    assert "more than 2 feature tables" in refusal(path)


def test_geometries_name_their_feature(path):
    write(path, Table(rows=[("a", blob(FIELD), 1, 1), ("b\x1b[31m" * 40, b"GP", 1, 1)]))
    message = refusal(path)
    assert "table 'fields', feature 'b\\x1b[31m" in message
    assert len(message) < 300
    write(path.with_name("b.gpkg"), Table(rows=[(None, b"GP", 1, 1)]))
    assert "feature number 1:" in refusal(path.with_name("b.gpkg"))


def test_reading_ends_where_there_are_too_many(path, monkeypatch):
    monkeypatch.setattr("shbatch_sync.store.geopackage.MAX_FEATURES", 3)
    write(
        path,
        *(
            Table(name=name, rows=[(f"{name}{n}", blob(FIELD), 1, 1) for n in range(9)])
            for name in "ab"
        ),
    )
    assert read_package(path).count == 5
    assert read_features(path).inferred == ("more than 3 features, which the service refuses",)
    assert MAX_FEATURES == 700_000


def test_any_bytes_are_a_geopackage_or_refused(tmp_path):
    """A slice of what was run for minutes: broken files raise what is said, and nothing else."""
    multi = shapely.MultiPolygon([FIELD, shapely.box(2, 2, 3, 3)])
    table = Table(
        columns=f"{SIZED}, resolution REAL",
        rows=[("a", blob(multi, envelope=False), None, None, 0.1)],
    )
    good = write(tmp_path / "a.gpkg", table).read_bytes()
    dice = random.Random(7)
    refused = 0
    for number in range(250):
        broken = bytearray(good)
        for _ in range(dice.choice((1, 2, 20))):
            broken[dice.randrange(len(broken))] = dice.choice((0, 1, 255, dice.randrange(256)))
        path = tmp_path / "b.gpkg"
        path.write_bytes(broken[: dice.randrange(len(broken))] if number % 5 == 0 else broken)
        for read in (read_package, read_features, lambda path: read_features(path, bounds=BOUNDS)):
            try:
                read(path)
            except (SettingsError, AreaError):
                refused += 1
    assert refused > 100


# --- within a project ----------------------------------------------------------------------------------------


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "project"
    (folder / "jobs").mkdir(parents=True)
    return folder


def test_its_hash_and_its_name(root):
    place = write(root / "jobs" / "a.gpkg", Table())
    files = Recording(ProjectFiles(root))
    copy = files.package("a.gpkg", beside="jobs/a.yaml")
    assert copy.path == "jobs/a.gpkg"
    assert copy.sha256 == hashlib.sha256(place.read_bytes()).hexdigest()
    assert files.package("jobs/a.gpkg", beside="shbatch.yaml") is copy
    assert files.paths == {"jobs/a.gpkg"}


def test_each_question_is_answered_once(root):
    place = write(root / "a.gpkg", Table())
    copy = ProjectFiles(root).package("a.gpkg", beside="-")
    first = copy.features(BOUNDS, None), copy.features(None, {"width": 1, "height": 1})
    place.unlink()
    assert copy.package().count == 1
    assert copy.features(dict(BOUNDS), None) is first[0]
    assert copy.features({"properties": {}}, {"height": 1, "width": 1}) is first[1]
    assert first[0].inferred != first[1].inferred


def package_refusal(root, path) -> str:
    with pytest.raises(FileRefusedError) as caught:
        ProjectFiles(root).package(path, beside="jobs/a.yaml")
    return str(caught.value)


def test_it_must_lie_inside_and_be_a_file(root, tmp_path):
    write(tmp_path / "out.gpkg", Table())
    (root / "jobs" / "link.gpkg").symlink_to(tmp_path / "out.gpkg")
    os.mkfifo(root / "jobs" / "pipe.gpkg")
    assert package_refusal(root, "link.gpkg") == "link.gpkg lies outside the project"
    assert package_refusal(root, "../../out.gpkg") == "../../out.gpkg lies outside the project"
    assert package_refusal(root, "pipe.gpkg") == "pipe.gpkg is not a regular file"
    assert package_refusal(root, "none.gpkg").startswith("none.gpkg cannot be read: No such file")
    assert package_refusal(root, "\0") == "is no path"


def test_it_has_a_limit_of_its_own(root, monkeypatch):
    monkeypatch.setattr(project_files, "MAX_PACKAGE_BYTES", 1024)
    write(root / "jobs" / "a.gpkg", Table())
    assert package_refusal(root, "a.gpkg") == "a.gpkg is larger than 0 MiB"


def test_what_was_refused_stays_refused(root):
    (root / "jobs" / "a.gpkg").write_text("no database")
    files = ProjectFiles(root)
    for _ in range(2):
        with pytest.raises(FileRefusedError, match="no GeoPackage that can be read"):
            files.package("a.gpkg", beside="jobs/a.yaml")
        (root / "jobs" / "a.gpkg").unlink(missing_ok=True)


def test_the_library_is_as_strict_as_it_is_taken_for(path):
    """Without these there would be nothing between a file and its schema."""
    write(path, Table())
    with opened(path) as connection:
        assert connection.getlimit(sqlite3.SQLITE_LIMIT_ATTACHED) == 0
        assert connection.getlimit(sqlite3.SQLITE_LIMIT_LENGTH) == 64 * 1024 * 1024
