"""`localCopy` from a manifest to a job: read, checked, counted, and written out again."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest
import shapely

from shbatch_sync.checks.package import check_package
from shbatch_sync.cost.crs import AreaError
from shbatch_sync.cost.features import Features
from shbatch_sync.errors import ManifestError
from shbatch_sync.expanded import as_manifest, expanded
from shbatch_sync.package import MAX_FEATURES, FeatureTable, Package
from shbatch_sync.pricing import Prices
from shbatch_sync.store.project import load
from tests.geopackages import FIELD, Table, blob, write

PROJECT = """apiVersion: shbatch-sync/v1
project: crops
targets: {eu: {s3: {iamRoleARN: "arn:aws:iam::000000000000:role/sh"}}}
vars: {year: 2025}
"""
MANIFEST = """apiVersion: shbatch-sync/v1
name: a
localCopy: fields.gpkg
request:
  processRequest:
    input:
      bounds: {bbox: [13, 45, 15, 47]}
      data: [{type: sentinel-2-l2a}]
    output: {responses: [{identifier: default, format: {type: image/tiff}}]}
    evalscript: |
      //VERSION=3
      function setup() { return {input: ["B04"], output: {bands: 1}} }
      function evaluatePixel(s) { return [s.B04] }
  input: {type: geopackage, features: {s3: {url: "s3://in/fields.gpkg"}}}
  output: {type: raster, delivery: {s3: {url: "s3://out/<tileName>.<format>"}}}
