"""Families of real requests, each written as one manifest with a matrix, give every body of the family."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from shbatch_sync.errors import ManifestError
from shbatch_sync.store.project import load

FAMILIES = Path(__file__).parents[1] / "examples" / "families"
SECRETS = ("accessKey", "secretAccessKey")
# Family → script of the manifest → body that the script is taken from.
SCRIPTS = {
    "dea_s5p": {name: f"{name.replace('-', '_')}_test_bbox" for name in ("aer-ai", "cloud", "hcho", "no2", "so2")},
    "dea_s3": {name: f"{name}_test_bbox" for name in ("lfr", "lst", "vg1")},
    "eogrow": {"aws-byoc-mosaic": "aws_byoc_mosaic", "l1c": "cdse_l1c_halfyear"},
    "cdse_docs": {"raster": "v2_raster_corsica", "collection": "v2_create_collection", "zarr": "v2_zarr_corsica"},
}  # fmt: skip


def without_secrets(value):
    if isinstance(value, dict):
        return {key: without_secrets(item) for key, item in value.items() if key not in SECRETS}
    return [without_secrets(item) for item in value] if isinstance(value, list) else value


@pytest.fixture
def requests(corpus: Path) -> Path:
    return corpus / "requests"


@pytest.mark.parametrize("family", SCRIPTS)
def test_one_manifest_gives_every_body_of_the_family(family, requests, tmp_path):
    bodies = {
        path.stem.replace("_", "-"): json.loads(path.read_text())
        for path in requests.glob(f"{family}_*.json")
    }
    shutil.copy(FAMILIES / "shbatch.yaml", tmp_path)
    (tmp_path / "jobs").mkdir()
    shutil.copy(FAMILIES / f"{family}.yaml", tmp_path / "jobs")
    for script, stem in SCRIPTS[family].items():
        process = bodies[f"{family}_{stem}".replace("_", "-")]["processRequest"]
        (tmp_path / "jobs" / f"{script}.js").write_text(process["evalscript"])
        area = process["input"].get("bounds", {}).get("geometry")
        (tmp_path / "jobs" / "area.geojson").write_text(json.dumps(area))
    loaded = load(directory=tmp_path, env={"CORPUS_KEY": "k", "CORPUS_SECRET": "s"})
    assert loaded.problems == ()
    assert {job.name for job in loaded.jobs} == set(bodies)
    for job in loaded.jobs:
        sent = bodies[job.name]
        assert job.description == sent.pop("description")
        assert job.spec == without_secrets(sent)
        uses_keys = "FAKE-ACCESS-KEY" in json.dumps(sent)
        assert bool(job.credentials) is uses_keys


def test_a_family_is_judged_without_its_scripts_too(tmp_path):
    shutil.copy(FAMILIES / "shbatch.yaml", tmp_path)
    (tmp_path / "jobs").mkdir()
    for family in SCRIPTS:
        shutil.copy(FAMILIES / f"{family}.yaml", tmp_path / "jobs")
    with pytest.raises(ManifestError) as caught:
        load(directory=tmp_path, env={})
    assert {problem.code for problem in caught.value.problems} == {"file"}
