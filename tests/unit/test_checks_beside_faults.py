"""A manifest with several faults: each is told, none twice, and none that only follows from another."""

from __future__ import annotations

from pathlib import Path

import pytest

from shbatch_sync.errors import ManifestError
from shbatch_sync.faults import MAX_FAULTS, SchemaFault
from shbatch_sync.salvage import salvage
from shbatch_sync.store.project import load
from shbatch_sync.store.schemas import load_schema

MANIFEST = """apiVersion: shbatch-sync/v1
name: ndvi
request:
  processRequest:
    input:
      bounds: {bbox: [14.0, 45.8, 14.2, 46.0]}
      data:
        - type: sentinel-2-l2a
          dataFilter:
            timeRange: {from: "2024-05-01T00:00:00Z", to: "2024-05-31T23:59:59Z"}
    output: {responses: [{identifier: default, format: {type: image/tiff}}]}
    evalscript: {fromFile: ndvi.js}
  input: {type: tiling-grid, id: 0, resolution: 10}
  output:
    type: raster
    delivery:
      s3: {url: "s3://bucket/<tileName>/<outputId>.<format>", iamRoleARN: "arn:aws:iam::0:role/sh"}
"""
SCRIPT = "//VERSION=3\nfunction setup() { return {input: ['B04'], output: {bands: 1}}; }\n"


@pytest.fixture
def problems(tmp_path: Path):
    (tmp_path / "jobs").mkdir()
    (tmp_path / "shbatch.yaml").write_text(
        "apiVersion: shbatch-sync/v1\nproject: p\ndefaultTarget: eu\ntargets: {eu: {}, us: {}}\n"
    )
    (tmp_path / "jobs" / "ndvi.js").write_text(SCRIPT)
    (tmp_path / "jobs" / "row.js").write_text(SCRIPT.replace("B04", "${{ matrix.band }}"))

    def judge(*changes: tuple[str, str]) -> list[str]:
        text = MANIFEST
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        (tmp_path / "jobs" / "ndvi.yaml").write_text(text)
        try:
            found = load(directory=tmp_path, env={}).problems
        except ManifestError as error:
            found = error.problems
        assert len(found) == len(set(found))
        return sorted(problem.code for problem in found)

    return judge