"""
NAMED = "localCopy: fields.gpkg\n"


@pytest.fixture
def root(tmp_path):
    (tmp_path / "jobs").mkdir()
    (tmp_path / "shbatch.yaml").write_text(PROJECT)
    (tmp_path / "jobs" / "a.yaml").write_text(MANIFEST)
    write(tmp_path / "jobs" / "fields.gpkg", Table())
    return tmp_path


def put(root, text: str) -> None:
    (root / "jobs" / "a.yaml").write_text(text)


def only(root):
    [job] = load(directory=root, env={}).jobs
    return job


def faults(root) -> list[str]:
    try:
        return list(map(str, load(directory=root, env={}).problems))
    except ManifestError as error:
        return str(error).splitlines()


def test_its_content_is_part_of_what_the_job_is(root):
    before = only(root)
    other = Table(rows=[("b", blob(FIELD), 100, 100)])
    (root / "jobs" / "fields.gpkg").unlink()
    write(root / "jobs" / "fields.gpkg", other)
    after = only(root)
    put(root, MANIFEST.replace(NAMED, ""))
    without = only(root)
    assert before.spec == after.spec == without.spec
    assert len({before.digest, after.digest, without.digest}) == 3
    assert before.body_digest == without.digest
    assert without.local_copy is None


@pytest.mark.parametrize(
    ("named", "moved"),
    [
        ('localCopy: "fields-${{ vars.year }}.gpkg"\n', "jobs/fields-2025.gpkg"),
        ("matrix: {n: [{f: deep.gpkg}]}\nlocalCopy: ${{ matrix.n.f }}\n", "jobs/deep.gpkg"),
        ("localCopy: ../areas/a.gpkg\n", "areas/a.gpkg"),
    ],
)
def test_its_path_is_text_like_any_other(root, named, moved):
    put(root, MANIFEST.replace(NAMED, named))
    (root / moved).parent.mkdir(exist_ok=True)
    (root / "jobs" / "fields.gpkg").rename(root / moved)
    loaded = load(directory=root, env={})
    [job] = loaded.jobs
    assert job.local_copy is not None
    assert job.local_copy.path == moved
    assert loaded.depends_on(job, {moved})
    assert not loaded.depends_on(job, {"jobs/other.gpkg"})


def test_written_out_it_is_the_same_job(root):
    job = only(root)
    (root / "jobs" / "a.yaml").unlink()
    (root / "jobs" / "a.json").write_text(json.dumps(as_manifest(job)))
    again = only(root)
    assert (again.digest, again.local_copy) == (job.digest, job.local_copy)


def test_where_it_was_written_is_shown(root):
    loaded = load(directory=root, env={})
    found = expanded(loaded.declarations[0], loaded.project.targets["eu"])
    assert found.places["/localCopy"] == "jobs/a.yaml:3"


# --- price ---------------------------------------------------------------------------------------------------


def test_the_price_is_that_of_its_features(root):
    far = shapely.box(20, 50, 21, 51)
    rows = [(str(number), blob(FIELD), 1000, 1000) for number in range(300)]
    (root / "jobs" / "fields.gpkg").unlink()
    write(root / "jobs" / "fields.gpkg", Table(rows=[*rows, ("far", blob(far), 3000, 3000)]))
    price = Prices([only(root)])["a"]
    assert (price.tiles, price.pixels) == (300, 300_000_000)
    assert price.pu is not None
    assert price.pu > 100
    assert "features that meet the area are counted whole" in price.assumptions
    put(root, MANIFEST.replace("bounds: {bbox: [13, 45, 15, 47]}\n", ""))
    assert Prices([only(root)])["a"].tiles == 301


def test_without_it_the_price_is_not_known_and_says_so(root):
    put(root, MANIFEST.replace(NAMED, ""))
    price = Prices([only(root)])["a"]
    assert (price.tiles, price.pu, price.high) == (None, None, None)
    assert any("localCopy" in note for note in price.assumptions)


def test_an_area_that_cannot_be_compared_is_said(root):
    (root / "jobs" / "fields.gpkg").unlink()
    write(root / "jobs" / "fields.gpkg", Table(epsg=999_999))
    price = Prices([only(root)])["a"]
    assert price.pu is None
    assert any("999999" in note for note in price.assumptions)


# --- checks --------------------------------------------------------------------------------------------------


def test_a_tiling_grid_has_none(root):
    grid = "{type: tiling-grid, id: 0, resolution: 10}"
    put(
        root,
        MANIFEST.replace('{type: geopackage, features: {s3: {url: "s3://in/fields.gpkg"}}}', grid),
    )
    [fault] = faults(root)
    assert fault.startswith("jobs/a.yaml:3:12: /localCopy: means nothing for a tiling-grid")
    assert fault.endswith("[local-copy-unused]")


def test_nothing_is_said_of_it_while_the_input_is_wrong(root):
    put(root, MANIFEST.replace("type: geopackage", "type: geopakage"))
    assert not [fault for fault in faults(root) if "localCopy" in fault]
    (root / "jobs" / "fields.gpkg").unlink()
    assert [fault for fault in faults(root) if "[file]" in fault]


def test_what_is_not_known_to_be_refused_can_be_switched_off(root):
    (root / "jobs" / "fields.gpkg").unlink()
    head = "fid INTEGER PRIMARY KEY, identifier TEXT, geom BLOB"
    write(root / "jobs" / "fields.gpkg", Table(head=head))
    [fault] = faults(root)
    assert fault == (
        "jobs/a.yaml:3:12: /localCopy: warning: jobs/fields.gpkg: "
        "table 'fields' has no integer primary key `id` [package-id]"
    )
    put(
        root,
        MANIFEST.replace("fields.gpkg\n", "fields.gpkg  # shbatch-sync: ignore[package-id]\n", 1),
    )
    assert faults(root) == []
    put(root, MANIFEST)
    (root / "shbatch.yaml").write_text(f"{PROJECT}checks: {{package-id: off}}\n")
    assert faults(root) == []


@dataclass
class Copy:
    """A copy of which it is written down what is in it."""

    content: Package
    found: Features
    reachable: bool = True
    path: str = "a.gpkg"
    sha256: str = "0" * 64

    def package(self) -> Package:
        return self.content

    def features(self, bounds: Any, defaults: Any) -> Features:
        assert defaults is None
        if bounds and not self.reachable:
            message = "no way"
            raise AreaError(message)
        return self.found


TABLE = FeatureTable(name="a", epsg=4326, columns=frozenset({"id", "identifier"}))
BODY = {"input": {"type": "geopackage"}, "processRequest": {"input": {"bounds": {"bbox": [0] * 4}}}}


def test_a_package_of_too_many_features():
    package = Package(tables=(TABLE,), count=MAX_FEATURES + 1)
    [finding] = check_package(Copy(package, Features(sizes={})), BODY)
    assert finding.code == "package-many"
    assert finding.message == "a.gpkg: has more than 700,000 features"


def test_a_table_without_a_crs():
    table = FeatureTable(name="a", epsg=None, columns=TABLE.columns)
    [finding] = check_package(Copy(Package(tables=(table,), count=1), Features(sizes={})), BODY)
    assert (finding.code, "a CRS without an EPSG code" in finding.message) == ("package-crs", True)


def test_sizes_are_judged_within_the_area_where_it_can_be_told():
    package = Package(tables=(TABLE,), count=2)
    large = Features(sizes={(3501, 1): 1, (1, 1): 1})
    assert [one.code for one in check_package(Copy(package, large), BODY)] == ["package-size"]
    assert list(check_package(Copy(package, large, reachable=False), BODY)) == []


def test_what_has_no_geometry_is_not_said_to_lack_a_size():
    package = Package(tables=(TABLE,), count=2, shapeless=1)
    body = {**BODY, "processRequest": {"input": {}}}
    found = check_package(Copy(package, Features(sizes={(1, 1): 1}, unsized=1)), body)
    assert [one.code for one in found] == ["package-shapeless"]
