"""What `import shbatch_sync` offers: every name, with its types, and a whole apply by public names alone."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

import shbatch_sync
from shbatch_sync import (
    Action,
    ApplyResult,
    Facts,
    Ledger,
    Policy,
    apply_plan,
    build_plan,
    load_jobs,
    open_run,
)
from tests.acceptance.conftest import Folder

SCRIPT = """
from shbatch_sync import BatchProcessClient, BatchProcessRequest, apply_plan, build_plan, load_jobs, open_run

reveal_type(BatchProcessClient)
reveal_type(build_plan)
reveal_type(load_jobs)
reveal_type(apply_plan)
with open_run("crops") as run:
    reveal_type(apply_plan(run).exit_code)
request: BatchProcessRequest = BatchProcessClient().get_request("x")
reveal_type(request.status)
request.nope
BatchProcessClient().nonexistent()
"""


@pytest.mark.parametrize("name", shbatch_sync.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(shbatch_sync, name) is not None
    assert name in dir(shbatch_sync)


def test_the_names_are_those_that_are_imported() -> None:
    assert set(shbatch_sync.__all__) == {*shbatch_sync._HOMES, "__version__"}
    with pytest.raises(AttributeError, match="has no attribute 'nope'"):
        _ = shbatch_sync.nope


def test_a_type_checker_knows_them(tmp_path: Path) -> None:
    script = tmp_path / "user.py"
    script.write_text(SCRIPT)
    package = str(Path(shbatch_sync.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", str(script)],
        cwd=tmp_path,
        env={"MYPYPATH": package, "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout
    assert "shbatch_sync.plan.Plan" in said, said + done.stderr
    assert "list[shbatch_sync.job.Job]" in said
    assert "shbatch_sync.errors.ExitCode" in said
    assert "shbatch_sync.status.BatchRequestStatus" in said
    assert '"BatchProcessRequest" has no attribute "nope"' in said
    assert '"BatchProcessClient" has no attribute "nonexistent"' in said
    assert 'type is "Any"' not in said


def test_a_plan_and_an_apply(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder = Folder(tmp_path, capfd)
    folder.settings()
    folder.job("ndvi")
    jobs = load_jobs(directory=tmp_path)
    facts = Facts(project="crops", target="sandbox", now=datetime(2025, 7, 1, tzinfo=UTC))
    plan = build_plan(
        jobs, [], Ledger.of([], project="crops", target="sandbox", account=None), Policy(), facts
    )
    assert [change.action for change in plan.changes] == [Action.CREATE, Action.START]
    with open_run(tmp_path, wait=True, timeout=60) as run:
        result = apply_plan(run)
    assert isinstance(result, ApplyResult)
    assert (result.exit_code, result.done[Action.START], result.plan.changes) == (0, 1, ())
    with open_run(tmp_path, policy=Policy(max_start_pu=1)) as run:
        assert apply_plan(run).steps == ()