GRID = ("resolution: 10", "resolution: 15")
TIMES = ("2024-05-31T23:59:59Z", "2023-05-31T23:59:59Z")
PATH = ("<tileName>/", "")
ROW = (("resolution: 10", "resolution: '${{ matrix.r }}'"), ("<tileName>/", "${{ matrix.p }}"))


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ([GRID, TIMES, PATH], ["grid-resolution", "path-tile", "time-range"]),
        # a fault of the schema, and what is wrong elsewhere
        ([("name: ndvi\n", "name: NDVI\n"), GRID], ["grid-resolution", "schema"]),
        ([("name: ndvi\n", "name: ndvi\ncolour: 1\n"), GRID], ["grid-resolution", "unknown-key"]),
        ([("name: ndvi\n", "name: ndvi\nstate: go\ntarget: 5\n"), GRID], ["grid-resolution", "schema", "unknown-value"]),
        ([("apiVersion: shbatch-sync/v1\n", ""), GRID], ["grid-resolution", "missing-key"]),
        ([("type: raster", "type: raster\n    overwrite: 5"), PATH, GRID], ["grid-resolution", "path-tile", "schema"]),
        # what a fault covers is not judged
        ([("resolution: 10", "resolution: ten"), TIMES], ["schema", "time-range"]),
        ([("id: 0, ", ""), TIMES], ["missing-key", "time-range"]),
        ([("bounds:", "bouds:"), GRID], ["grid-resolution", "unknown-key"]),
        ([("bbox: [14.0, 45.8, 14.2, 46.0]", "bbox: 5"), GRID], ["grid-resolution", "schema"]),
        ([("type: sentinel-2-l2a", "type: sentinel-2-l3"), TIMES, GRID], ["grid-resolution", "unknown-value"]),
        ([("identifier: default, ", ""), GRID], ["grid-resolution", "missing-key"]),
        ([("output: {responses", "output: {respones"), GRID], ["grid-resolution", "unknown-key"]),
        ([("iamRoleARN", "accessKey"), GRID, PATH], ["grid-resolution", "path-tile", "secret-literal"]),
        ([("type: tiling-grid, ", ""), TIMES], ["missing-key", "time-range"]),
        ([("  input: {type: tiling-grid, id: 0, resolution: 10}\n", ""), TIMES, PATH], ["missing-key", "path-tile", "time-range"]),
        ([("processRequest:", "procesRequest:"), GRID], ["grid-resolution", "unknown-key"]),
        # files and expressions
        ([("ndvi.js", "nvdi.js"), GRID], ["file", "grid-resolution"]),
        ([("bbox: [14.0, 45.8, 14.2, 46.0]", "geometry: {fromFile: none.geojson}"), GRID], ["file", "grid-resolution"]),
        ([("resolution: 10", 'resolution: "${{ vars.x }}"'), TIMES], ["expression", "time-range"]),
        ([("resolution: 10", 'resolution: "${{ name }}"'), TIMES, PATH], ["path-tile", "schema", "time-range"]),
        ([("name: ndvi\n", 'name: ndvi\nlabels: {a: "${{ vars.x }}"}\nstate: go\n'), GRID], ["expression", "grid-resolution", "unknown-value"]),
        ([("name: ndvi\n", 'name: "${{ vars.x }}"\n'), GRID], ["expression", "grid-resolution"]),
        # nothing is said of what is made of a matrix that is wrong
        ([("name: ndvi\n", "name: ndvi\nmatrix: 5\n"), GRID], ["grid-resolution", "schema"]),
        ([("name: ndvi\n", "name: ndvi-${{ matrix.m }}\nmatrix: {m: 5, n: [1]}\n"), *ROW, TIMES], ["schema", "time-range"]),
        ([("name: ndvi\n", "name: ndvi-${{ matrix.m }}\nmatrix: {m: 5, n: 6}\n"), *ROW, TIMES], ["schema", "schema", "time-range"]),
        ([("name: ndvi\n", "name: ndvi\ntarget: '${{ matrix.t }}'\nmatrix: {t: {}}\n"), GRID], ["missing-key"]),
        ([("name: ndvi\n", "name: ndvi\nmatrx: {r: [1]}\n"), *ROW, TIMES], ["time-range", "unknown-key"]),
        ([("name: ndvi\n", "name: ndvi\ncolour: 1\nmatrix: {a: [x], exclude: [{a: x}]}\n"), GRID], ["grid-resolution", "matrix", "unknown-key"]),
        ([("name: ndvi\n", "name: ndvi\nmatrix: {m: {features: no.geojson, id: id}}\n"), *ROW, TIMES], ["matrix", "time-range"]),
        ([("name: ndvi\n", "name: ndvi\nmatrix: 5\n"), ("ndvi.js}", "row.js, expand: true}"), TIMES], ["schema", "time-range"]),
        # nor of what is new, where it is not known what was to be let through
        ([("name: ndvi\n", "name: ndvi\nx-allow: 5\n"), GRID], ["grid-resolution", "schema"]),
        ([("name: ndvi\n", "name: ndvi\nx-allow: [5, new]\n"), GRID], ["grid-resolution", "schema", "schema"]),
        ([("name: ndvi\n", "name: ndvi\nx-allow: [5, /request/output/new]\n"), ("type: raster", "type: raster\n    new: 1"), GRID], ["grid-resolution", "schema"]),
        # too much hangs on this
        ([("request:", "requst:"), GRID], ["unknown-key"]),
    ],
)  # fmt: skip
def test_everything_at_once(problems, changes, codes):
    assert problems(*changes) == codes


def test_every_combination_of_a_matrix_is_checked(problems):
    changes = [
        ("name: ndvi\n", "name: ndvi-${{ matrix.r }}\nmatrix: {r: [10, 15, 17]}\ncolour: 1\n"),
        ("resolution: 10", 'resolution: "${{ matrix.r }}"'),
    ]
    assert problems(*changes) == ["grid-resolution", "grid-resolution", "unknown-key"]


def unknown_keys(number: int) -> tuple[str, str]:
    keys = "".join(f"colour{index}: 1\n" for index in range(number))
    return "name: ndvi\n", f"name: ndvi\n{keys}"


