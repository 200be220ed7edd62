"""Machine output: every JSON meets its schema, says no more than that, and nothing of others is a command."""

from __future__ import annotations

import csv
import io
import itertools
import json
from collections.abc import Mapping
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from shbatch_sync.cli.schema import KINDS
from shbatch_sync.diff import Kind
from shbatch_sync.plan import ALLOWABLE, Action, Gate, Reason
from shbatch_sync.store.schemas import load_schema, schema_text
from tests.acceptance.conftest import Folder


def strangers(
    value: Any, schema: Mapping[str, Any], root: Mapping[str, Any], at: str = ""
) -> list[str]:
    """Return members of a value that its schema does not name."""
    if "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rpartition("/")[2]]
    for branch in schema.get("anyOf", ()):
        if value is not None and "$ref" in branch:
            return strangers(value, branch, root, at)
    if isinstance(value, list):
        return [
            name
            for item in value
            for name in strangers(item, schema.get("items", {}), root, f"{at}[]")
        ]
    if not isinstance(value, dict) or "properties" not in schema:
        return []
    known = schema["properties"]
    found = [f"{at}/{key}" for key in value if key not in known]
    return found + [
        name
        for key, item in value.items()
        if key in known
        for name in strangers(item, known[key], root, f"{at}/{key}")
    ]


def meets(document: Any, kind: str) -> None:
    """Assert that a document is what its schema says, and says nothing else."""
    schema = load_schema(kind)
    assert schema.faults(document) == []
    text = dict(schema.text)
    if "oneOf" in text:
        (text,) = [
            one for one in text["oneOf"] if one["properties"]["type"]["const"] == document["type"]
        ]
    assert strangers(document, text, schema.text) == []


@pytest.mark.parametrize("kind", KINDS)
def test_every_schema_is_one_and_is_printed(folder: Folder, kind: str) -> None:
    Draft202012Validator.check_schema(json.loads(schema_text(kind)))
    assert folder("schema", kind).json == json.loads(schema_text(kind))


def test_a_schema_is_that_of_jobs_unless_another_is_named(folder: Folder) -> None:
    assert folder("schema").out == folder("schema", "job").out
    wrong = folder("schema", "jobs")
    assert (wrong.code, wrong.out) == (1, "")
    assert "'project', 'plan'" in wrong.err


def test_the_schemas_know_every_value() -> None:
    change = json.loads(schema_text("plan"))["$defs"]["change"]["properties"]
    assert change["action"]["enum"] == [action.value for action in Action]
    assert change["reason"]["enum"] == [reason.value for reason in Reason]
    defs = json.loads(schema_text("plan"))["$defs"]
    assert defs["withheld"]["properties"]["gate"]["enum"] == [gate.value for gate in Gate]
    assert defs["field"]["properties"]["kind"]["enum"] == [kind.value for kind in Kind]
    allow = json.loads(schema_text("plan"))["properties"]["policy"]["properties"]["allow"]
    assert set(allow["items"]["enum"]) == {gate.value for gate in ALLOWABLE}
    assert json.loads(schema_text("apply"))["$defs"] == defs


def test_every_command_meets_its_schema(folder: Folder) -> None:
    folder.job("ndvi", more="description: July")
    folder.job("later", more="dependsOn: [ndvi]")
    meets(folder("plan", "--format", "json").json, "plan")
    folder("apply", "--yes", "--wait")
    folder.job("ndvi", resolution=20, more="description: August")
    folder.job("third", more="maxPU: 1")
    for command in ("plan", "status", "validate", "history", "estimate"):
        document = folder(command, "--format", "json").json
        meets(document, command)
        assert document["formatVersion"] == "1.0"
    folder.write("jobs/bad.yaml", "apiVersion: shbatch-sync/v1\nnmae: x\n")
    bad = folder("validate", "--format", "json")
    assert bad.code == 1
    meets(bad.json, "validate")


def events(text: str) -> list[dict[str, Any]]:
    """Read a stream, each of whose lines has to be what its schema says."""
    found = [json.loads(line) for line in text.splitlines()]
    for event in found:
        meets(event, "apply")
    return found


def test_an_apply_is_a_stream_of_events(folder: Folder) -> None:
    folder.job("ndvi")
    folder.job("dear", more="maxPU: 1")
    applied = folder("apply", "--yes", "--wait", "--format", "json")
    assert applied.code == 3
    stream = events(applied.out)
    kinds = [event["type"] for event in stream]
    assert kinds[0] == "version"
    assert kinds[1:6] == ["planned_change"] * 4 + ["plan"]
    assert kinds[-1] == "summary"
    steps = [(e["job"], e["action"], e["outcome"]) for e in stream if e["type"] == "step"]
    assert ("ndvi", "start", "done") in steps
    end = stream[-1]
    assert (end["done"], end["exitCode"]) == ({"create": 2, "start": 1}, 3)
    assert [change["job"] for change in end["withheld"]] == ["dear"]
    for one, other in itertools.pairwise(stream):
        assert one != other


