"""Requests that were made by hand become manifests that declare exactly them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from shbatch_sync import BatchProcessClient, Config
from shbatch_sync.cli import import_command
from shbatch_sync.emulator import Emulator, Options
from shbatch_sync.emulator.server import serve
from shbatch_sync.normalize import normalize
from shbatch_sync.request import BatchProcessRequest
from shbatch_sync.store.project import load
from tests.acceptance.conftest import EVALSCRIPT, ROLE, Folder
from tests.corpus import BODIES

WAIT = ("--yes", "--wait", "--poll", "0.2", "--allow", "twin")
RING = [[14 + x / 100, 46 + y / 100] for x, y in [(0, 0), (9, 0), (9, 9), (5, 5), (0, 9), (0, 0)]]
COAST = [[14.0, 46.0], *([14.5 + step / 100, 46.0 + step / 10] for step in range(9)), [14.0, 46.0]]


def body(**members: Any) -> dict[str, Any]:
    return {
        "processRequest": {
            "input": {
                "bounds": {"bbox": [14.4, 46.0, 14.6, 46.1]},
                "data": [
                    {
                        "type": "sentinel-2-l2a",
                        "dataFilter": {
                            "timeRange": {
                                "from": "2025-07-01T00:00:00Z",
                                "to": "2025-07-31T23:59:59Z",
                            },
                            "maxCloudCoverage": 40,
                        },
                    }
                ],
            },
            "output": {"responses": [{"identifier": "default", "format": {"type": "image/tiff"}}]},
            "evalscript": EVALSCRIPT,
        },
        "input": {"type": "tiling-grid", "id": 0, "resolution": 10},
        "output": {
            "type": "raster",
            "delivery": {"s3": {"url": "s3://results/<tileName>/<outputId>.<format>", "iamRoleARN": ROLE}},
        },
        **members,
    }  # fmt: skip


def with_area(ring: list[Any], crs: str | None = None) -> dict[str, Any]:
    made = body()
    bounds: dict[str, Any] = {"geometry": {"type": "Polygon", "coordinates": [ring]}}
    if crs is not None:
        bounds["properties"] = {"crs": crs}
    made["processRequest"]["input"]["bounds"] = bounds
    return made


def zarr() -> dict[str, Any]:
    made = body(
        input={"type": "tiling-grid", "id": 7, "resolution": 20},
        output={
            "type": "zarr",
            "delivery": {
                "s3": {"url": "s3://results/zarr", "accessKey": "AKIA1", "secretAccessKey": "hush"}
            },
            "group": {"zarr_format": 2},
            "arrayParameters": {
                "dtype": "<f4", "order": "C", "chunks": [1, 1000, 1000], "fill_value": "NaN",
            },
        },
    )  # fmt: skip
    made["processRequest"]["output"]["responses"][0]["format"]["type"] = "zarr/array"
    return made


OWN = {
    "plain": body(),
    "short area": with_area(RING),
    "long area": with_area(COAST),
    "metric area": with_area(
        [[461000, 5095000], *([470000 + step, 5096000 + 100 * step] for step in range(9)), [461000, 5095000]],
        "http://www.opengis.net/def/crs/EPSG/0/32633",
    ),
    "zarr": zarr(),
    "windows": body() | {"processRequest": {**body()["processRequest"], "evalscript": EVALSCRIPT.replace("\n", "\r\n")}},
    "two lines\nof a text with ${{ name }} in it": body(),
    "yes": body(),
}  # fmt: skip


class Account:
    """The emulator behind a socket, and what people make on it by hand."""

    def __init__(self, emulator: Emulator, client: BatchProcessClient) -> None:
        self.emulator = emulator
        self.client = client

    def make(self, sent: dict[str, Any], description: str | None = None) -> str:
        made = self.client.create(
            sent["processRequest"],
            sent["input"],
            sent["output"],
            description=sent.get("description") if description is None else description,
        )
        return str(made.request_id)


@pytest.fixture
def account(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    for name in ("SH_CLIENT_ID", "SH_CLIENT_SECRET", "S3_ACCESS_KEY", "S3_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "some-value")
    with Emulator(":memory:", Options(speed=600)) as emulator, serve(emulator) as server:
        folder.settings(f"  sandbox: {{baseUrl: '{server.url}', settle: 0}}\n")
        config = Config(base_url=server.url, client_id="an-id", client_secret="x")
        with BatchProcessClient(config) as client:
            yield Account(emulator, client)


def rendered(folder: Folder) -> dict[str, dict[str, Any]]:
    """Return id → job of what the folder declares."""
    return {
        one["job"]["adopt"]: one["job"]
        for one in folder("render", "--format", "json").json
        if "adopt" in one["job"]
    }


def actions(folder: Folder) -> set[str]:
    answer = folder("plan", "--format", "json")
    assert answer.code == 0, answer
    return {change["action"] for change in answer.json["changes"]}


def check_round_trip(folder: Folder, account: Account, ids: list[str]) -> None:
    jobs = rendered(folder)
    assert sorted(jobs) == sorted(ids)
    for request_id, job in jobs.items():
        live = account.client.get_request(request_id)
        assert normalize(job["request"]) == normalize(live.request)
        assert job.get("description", "") == live.description.strip()
    assert actions(folder) == {"adopt"}
    assert folder("apply", *WAIT).code == 0
    after = folder("plan", "--detailed-exitcode")
    assert (after.code, after.out.strip()) == (0, f"Plan: nothing to do; {len(ids)} in sync.")
    assert len(account.emulator.service.tasks()) == len(ids)


def test_what_was_made_by_hand_is_taken_over_as_it_is(folder: Folder, account: Account) -> None:
    ids = [account.make(sent, description) for description, sent in OWN.items()]
    answer = folder("import", "--all")
    assert answer.code == 0, answer
    assert "hush" not in "".join(
        path.read_text() for path in folder.root.rglob("*.*") if path.is_file()
    )
    assert {path.name for path in (folder.root / "jobs").glob("*.yaml")} == {
        "plain.yaml", "short-area.yaml", "long-area.yaml", "metric-area.yaml", "zarr.yaml", "windows.yaml",
        "two-lines.yaml", "yes.yaml",
    }  # fmt: skip
    # one script, one file; the one with carriage returns would not survive a file
    assert len(list((folder.root / "jobs" / "evalscripts").iterdir())) == 1
    assert {path.name for path in (folder.root / "jobs" / "areas").iterdir()} == {
        "long-area.geojson",
        "metric-area.geojson",
    }
    assert folder("validate").code == 0
    check_round_trip(folder, account, ids)


def test_a_manifest_reads_as_if_a_person_had_written_it(folder: Folder, account: Account) -> None:
    request_id = account.make(body(description="Summer NDVI"))
    assert folder("import", "--id", request_id, "--out", "jobs/taken/over").code == 0
    text = (folder.root / "jobs" / "taken" / "over" / "summer-ndvi.yaml").read_text()
    # whether an id needs quotes is up to its first digit
    assert (
        text.replace(f'"{request_id}"', request_id)
        == f"""# yaml-language-server: $schema=../../../.shbatch/job.schema.json
