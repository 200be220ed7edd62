"""The example policy, run by conftest where it is at hand, over plans of our own."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.acceptance.conftest import Folder

POLICY = Path(__file__).resolve().parents[2] / "policy"


def test_the_example_speaks_of_members_that_a_plan_has(folder: Folder) -> None:
    """Without conftest too: every member of the plan that the policy reads is there."""
    folder.job("ndvi")
    folder("plan", "--out", "plan.json")
    plan = json.loads((folder.root / "plan.json").read_text())
    assert {"changes", "summary"} <= plan.keys()
    assert "estimatedPU" in plan["summary"]
    assert {"job", "action", "reason", "fields"} <= plan["changes"][0].keys()


@pytest.mark.skipif(shutil.which("conftest") is None, reason="conftest is not installed")
def test_the_example_denies_another_bucket_and_warns_of_a_price(folder: Folder) -> None:
    manifest = folder.job("ndvi", state="created")
    folder("apply", "--yes")
    manifest.write_text(manifest.read_text().replace("s3://results/", "s3://elsewhere/"))
    folder("plan", "--out", "plan.json")
    done = subprocess.run(
        ["conftest", "test", "plan.json", "--policy", str(POLICY), "--output", "json"],
        cwd=folder.root,
        capture_output=True,
        text=True,
        check=False,
    )
    (answer,) = json.loads(done.stdout)
    assert ["ndvi delivers to s3://elsewhere/" in one["msg"] for one in answer["failures"]] == [
        True
    ]
