"""The emulator against bodies that people really send and answers that were really recorded."""

from __future__ import annotations

import json
import os
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from shbatch_sync.emulator import Emulator

CORPUS = Path(os.environ.get("SHBATCH_CORPUS") or Path(__file__).parents[3] / "shared" / "corpus")
PATH = "/api/v2/batch/process"
FORM = {"grant_type": "client_credentials", "client_id": "id", "client_secret": "secret"}
SECRETS = ("FAKE-ACCESS-KEY", "FAKE-SECRET-ACCESS-KEY")

pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus is not here")


def load(name: str) -> Any:
    return json.loads((CORPUS / name).read_text(encoding="utf-8"))


def names(folder: str) -> list[str]:
    return sorted(path.name for path in (CORPUS / folder).glob("*.json"))


@pytest.fixture
def http():
    clock = [1_750_000_000.0]
    with closing(Emulator(time_source=lambda: clock[0])) as emulator:
        transport = httpx.WSGITransport(app=emulator.app)
        with httpx.Client(transport=transport, base_url="http://batch") as client:
            token = client.post("/oauth/token", data=FORM).json()["access_token"]
            client.headers["Authorization"] = f"Bearer {token}"
            client.wait = emulator.service.advance
            yield client


@pytest.mark.parametrize("name", names("requests"))
def test_a_real_body_is_accepted_and_runs(http, name):
    body = load(f"requests/{name}")
    answer = http.post(PATH, json=body)
    assert answer.status_code == 201, answer.text
    assert not any(secret in answer.text for secret in SECRETS)
    path = f"{PATH}/{answer.json()['id']}"
    assert http.post(f"{path}/start").status_code == 204
    http.wait(3600)
    task = http.get(path).json()
    assert (task["status"], task["costPU"] >= 100) == ("DONE", True)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("shpy_test_create_body.json", {"input->id", "output->delivery"}),
        ("shpy_zarr_output_wrong_key.json", {"output->arrayParameters"}),
    ],
)
def test_a_wrong_body_is_refused_by_name(http, name, parameters):
    answer = http.post(PATH, json=load(f"requests/invalid/{name}"))
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (400, "COMMON_BAD_PAYLOAD")
    assert {fault["parameter"] for fault in error["errors"]} == parameters
    assert all(parameter in error["message"] for parameter in parameters)


def test_every_invalid_body_is_refused(http):
    found = {
        name: http.post(PATH, json=load(f"requests/invalid/{name}")).status_code
        for name in names("requests/invalid")
    }
    assert found
    assert set(found.values()) == {400}


def test_the_echo_is_the_recorded_one(http):
    body = load("requests/shpy_notebook_v2_california_ndvi.json")
    recorded = load("responses/create_201_created.json")
    delivery = body["output"]["delivery"]["s3"]
    delivery["url"] = recorded["request"]["output"]["delivery"]["s3"]["url"]  # masked differently
    task = http.post(PATH, json=body).json()
    assert task["request"] == recorded["request"]
    assert isinstance(task["request"]["input"]["resolution"], float)
    # Ids and instants are one's own; that nothing was asked has no instant, as in the recorded lists.
    own = ("id", "domainAccountId", "created", "lastUpdated", "userActionUpdated", "projectId")
    for name in own:
        task.pop(name, None)
        recorded.pop(name, None)
    assert task == recorded


@pytest.mark.parametrize(
    "name", ["get_one_done_card4l_grid2.json", "get_one_done_card4l_grid3.json"]
)
def test_an_echo_sent_again_comes_back_the_same(http, name):
    # Masks stand where secrets were, and masks are what comes back.
    request = load(f"responses/{name}")["request"]
    flags = ("overwrite", "skipExisting", "cogOutput", "createCollection")
    output = {**dict.fromkeys(flags, False), **request["output"]}
    echoed = http.post(PATH, json=request).json()["request"]
    assert echoed == {**request, "output": output}


def test_the_recorded_refusal_of_a_stop(http):
    task = http.post(PATH, json=load("requests/cdse_docs_v2_raster_corsica.json")).json()
    http.post(f"{PATH}/{task['id']}/start")
    answer = http.post(f"{PATH}/{task['id']}/stop")
    assert answer.status_code == 400
    assert answer.json() == load("responses/error_400_stop_while_created.json")


def test_the_recorded_refusal_of_an_empty_body(http):
    answer = http.post(PATH, content=b"", headers={"Content-Type": "application/json"})
    assert answer.json() == load("responses/error_400_transient_empty_body.json")


def test_the_recorded_grids(http):
    recorded = load("responses/tilinggrids_list.json")
    page = http.get("/api/v2/batch/tilinggrids").json()
    assert page["data"] == recorded["data"]
    assert page["links"].keys() == recorded["links"].keys()
    single = load("responses/tilinggrid_single_1.json")
    assert http.get("/api/v2/batch/tilinggrids/1").json() == single


@pytest.mark.parametrize("status", [401, 403, 404, 429])
def test_error_bodies_have_the_recorded_shape(status):
    from shbatch_sync.emulator.refusal import error_body  # noqa: PLC0415

    (path,) = (CORPUS / "responses").glob(f"error_{status}_*.json")
    recorded = json.loads(path.read_text(encoding="utf-8"))["error"]
    made = error_body(status, recorded["message"])["error"]
    assert made == recorded
