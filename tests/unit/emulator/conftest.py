from __future__ import annotations

import copy
from contextlib import ExitStack, closing
from typing import Any

import httpx
import pytest

from shbatch_sync.emulator import Emulator, Options
from tests.bodies import RASTER

EPOCH = 1_750_000_000.0
BODY: dict[str, Any] = {**copy.deepcopy(RASTER), "description": "May"}
ZARR: dict[str, Any] = {
    "processRequest": {
        **BODY["processRequest"],
        "output": {"responses": [{"identifier": "default", "format": {"type": "zarr/array"}}]},
    },
    "input": {"type": "tiling-grid", "id": 6, "resolution": 100},
    "output": {
        "type": "zarr",
        "delivery": {"s3": {"url": "s3://bucket/cube", "iamRoleARN": "arn:aws:iam::0:role/r"}},
        "group": {"zarr_format": 2},
        "arrayParameters": {
            "dtype": "<u2",
            "order": "C",
            "chunks": [1, 1000, 1000],
            "fill_value": 0,
        },
    },
}
GEOPACKAGE: dict[str, Any] = {
    **BODY,
    "input": {
        "type": "geopackage",
        "features": {"s3": {"url": "s3://bucket/f.gpkg", "accessKey": "k", "secretAccessKey": "s"}},
    },
}


class Sandbox:
    """An emulator on a simulated clock, with a client."""

    prefix = "/api/v2/batch/process"

    def __init__(self, emulator: Emulator, clock: list[float]) -> None:
        self.emulator = emulator
        self.clock = clock
        self.http = self.client("id", "secret")

    @property
    def service(self) -> Any:
        return self.emulator.service

    def client(self, client_id: str, secret: str) -> httpx.Client:
        http = httpx.Client(
            transport=httpx.WSGITransport(app=self.emulator.app), base_url="http://batch"
        )
        form = {
            "grant_type": "client_credentials",
            "client_id": client_id,
            "client_secret": secret,
        }
        answer = http.post("/oauth/token", data=form)
        http.headers["Authorization"] = f"Bearer {answer.json().get('access_token', '')}"
        return http

    def wait(self, seconds: float) -> None:
        self.clock[0] += seconds

    def create(self, body: dict[str, Any] | None = None) -> str:
        answer = self.http.post(self.prefix, json=body or BODY)
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    def task(self, request_id: str) -> dict[str, Any]:
        answer = self.http.get(f"{self.prefix}/{request_id}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def pair(self, request_id: str) -> tuple[str, str]:
        task = self.task(request_id)
        return task["status"], task["userAction"]

    def act(self, request_id: str, action: str) -> httpx.Response:
        return self.http.post(f"{self.prefix}/{request_id}/{action}")

    def page(self, **query: Any) -> dict[str, Any]:
        answer = self.http.get(self.prefix, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def listed(self, **query: Any) -> list[str]:
        return [task["id"] for task in self.page(**query)["data"]]

    def run(self, request_id: str) -> dict[str, Any]:
        assert self.act(request_id, "start").status_code == 204
        self.wait(3600)
        return self.task(request_id)


@pytest.fixture(scope="session")
def starts() -> list[dict[str, Any]]:
    return [BODY, ZARR, GEOPACKAGE]


@pytest.fixture(scope="module")
def lasting():
    """A client of one emulator for a whole module."""
    with closing(Emulator()) as emulator, closing(Sandbox(emulator, [EPOCH]).http) as http:
        yield http


@pytest.fixture
def body() -> dict[str, Any]:
    return copy.deepcopy(BODY)


@pytest.fixture
def zarr() -> dict[str, Any]:
    return copy.deepcopy(ZARR)


@pytest.fixture
def geopackage() -> dict[str, Any]:
    return copy.deepcopy(GEOPACKAGE)


@pytest.fixture
def sandbox():
    """Makes sandboxes; keywords are Options, and `db`, `faults`, `clock`."""
    with ExitStack() as stack:

        def make(*, db=":memory:", faults=None, clock=None, **options) -> Sandbox:
            options = {"token_life": 1e9, **options}
            clock = clock if clock is not None else [EPOCH]
            emulator = Emulator(db, Options(**options), faults=faults, time_source=lambda: clock[0])
            stack.callback(emulator.close)
            made = Sandbox(emulator, clock)
            stack.callback(made.http.close)
            return made

        yield make
