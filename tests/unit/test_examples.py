"""Example manifests: the valid ones are, and each invalid one is refused in exactly the words beside it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from shbatch_sync.errors import ManifestError
from shbatch_sync.store.project import load
from tests.geopackages import write_examples

EXAMPLES = Path(__file__).parents[1] / "examples" / "manifests"
MANIFESTS = (".yaml", ".json")


def examples(kind: str) -> list[Path]:
    return sorted(path for path in (EXAMPLES / kind).iterdir() if path.suffix in MANIFESTS)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    root = tmp_path_factory.mktemp("examples")
    shutil.copy(EXAMPLES / "shbatch.yaml", root)
    shutil.copytree(EXAMPLES / "beside", root / "jobs")
    write_examples(root / "jobs")
    return root


def judged(project: Path, example: Path) -> str:
    manifest = project / "jobs" / f"manifest{example.suffix}"
    shutil.copy(example, manifest)
    try:
        return "\n".join(map(str, load(directory=project, env={}).problems))
    except ManifestError as error:
        return str(error)
    finally:
        manifest.unlink()


@pytest.mark.parametrize("example", examples("valid"), ids=lambda path: path.stem)
def test_valid(project, example):
    assert judged(project, example) == ""


@pytest.mark.parametrize("example", examples("invalid"), ids=lambda path: path.stem)
def test_invalid(project, example):
    assert judged(project, example) == example.with_suffix(".txt").read_text().rstrip("\n")


def test_there_are_enough():
    assert len(examples("invalid")) >= 120


def test_fields_of_a_register_are_jobs_of_their_own(project):
    manifest = project / "jobs" / "manifest.yaml"
    shutil.copy(EXAMPLES / "valid" / "fields-of-a-register.yaml", manifest)
    try:
        jobs = load(directory=project, env={}).jobs
    finally:
        manifest.unlink()
    assert [job.name for job in jobs] == ["ndvi-si-00123-4", "ndvi-si-00123-5", "ndvi-si-00200-1-b"]
    assert jobs[0].description == "NDVI of field SI-00123/4 (wheat)"
    assert jobs[2].labels == {"crop": "ječmen"}


def test_keys_for_copernicus_data_space_stay_in_the_environment(project):
    manifest = project / "jobs" / "manifest.yaml"
    shutil.copy(EXAMPLES / "valid" / "cdse-geopackage.yaml", manifest)
    try:
        loaded = load(directory=project, env={"CDSE_S3_KEY": "k"})
    finally:
        manifest.unlink()
    [job] = loaded.jobs
    assert set(job.credentials.values()) == {"CDSE_S3_KEY", "CDSE_S3_SECRET"}
    assert loaded.unset == {"CDSE_S3_SECRET": ("no2-of-fields-2025-06",)}
