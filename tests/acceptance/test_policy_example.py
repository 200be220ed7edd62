"""The example policy, evaluated over plans of our own."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from shbatch_sync.store.schemas import schema_text
from tests.acceptance.conftest import Folder

POLICY = Path(__file__).resolve().parents[2] / "policy" / "plan.rego"
ALLOWED = "s3://my-results/"

Words = dict[str, list[str]]
Judge = Callable[[Mapping[str, Any]], Words]


# In a process of its own: with regopy's library loaded, that of pyproj aborts the one it is imported in.
EVALUATION = """
import json, regopy, sys
interpreter = regopy.Interpreter()
interpreter.add_module("plan", open(sys.argv[1]).read())
interpreter.set_input(json.load(sys.stdin))
query = lambda name: json.loads(str(interpreter.query(f"data.main.{name}")))["expressions"][0]
print(json.dumps({name: query(name) for name in ("deny", "warn")}))
"""


def answer(command: list[str], plan: Mapping[str, Any]) -> Any:
    done = subprocess.run(
        command, input=json.dumps(plan), capture_output=True, text=True, check=False
    )
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


def by_regopy(plan: Mapping[str, Any]) -> Words:
    if importlib.util.find_spec("regopy") is None:
        pytest.skip("regopy is not installed")
    words: Words = answer([sys.executable, "-c", EVALUATION, str(POLICY)], plan)
    return words


def by_conftest(plan: Mapping[str, Any]) -> Words:
    if shutil.which("conftest") is None:
        pytest.skip("conftest is not installed")
    (found,) = answer(
        ["conftest", "test", "-", "--parser=json", f"--policy={POLICY.parent}", "--output=json"],
        plan,
    )
    return {
        name: [one["msg"] for one in found.get(member) or ()]
        for name, member in (("deny", "failures"), ("warn", "warnings"))
    }


@pytest.fixture(params=[by_regopy, by_conftest])
def judge(request: pytest.FixtureRequest) -> Judge:
    judge: Judge = request.param
    return judge


def planned(folder: Folder, url: str = "s3://results/", **members: Any) -> dict[str, Any]:
    """Return the plan of one job that delivers below `url`."""
    manifest = folder.job("ndvi", state="created", **members)
    manifest.write_text(manifest.read_text().replace("s3://results/", url))
    plan: dict[str, Any] = folder("plan", "--format", "json").json
    return plan


def test_the_example_speaks_of_members_that_a_plan_has() -> None:
    schema = json.loads(schema_text("plan"))
    known = {"input": schema, "change": schema["$defs"]["change"]}
    policy = re.sub("#.*", "", POLICY.read_text())
    read = set(re.findall(r"\b(input|change)((?:\.\w+)+)", policy))
    assert {("input", ".changes"), ("change", ".action"), ("change", ".delivery")} <= read
    for name, way in read:
        here = known[name]
        for member in way.split(".")[1:]:
            assert member in here["properties"], f"{name}{way}"
            here = here["properties"][member]
    for member, values in re.findall(r"change\.(\w+) (?:==|in) (.*)", policy):
        named = set(re.findall('"(.*?)"', values))
        assert named
        assert named <= set(known["change"]["properties"][member]["enum"])


def test_a_new_job_may_deliver_to_the_teams_bucket_only(folder: Folder, judge: Judge) -> None:
    url = "s3://results/ndvi/<requestId>/<tileName>/<outputId>.<format>"
    assert judge(planned(folder))["deny"] == [f"ndvi delivers to {url}, outside {ALLOWED}"]
    assert judge(planned(folder, ALLOWED)) == {"deny": [], "warn": []}
    (denied,) = judge(planned(folder, "s3://my-results-of-others/"))["deny"]
    assert "s3://my-results-of-others/" in denied


def test_a_job_may_not_move_elsewhere(folder: Folder, judge: Judge) -> None:
    planned(folder, ALLOWED)
    folder("apply", "--yes")
    plan = planned(folder, "s3://elsewhere/")
    assert [change["action"] for change in plan["changes"]] == ["replace"]
    (denied,) = judge(plan)["deny"]
    assert denied.startswith("ndvi delivers to s3://elsewhere/")
    plan = planned(folder, ALLOWED, resolution=20)
    assert [change["action"] for change in plan["changes"]] == ["replace"]
    assert judge(plan)["deny"] == []


def test_no_place_at_all_is_not_allowed(folder: Folder, judge: Judge) -> None:
    plan = planned(folder, ALLOWED)
    plan["changes"][0]["delivery"] = None
    assert judge(plan)["deny"] == [f"ndvi delivers to null, outside {ALLOWED}"]


def test_an_orphan_is_not_stopped_and_a_price_is_warned_of(folder: Folder, judge: Judge) -> None:
    plan = planned(folder, ALLOWED)
    plan["summary"]["estimatedPU"] = 5000
    plan["changes"][0] |= {"action": "stop", "reason": "declared"}
    assert judge(plan) == {"deny": [], "warn": []}
    plan["summary"]["estimatedPU"] = 5001.4
    plan["changes"][0] |= {"reason": "orphan"}
    assert judge(plan) == {
        "deny": ["ndvi is stopped because its manifest is gone: ask its owner first"],
        "warn": ["the plan's starts cost about 5001 PU"],
    }
