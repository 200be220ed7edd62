"""The hook that other repositories use is there, and does what it says."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import yaml

from shbatch_sync.cli.main import run

HOOKS = Path(__file__).resolve().parents[2] / ".pre-commit-hooks.yaml"


@pytest.fixture
def hook() -> dict[str, object]:
    [found] = yaml.safe_load(HOOKS.read_text(encoding="utf-8"))
    return dict(found)


def test_the_hook_looks_at_whatever_manifests_are_made_of(hook: dict[str, object]) -> None:
    looks_at = re.compile(str(hook["files"])).search
    assert all(
        map(looks_at, ["shbatch.yaml", "a/shbatch.yaml", "jobs/a.yml", "jobs/a.js", "b.geojson"])
    )
    assert not looks_at("README.md")


def test_the_hook_ends_with_one_where_a_manifest_is_wrong(
    hook: dict[str, object], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    program, *arguments = shlex.split(str(hook["entry"]))
    assert (hook["id"], program) == ("shbatch-validate", "shbatch-sync")
    assert run(["-C", str(tmp_path), "init"]) == 0
    assert run(["-C", str(tmp_path), *arguments]) == 0
    (tmp_path / "jobs" / "empty.yaml").write_text("")
    assert run(["-C", str(tmp_path), *arguments]) == 1
    assert "the file is empty" in capfd.readouterr().out
