"""What a request says went wrong may repeat what it was sent; no secret in it gets past the client."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from shbatch_sync.api.client import BatchProcessClient
from shbatch_sync.config import Config

KEY = "wJalr+XUtn/FEMI-K7_MDENGbPxRf<iCY>"


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (f"denied {KEY} x", "denied *** x"),
        ({"message": f"denied {KEY}"}, '{"message": "denied ***"}'),
        ("s3cret-of-ours", "***"),
        ("nothing special", "nothing special"),
        (None, None),
    ],
)
def test_errors_of_requests_are_discreet(error: Any, told: str | None) -> None:
    entry = {"id": "a", "error": error, "request": {"description": KEY}}

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("token"):
            return httpx.Response(200, json={"access_token": "t0ken", "expires_in": 3600})
        listing = request.url.path.endswith("/process")
        return httpx.Response(200, json={"data": [entry, 7], "links": {}} if listing else entry)

    config = Config(base_url="http://localhost:1", client_id="i", client_secret="s3cret-of-ours")
    with BatchProcessClient(config, transport=httpx.MockTransport(answer), secrets=[KEY]) as client:
        assert client.get_request("a").error == told
        assert next(client.iter_requests()).error == told
