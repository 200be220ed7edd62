"""Request bodies that people really send, wrapped as manifests."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from shbatch_sync.errors import ManifestError
from shbatch_sync.store.project import load

CORPUS = Path(os.environ.get("SHBATCH_CORPUS") or Path(__file__).parents[3] / "shared" / "corpus")
SECRETS = ("accessKey", "secretAccessKey")
FAULTS = {
    "agrisight_v1_body_sent_to_v2": "tilingGrid",
    "clms_old_feature_id": "unknown key 'featureId'",
    "shpy_test_create_body": '/request/output/delivery: "test" is text, must be a mapping',
    "shpy_zarr_output_wrong_key": "unknown key 'arrayParameter'; did you mean 'arrayParameters'?",
}


def bodies(folder: str) -> list[Path]:
    return sorted((CORPUS / "requests" / folder).glob("*.json"))


def mapped(value, change):
    """Return `value` with `change(key, value)` in place of every member, where that is not None."""
    if isinstance(value, dict):
        return {
            key: mapped(item, change)
            for key, old in value.items()
            if (item := change(key, old)) is not None
        }
    return [mapped(item, change) for item in value] if isinstance(value, list) else value


@pytest.fixture
def project(tmp_path):
    if not CORPUS.is_dir():
        pytest.skip("the corpus is not here")
    (tmp_path / "jobs").mkdir()
    (tmp_path / "shbatch.yaml").write_text(
        "apiVersion: shbatch-sync/v1\nproject: corpus\ntargets: {eu: {}}\n"
    )
    return tmp_path


def add(project, path):
    body = mapped(
        json.loads(path.read_text()),
        lambda key, value: {"fromEnv": value.replace("-", "_")} if key in SECRETS else value,
    )
    manifest = {"apiVersion": "shbatch-sync/v1", "name": path.stem, "request": body}
    (project / "jobs" / f"{path.stem}.json").write_text(json.dumps(manifest))


def test_every_body_is_taken_as_it_is(project):
    for path in bodies(""):
        add(project, path)
    jobs = load(directory=project, env={}).jobs
    assert len(jobs) == len(bodies("")) >= 20
    for job in jobs:
        sent = json.loads((CORPUS / "requests" / f"{job.name}.json").read_text())
        assert job.description == sent.pop("description")
        assert job.spec == mapped(sent, lambda key, value: None if key in SECRETS else value)
        assert all(value.startswith("FAKE_") for value in job.credentials.values())


def test_every_invalid_body_is_refused_by_its_fault(project):
    for path in bodies("invalid"):
        add(project, path)
        with pytest.raises(ManifestError) as caught:
            load(directory=project, env={})
        assert FAULTS[path.stem] in str(caught.value)
        (project / "jobs" / f"{path.stem}.json").unlink()
    assert bodies("invalid")