apiVersion: shbatch-sync/v1
name: summer-ndvi
description: Summer NDVI
adopt: {request_id}
state: created
request:
  processRequest:
    input:
      bounds: {{bbox: [14.4, 46, 14.6, 46.1]}}
      data:
        - type: sentinel-2-l2a
          dataFilter:
            timeRange: {{from: "2025-07-01T00:00:00Z", to: "2025-07-31T23:59:59Z"}}
            maxCloudCoverage: 40
    output: {{responses: [{{identifier: default, format: {{type: image/tiff}}}}]}}
    evalscript: {{fromFile: evalscripts/summer-ndvi.js}}
  input: {{type: tiling-grid, id: 0, resolution: 10}}
  output:
    type: raster
    delivery:
      s3:
        url: "s3://results/<tileName>/<outputId>.<format>"
        iamRoleARN: "{ROLE}"
"""
    )
    assert (folder.root / ".shbatch" / "job.schema.json").is_file()


@pytest.mark.skipif(not BODIES, reason="the collected requests are not beside this clone")
def test_every_real_body_is_taken_over_as_it_is(folder: Folder, account: Account) -> None:
    ids = [account.make(json.loads(path.read_text())) for path in BODIES]
    answer = folder("import", "--all")
    assert answer.code == 0, answer
    assert "FAKE" not in "".join(path.read_text() for path in (folder.root / "jobs").rglob("*.*"))
    check_round_trip(folder, account, ids)


def reach(client: BatchProcessClient, request_id: str, *statuses: str) -> None:
    for _ in range(400):
        if client.get_request(request_id).status.value in statuses:
            return
        time.sleep(0.02)
    raise AssertionError(statuses)


@pytest.mark.parametrize("until", ["analysed", "processing", "done", "stopped"])
def test_a_request_that_is_under_way_is_left_where_it_is(
    folder: Folder, account: Account, until: str
) -> None:
    request_id = account.make(body(description="mine"))
    client = account.client
    client.start_analysis(request_id)
    reach(client, request_id, "ANALYSIS_DONE")
    if until != "analysed":
        client.start_job(request_id)
        reach(client, request_id, "PROCESSING", "DONE")
    if until == "stopped":
        client.stop_job(request_id)
    if until in ("stopped", "done"):
        reach(client, request_id, until.upper())
    assert folder("import", "--all").code == 0
    expected = {"analysed": "analysed", "stopped": "stopped"}.get(until, "started")
    assert rendered(folder)[request_id]["state"] == expected
    assert actions(folder) <= {"adopt", "wait"}
    assert folder("apply", *WAIT).code == 0
    assert folder("plan", "--detailed-exitcode").code == 0
    assert len(account.emulator.service.tasks()) == 1


def test_what_is_ours_already_is_passed_over_with_a_word(folder: Folder, account: Account) -> None:
    folder.job("ndvi", state="created")
    assert folder("apply", *WAIT).code == 0
    foreign = account.make(body(description="of others [shbatch-sync/1 else/where r1"))
    waiting = account.make(body(description="waiting"))
    assert folder("import", "--id", waiting).code == 0
    answer = folder("import", "--all")
    assert answer.code == 0
    assert "belongs to our job ndvi" in answer.err
    assert f"skipped {foreign}: carries a damaged marker" in answer.err
    assert f"skipped {waiting}: is declared already, by job waiting" in answer.err
    assert "nothing was imported" in answer.err
    assert answer.out == ""
    ours = folder.requests()[0]["requestId"]
    account.client.update_request(ours, "tidied up")
    assert f"skipped {ours}: is ours by the ledger" in folder("import", "--id", ours).err


def test_nothing_is_overwritten(folder: Folder, account: Account) -> None:
    request_id = account.make(body(description="Summer NDVI"))
    there = folder.write("jobs/evalscripts/summer-ndvi.js", "mine")
    folder.write(
        "jobs/a.yaml",
        folder.job("other").read_text().replace("fromFile: ndvi.js", "fromFile: ndvi.js"),
    )
    (folder.root / "jobs" / "other.yaml").unlink()
    answer = folder("import", "--id", request_id)
    assert answer.code == 1
    assert "evalscripts/summer-ndvi.js is there already; nothing was written" in answer.err
    assert there.read_text() == "mine"
    assert not (folder.root / "jobs" / "summer-ndvi.yaml").exists()


def test_names_that_collide_get_digits_of_the_id(folder: Folder, account: Account) -> None:
    folder.job("mine")
    ids = [
        account.make(body(description="mine")),
        *(account.make(with_area(RING), "twice") for _ in range(2)),
    ]
    assert folder("import", "--all").code == 0
    names = {job["adopt"]: job["name"] for job in rendered(folder).values()}
    assert names[ids[0]] == f"mine-{ids[0].replace('-', '')[:8]}"
    assert (
        sorted(names[one] for one in ids[1:])
        == sorted({f"twice-{one.replace('-', '')[:8]}" for one in ids[1:]})
        or len(set(names.values())) == 3
    )


def test_the_defaults_of_the_project_do_not_change_what_is_imported(
    folder: Folder, account: Account
) -> None:
    request_id = account.make(body(description=""))
    settings = (folder.root / "shbatch.yaml").read_text()
    folder.write(
        "shbatch.yaml",
        settings
        + "defaults:\n  description: ours\n  request:\n    output: {overwrite: true, skipExisting: true}\n"
        "    input: {bufferX: 5}\n    processRequest: {input: {bounds: {properties: {crs: 'x'}}}}\n",
    )
    assert folder("import", "--id", request_id).code == 0
    job = rendered(folder)[request_id]
    assert normalize(job["request"]) == normalize(account.client.get_request(request_id).request)
    assert "description" not in job
    assert actions(folder) == {"adopt"}


def test_a_body_of_the_documentation_becomes_a_manifest(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_KEY", "a")
    monkeypatch.setenv("MY_SECRET", "b")
    folder.write("body.json", json.dumps(zarr()))
    answer = folder(
        "import", "--from", "body.json", "--access-key", "MY_KEY", "--secret-key", "MY_SECRET"
    )
    assert answer.code == 0, answer
    name = "sentinel-2-l2a-default"
    text = (folder.root / "jobs" / f"{name}.yaml").read_text()
    assert "hush" not in text
    assert "adopt" not in text
    assert "accessKey: {fromEnv: MY_KEY}" in text
    assert folder("apply", "--yes").code == 0
    assert folder("plan", "--detailed-exitcode").code == 0


def test_a_body_on_standard_input_for_another_target(folder: Folder) -> None:
    folder.settings(
        "  sandbox: {emulator: .shbatch/sandbox.db}\n  eu: {s3: {accessKey: {fromEnv: EU_KEY}, secretAccessKey: {fromEnv: EU_SECRET}}}\n"
    )
    answer = folder.process(
        "import", "--from", "-", "--target", "eu", stdin=json.dumps(zarr() | {"description": "d"})
    )
    assert answer.code == 0, answer
    text = (folder.root / "jobs" / "d.yaml").read_text()
    assert "target: eu\n" in text
    assert "secretAccessKey: {fromEnv: EU_SECRET}" in text


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "body.json:1:2: not JSON"),
        ('{"name": "x"}', "is no request body"),
        ('{"processRequest": {}}', "body.json: /request"),
        (json.dumps(body(output={**body()["output"], "overwite": True})), "did you mean 'overwrite'"),
        (json.dumps(body(input={"type": "tiling-grid", "id": 0, "resolution": 15})), "15 is not a resolution"),
    ],
)  # fmt: skip
def test_a_body_that_is_wrong_is_refused_by_what_is_wrong(
    folder: Folder, content: str, words: str
) -> None:
    folder.write("body.json", content)
    answer = folder("import", "--from", "body.json")
    assert answer.code == 1
    assert words in answer.out + answer.err
    assert not (folder.root / "jobs").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "pass one of --id ID, --all, --from FILE"),
        (("--all", "--from", "x.json"), "pass one of"),
        (("--from", "missing.json"), "No such file"),
        (("--all", "--out", ".."), "manifests of this project are looked for in"),
        (("--all", "--out", "elsewhere"), "manifests of this project are looked for in"),
        (("--all", "--target", "nowhere"), "there is no target 'nowhere'"),
    ],
)
def test_wrong_usage(folder: Folder, arguments: tuple[str, ...], words: str) -> None:
    answer = folder("import", *arguments)
    assert answer.code == 1
    assert words in answer.err


def test_manifests_beside_the_project_file_stay_where_they_are_found(folder: Folder) -> None:
    folder.job("ndvi")
    for path in (folder.root / "jobs").iterdir():
        path.rename(folder.root / path.name)
    (folder.root / "jobs").rmdir()
    folder.write("body.json", json.dumps(body(description="second")))
    assert folder("import", "--from", "body.json").code == 0
    assert (folder.root / "second.yaml").is_file()
    assert "2 jobs" in folder("validate").out


def test_a_request_that_this_version_cannot_declare_is_not_written(
    folder: Folder, account: Account
) -> None:
    good = account.make(body(description="good"))
    odd = account.make(
        body(
            description="odd",
            input={"type": "tiling-grid", "id": 0, "resolution": 10, "newMember": [1]},
        )
    )
    answer = folder("import", "--all")
    assert answer.code == 0, answer
    assert "x-allow" in (folder.root / "jobs" / "odd.yaml").read_text()
    check_round_trip(folder, account, [good, odd])


def test_a_body_cannot_make_the_project_read_files(folder: Folder) -> None:
    sent = body()
    sent["processRequest"]["evalscript"] = {"fromFile": "../shbatch.yaml"}
    folder.write("body.json", json.dumps(sent))
    answer = folder("import", "--from", "body.json")
    assert answer.code == 1
    assert "is not among the files" in answer.out
    assert not (folder.root / "jobs").exists()


def test_a_request_that_has_failed_is_passed_over(folder: Folder) -> None:
    folder.job("ndvi")
    loaded = load(directory=folder.root, env={})
    failed = BatchProcessRequest.from_dict({"id": "a", "status": "FAILED", "request": {}})
    assert "has failed" in import_command._reason_against(failed, loaded, set())


def test_which_target_has_to_be_said_where_there_are_several(folder: Folder) -> None:
    folder.write(
        "shbatch.yaml", "apiVersion: shbatch-sync/v1\nproject: p\ntargets: {eu: {}, us: {}}\n"
    )
    answer = folder("import", "--all")
    assert answer.code == 1
    assert "which target? pass --target with one of: eu, us" in answer.err
