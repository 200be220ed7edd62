"""Answers of the emulator against the published OpenAPI, where it is right."""

from __future__ import annotations

import json
import os
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from jsonschema import Draft202012Validator

from shbatch_sync.emulator import Emulator

SHARED = Path(__file__).parents[3] / "shared"
OPENAPI = SHARED / "openapi"
CORPUS = Path(os.environ.get("SHBATCH_CORPUS") or SHARED / "corpus")
PATH = "/api/v2/batch/process"
FORM = {"grant_type": "client_credentials", "client_id": "id", "client_secret": "secret"}

pytestmark = pytest.mark.skipif(
    not (OPENAPI.is_dir() and CORPUS.is_dir()), reason="the OpenAPI or the corpus is not here"
)


def schema_of(bundle: str, name: str) -> Draft202012Validator:
    document = yaml.safe_load((OPENAPI / bundle).read_text(encoding="utf-8"))
    schemas = document["components"]["schemas"]
    # The request is left out: the published schema of it rejects every body that people really send. `errors`
    # is an object there and a list in every recorded answer.
    schemas["BatchV2ProcessTask"]["properties"].pop("request")
    schemas["BatchV2ProcessTask"]["additionalProperties"] = True
    schemas["Boom"]["properties"]["errors"] = {"type": "array"}
    root = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
    checker = Draft202012Validator.FORMAT_CHECKER
    return Draft202012Validator(root, format_checker=checker)


@pytest.fixture(scope="module", params=["batchv2-sh-bundle.yaml", "batchv2-cdse-bundle.yaml"])
def bundle(request):
    return request.param


def check(bundle: str, name: str, value: Any) -> None:
    assert [error.message for error in schema_of(bundle, name).iter_errors(value)] == []


@pytest.fixture
def http():
    with closing(Emulator()) as emulator:
        transport = httpx.WSGITransport(app=emulator.app)
        with httpx.Client(transport=transport, base_url="http://batch") as client:
            token = client.post("/oauth/token", data=FORM).json()["access_token"]
            client.headers["Authorization"] = f"Bearer {token}"
            client.service = emulator.service
            yield client


def test_tasks_in_every_state(http, bundle):
    name = "cdse_docs_v2_raster_corsica.json"
    body = json.loads((CORPUS / "requests" / name).read_text(encoding="utf-8"))
    task = http.post(PATH, json=body).json()
    seen = [task]
    path = f"{PATH}/{task['id']}"
    http.post(f"{path}/start")
    for seconds in (0, 5, 30, 5, 300):
        http.service.advance(seconds)
        seen.append(http.get(path).json())
    http.post(f"{path}/stop")
    http.service.advance(5)
    seen.append(http.get(path).json())
    http.service.fail(task["id"], "out of luck")
    seen.append(http.get(path).json())
    http.service.force(task["id"], status="DONE", error=None)
    seen.append(http.get(path).json())
    statuses = {one["status"] for one in seen}
    assert len(statuses) == 7
    for one in seen:
        check(bundle, "BatchV2ProcessTask", one)
    check(bundle, "View", http.get(PATH, params={"count": 1}).json()["links"])


def test_grids_and_errors(http, bundle):
    for grid in http.get("/batch/v2/tilinggrids").json()["data"]:
        check(bundle, "BatchV2TilingGridDescriptor", grid)
    for answer in (http.get(f"{PATH}/none"), http.post(PATH, json={}), http.put(PATH)):
        assert answer.status_code >= 400
        check(bundle, "RestErrorWrapper", answer.json())
