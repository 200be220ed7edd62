from __future__ import annotations

import json

import pytest

from shbatch_sync.expanded import as_manifest, expanded
from shbatch_sync.pointer import leaves, lookup, to_pointer, to_steps
from shbatch_sync.store.project import load

PROJECT = """apiVersion: shbatch-sync/v1
project: crops
targets:
  eu:
    s3: {accessKey: {fromEnv: K}, secretAccessKey: {fromEnv: S}}
defaults:
  request: {output: {overwrite: false}}
vars: {grid: 0}
"""
MANIFEST = """apiVersion: shbatch-sync/v1
name: a-${{ matrix.n }}
matrix: {n: [1]}
description: A job
maxPU: 5
dependsOn: [a-1x]
labels: {k: v}
request:
  processRequest:
    input:
      bounds: {geometry: {fromFile: area.geojson}}
      data: [{type: sentinel-2-l2a}]
    output: {responses: [{identifier: default, format: {type: image/tiff}}]}
    evalscript: {fromFile: s.js}
  input: {type: tiling-grid, id: "${{ vars.grid }}", resolution: 10}
  output: {type: raster, delivery: {s3: {url: "s3://bucket/a"}}}
"""


@pytest.fixture
def loaded(tmp_path):
    (tmp_path / "jobs").mkdir()
    (tmp_path / "shbatch.yaml").write_text(PROJECT)
    (tmp_path / "jobs" / "a.yaml").write_text(MANIFEST)
    second = MANIFEST.replace("a-${{ matrix.n }}", "a-${{ matrix.n }}x").replace(
        "dependsOn: [a-1x]\n", ""
    )
    (tmp_path / "jobs" / "b.yaml").write_text(second)
    (tmp_path / "jobs" / "s.js").write_text("//VERSION=3\n")
    (tmp_path / "jobs" / "area.geojson").write_text(
        '{"type": "Polygon", "coordinates": [[[14, 45], [15, 45], [15, 46], [14, 45]]]}'
    )
    return load(directory=tmp_path, env={})


def test_where_each_value_comes_from(loaded):
    found = expanded(loaded.declarations[0], loaded.project.targets["eu"])
    places = found.places
    assert places["/name"] == "jobs/a.yaml:2"
    assert places["/state"] == "default"
    assert places["/dependsOn/0"] == "jobs/a.yaml:6"
    assert places["/request/input/id"] == "jobs/a.yaml:15"
    assert places["/request/output/overwrite"] == "shbatch.yaml:7"
    assert places["/request/output/delivery/s3/accessKey/fromEnv"] == "shbatch.yaml:4"
    assert places["/request/processRequest/evalscript"] == "jobs/a.yaml:14 (s.js)"
    assert (
        places["/request/processRequest/input/bounds/geometry/coordinates"]
        == "jobs/a.yaml:11 (area.geojson)"
    )
    assert not any("coordinates/" in pointer for pointer in places)


def test_secrets_are_references(loaded):
    data = as_manifest(loaded.jobs[0])
    assert data["request"]["output"]["delivery"]["s3"] == {
        "url": "s3://bucket/a",
        "accessKey": {"fromEnv": "K"},
        "secretAccessKey": {"fromEnv": "S"},
    }
    assert (data["description"], data["maxPU"], data["labels"], data["dependsOn"]) == (
        "A job",
        5,
        {"k": "v"},
        ["a-1x"],
    )
    assert "dependsOn" not in as_manifest(loaded.jobs[1])


def test_the_expanded_job_is_the_same_job(loaded, tmp_path):
    names = {}
    for job in loaded.jobs:
        names[job.name] = job
        (tmp_path / "jobs" / f"{job.name}.json").write_text(json.dumps(as_manifest(job)))
    for name in ("a", "b"):
        (tmp_path / "jobs" / f"{name}.yaml").unlink()
    again = load(directory=tmp_path, env={})
    assert {job.name: job.spec for job in again.jobs} == {
        name: job.spec for name, job in names.items()
    }
    assert [job.credentials for job in again.jobs] == [job.credentials for job in loaded.jobs]


def test_pointers():
    assert to_pointer(("a/b", 0, "c~d")) == "/a~1b/0/c~0d"
    assert to_steps("/a~1b/0/c~0d") == ("a/b", "0", "c~d")
    assert lookup({"a": [1]}, ("a", 0)) == (True, 1)
    assert lookup({"a": [1]}, ("a", 1)) == (False, None)
    assert lookup({"a": [1]}, ("a", "0")) == (False, None)
    assert lookup(5, ("a",)) == (False, None)
    assert list(leaves({"a": [], "b": [1, {}]})) == [(("a",), []), (("b", 0), 1), (("b", 1), {})]
