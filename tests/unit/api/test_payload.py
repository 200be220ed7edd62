"""What every method puts on the wire, in own words; the contract tests compare it with the original."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from shbatch_sync.api.client import BatchProcessClient

S3 = {"s3": {"url": "s3://b", "iamRoleARN": "r"}}
P = "/api/v2/batch"


@pytest.mark.parametrize(
    ("built", "expected"),
    [
        (BatchProcessClient.s3_specification("s3://b", iam_role_arn="r"), S3),
        (
            BatchProcessClient.s3_specification("s3://b", "k", "s", region="waw3-1"),
            {"s3": {"url": "s3://b", "accessKey": "k", "secretAccessKey": "s", "region": "waw3-1"}},
        ),
        (BatchProcessClient.geopackage_input(S3), {"type": "geopackage", "features": S3}),
        (
            BatchProcessClient.tiling_grid_input(0, 10, 0, buffer_y=5, x=1, y=None),
            {"type": "tiling-grid", "id": 0, "resolution": 10, "bufferX": 0, "bufferY": 5, "x": 1},
        ),
        (BatchProcessClient.raster_output(S3), {"type": "raster", "delivery": S3}),
        (
            BatchProcessClient.raster_output(
                S3,
                overwrite=False,
                skip_existing=True,
                cog_output=True,
                cog_parameters={},
                create_collection=False,
                collection_id="c",
                x=1,
            ),
            {
                "type": "raster",
                "delivery": S3,
                "overwrite": False,
                "skipExisting": True,
                "cogOutput": True,
                "cogParameters": {},
                "createCollection": False,
                "collectionId": "c",
                "x": 1,
            },
        ),
        (
            BatchProcessClient.zarr_output(
                S3, group={"a": 1}, array_parameters={"b": 2}, array_overrides={"c": 3}
            ),
            {
                "type": "zarr",
                "delivery": S3,
                "group": {"a": 1},
                "arrayParameters": {"b": 2},
                "arrayOverrides": {"c": 3},
            },
        ),
    ],
    ids=["role", "keys", "geopackage", "grid", "raster", "raster in full", "zarr"],
)
def test_helpers(built: dict[str, Any], expected: dict[str, Any]) -> None:
    assert built == expected


@pytest.mark.parametrize(
    "keys",
    [{}, {"access_key": "k"}, {"access_key": "k", "secret_access_key": "s", "iam_role_arn": "r"}],
)
def test_exactly_one_form_of_credentials(keys: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="Either specify"):
        BatchProcessClient.s3_specification("s3://b", **keys)


BODY = {"processRequest": {"a": 1}, "input": {}, "output": {}, "instanceType": "normal"}
WIRE: dict[str, tuple[Callable[[BatchProcessClient], Any], str, Any]] = {
    "create": (lambda c: c.create({"a": 1}, {}, {}), f"POST {P}/process", BODY),
    "create, more": (
        lambda c: c.create({"a": 1}, {}, {}, "large", "", extra=0, none=None),
        f"POST {P}/process",
        {**BODY, "instanceType": "large", "description": "", "extra": 0},
    ),
    "post_body": (lambda c: c.post_body({"input": None}), f"POST {P}/process", {"input": None}),
    "list": (lambda c: list(c.iter_requests()), f"GET {P}/process", None),
    "list, filtered": (
        lambda c: list(c.iter_requests("u", "a|b", "created:desc", count=5)),
        f"GET {P}/process?userid=u&search=a%7Cb&sort=created%3Adesc&count=5",
        None,
    ),
    "get": (lambda c: c.get_request({"id": "a"}), f"GET {P}/process/a", None),
    "update": (lambda c: c.update_request("a", "é"), f"PUT {P}/process/a", {"description": "é"}),
    "analyse": (lambda c: c.start_analysis("a"), f"POST {P}/process/a/analyse", None),
    "start": (lambda c: c.start_job("a"), f"POST {P}/process/a/start", None),
    "stop": (lambda c: c.stop_job("a"), f"POST {P}/process/a/stop", None),
    "grids": (lambda c: list(c.iter_tiling_grids(count=2)), f"GET {P}/tilinggrids?count=2", None),
    "grid": (lambda c: c.get_tiling_grid(0), f"GET {P}/tilinggrids/0", None),
}


@pytest.mark.parametrize("name", WIRE)
def test_calls(service: Any, client: BatchProcessClient, name: str) -> None:
    step, call, body = WIRE[name]
    service.answers = [httpx.Response(200, json={"id": "a", "data": []})]
    step(client)
    assert service.calls == [call]
    content = service.requests[0].content
    assert (json.loads(content) if content else None) == body