def test_the_stream_goes_into_a_file_beside_the_words(folder: Folder) -> None:
    folder.job("ndvi")
    applied = folder("apply", "--yes", "--json-into", "events.jsonl")
    assert applied.out.splitlines()[-1].startswith("Apply: 1 created, 1 started")
    stream = events((folder.root / "events.jsonl").read_text())
    assert (stream[0]["type"], stream[-1]["type"]) == ("version", "summary")
    planned = folder("plan", "--json-into", "plan.json")
    assert planned.out.startswith("Plan: ") or "Plan: " in planned.out
    meets(json.loads((folder.root / "plan.json").read_text()), "plan")


def test_a_stream_that_an_error_ends_says_so(folder: Folder) -> None:
    folder.job("ndvi")
    folder("plan", "--out", "plan.json")
    folder.job("ndvi", resolution=20)
    refused = folder("apply", "plan.json", "--format", "json")
    assert refused.code == 3
    end = events(refused.out)[-1]
    assert (end["type"], end["exitCode"]) == ("error", 3)
    assert "is not what would be done now" in end["message"]
    unasked = folder("apply", "--format", "json")
    assert (unasked.code, events(unasked.out)[-1]["exitCode"]) == (1, 1)


def test_history_as_a_table(folder: Folder) -> None:
    folder.job("ndvi")
    folder("apply", "--yes", "--wait")
    path = folder.root / ".shbatch" / "sandbox.ledger.jsonl"
    line = json.loads(path.read_text().splitlines()[0])
    with path.open("a") as ledger:
        ledger.write(json.dumps({**line, "nonce": "=1+1", "at": "2020-01-01T00:00:00Z"}) + "\n")
    rows = list(csv.DictReader(io.StringIO(folder("history", "--format", "csv").out)))
    assert [row["event"] for row in rows][-1] == "final"
    assert (rows[-1]["status"], rows[-1]["costPU"]) == ("DONE", "100.0")
    assert rows[0]["nonce"] == "'=1+1"
    assert [(row["estimatedPU"], row["ratio"]) for row in rows[-2:]] == [("", ""), ("100.0", "1.0")]


def broken(folder: Folder) -> None:
    """Declare two problems, one of them in a file whose name wants to be a command."""
    folder.job("ndvi")
    folder.job("bad,x%", resolution=15)
    path = folder.root / "jobs" / "bad,x%.yaml"
    path.write_text(path.read_text().replace("name: bad,x%", "name: bad"))
    folder.write(
        "jobs/worse.yaml", 'apiVersion: shbatch-sync/v1\nname: "a\\n::set-output name=x::y"\n'
    )


def test_problems_as_annotations(folder: Folder) -> None:
    broken(folder)
    answer = folder("validate", "--format", "github")
    assert answer.code == 1
    lines = answer.out.splitlines()
    assert all(line.startswith(("::error file=jobs/", "::warning ")) for line in lines)
    bad = next(line for line in lines if "grid-resolution" in line)
    assert bad.startswith("::error file=jobs/bad%2Cx%25.yaml,line=")
    assert (
        ",title=grid-resolution::/request/input/resolution: 15 is not a resolution of tiling grid 0"
        in bad
    )
    (folder.root / "jobs" / "worse.yaml").unlink()
    (folder.root / "jobs" / "bad,x%.yaml").unlink()
    assert folder("validate", "--format", "github").out.splitlines()[-1] == "1 job, no errors."


def test_problems_as_sarif(folder: Folder) -> None:
    broken(folder)
    log = folder("validate", "--format", "sarif").json
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    result = next(one for one in run["results"] if one["ruleId"] == "grid-resolution")
    assert rules[result["ruleIndex"]] == "grid-resolution"
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "jobs/bad%2Cx%25.yaml"
    assert place["region"]["startLine"] > 1
    assert result["level"] == "error"


def test_json_is_no_command(folder: Folder) -> None:
    folder.job("ndvi", more='description: "##[set-env name=x]y ##vso[x]"', state="created")
    folder("apply", "--yes")
    folder.job("ndvi", more='description: "## ##[add-path]"', state="created")
    answer = folder("plan", "--format", "json")
    assert "##" not in answer.out
    assert answer.json["changes"][0]["fields"][0]["after"] == "## ##[add-path]"