def test_a_manifest_with_many_faults_is_checked_too(problems):
    assert (
        problems(unknown_keys(MAX_FAULTS - 1), GRID, TIMES).count("unknown-key") == MAX_FAULTS - 1
    )
    assert set(problems(unknown_keys(MAX_FAULTS - 1), GRID, TIMES)) == {
        "unknown-key",
        "grid-resolution",
        "time-range",
    }


def test_a_manifest_full_of_faults_is_judged_once(problems):
    found = problems(unknown_keys(MAX_FAULTS + 10), GRID)
    assert found == ["unknown-key"] * (MAX_FAULTS + 10)


def test_faults_that_are_not_told_are_spoken_of(problems):
    labels = ", ".join(f"A {number}: []" for number in range(MAX_FAULTS + 10))
    change = ("name: ndvi\n", f"name: ndvi\nlabels: {{{labels}}}\n")
    assert len(problems(change, GRID)) == MAX_FAULTS + 1


@pytest.mark.parametrize("data", [None, [], {}, {"request": 5}, {"request": {"output": []}}])
def test_what_is_hardly_a_manifest(data):
    saved = salvage(data, [], load_schema("job"), {})
    if isinstance(data, dict) and isinstance(data.get("request"), dict):
        assert saved is not None
        assert load_schema("job").accepts(saved.data)
    else:
        assert saved is None


def test_what_is_cut_out_is_remembered():
    data = {"request": {"output": [], "instanceType": 7}, "name": "n"}
    saved = salvage(data, [("name",)], load_schema("job"), {})
    assert saved is not None
    assert saved.data["name"] == "name"
    assert {("name",), ("request", "output"), ("request", "instanceType")} <= set(saved.unsound)
    assert data == {"request": {"output": [], "instanceType": 7}, "name": "n"}


def test_the_defaults_lie_under_the_value_of_an_expression(tmp_path):
    (tmp_path / "shbatch.yaml").write_text(
        "apiVersion: shbatch-sync/v1\nproject: p\ntargets: {eu: {}}\n"
        "defaults: {request: {output: {overwrite: true, delivery: {s3: {url: 's3://${{ project }}', iamRoleARN: r}}}}}\n"
    )
    text = MANIFEST[: MANIFEST.index("  output:\n    type")] + '  output: "${{ vars.how }}"\n'
    (tmp_path / "ndvi.yaml").write_text(text)
    (tmp_path / "ndvi.js").write_text(SCRIPT)
    how = {"type": "raster", "overwrite": None}
    [job] = load(directory=tmp_path, env={}, variables={"how": how}).jobs
    assert job.spec["output"] == {
        "type": "raster",
        "delivery": {"s3": {"url": "s3://p", "iamRoleARN": "r"}},
    }


def test_more_faults_than_can_be_cut_out_are_left_alone():
    data = {"request": {"processRequest": {"input": {"data": [{"type": 5}] * 700}}}}
    assert salvage(data, [], load_schema("job"), {}) is None


@pytest.mark.parametrize("axes", ["{a: [1, 2]}", "{b: {dates: {from: now, to: 2024}}}"])
def test_nothing_is_said_of_what_is_made_of_a_name_that_has_no_value(problems, axes):
    found = problems(
        ("name: ndvi\n", f'name: "n-${{{{ matrix.b }}}}"\nmatrix: {axes}\n'),
        ("s3://bucket/", "s3://bucket/${{ name }}/"),
    )
    assert found == ["matrix" if "dates" in axes else "expression"]


def test_what_is_never_done_with_is_given_up():
    class Restless:
        def __init__(self) -> None:
            self.round = 0

        def faults(self, _: object) -> list[SchemaFault]:
            self.round += 1
            return [SchemaFault(steps=("labels", f"k{self.round}"), message="again")]

    labels = {f"k{number}": "x" for number in range(100)}
    assert salvage({"labels": labels}, [("labels", "k0")], Restless(), {}) is None


def test_more_unknown_names_than_can_be_cut_out_end_the_checks(problems):
    labels = ", ".join(f"k{number}: '${{{{ vars.none }}}}'" for number in range(MAX_FAULTS + 1))
    found = problems(
        ("name: ndvi\n", f"name: ndvi\nlabels: {{{labels}}}\n"),
        ("resolution: 10", "resolution: 15"),
    )
    assert set(found) == {"expression"}
