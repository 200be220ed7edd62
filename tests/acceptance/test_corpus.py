"""Bodies that people really send: accepted, applied, in sync; those that are wrong: refused by what is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.acceptance.conftest import Folder
from tests.corpus import BODIES, INVALID, job_name, manifest


@pytest.fixture
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORPUS_KEY", "a-key")
    monkeypatch.setenv("CORPUS_SECRET", "a-secret")


@pytest.mark.skipif(not BODIES, reason="the collected requests are not beside this clone")
@pytest.mark.usefixtures("_keys")
def test_every_real_body_validates_applies_and_is_in_sync(folder: Folder) -> None:
    for path in BODIES:
        folder.write(
            f"jobs/{path.stem}.json", manifest(job_name(path), json.loads(path.read_text()))
        )
    assert folder("validate").code == 0
    applied = folder("apply", "--yes", "--wait", "--allow", "twin")
    assert applied.code == 0, applied
    after = folder("plan", "--detailed-exitcode")
    assert (after.code, after.out.strip()) == (0, f"Plan: nothing to do; {len(BODIES)} in sync.")


@pytest.mark.skipif(not INVALID, reason="the collected requests are not beside this clone")
@pytest.mark.parametrize("path", INVALID, ids=lambda path: path.stem)
def test_every_wrong_body_is_refused_by_what_is_wrong(folder: Folder, path: Path) -> None:
    faults = {
        "shpy_test_create_body": [
            "/request/output/delivery",
            "must be a mapping",
            "there is no tiling grid 1000",
            "[evalscript-version]",
        ],
        "shpy_zarr_output_wrong_key": ["arrayParameter", "did you mean 'arrayParameters'"],
    }
    folder.write(f"jobs/{path.stem}.json", manifest(job_name(path), json.loads(path.read_text())))
    answer = folder("validate")
    assert answer.code == 1
    for words in faults[path.stem]:
        assert words in answer.out
