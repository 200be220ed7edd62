from __future__ import annotations

import json
import os
import stat
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from shbatch_sync.api.client import BatchProcessClient
from shbatch_sync.api.token import Token, read_token
from shbatch_sync.config import Config
from shbatch_sync.errors import (
    AuthenticationError,
    RateLimitedError,
    ServiceUnreachableError,
    SettingsError,
)


def test_a_token_is_kept_until_120_seconds_before_its_end(
    service: Any, client: BatchProcessClient, clock: Any, state: Any
) -> None:
    service.answers = [state() for _ in range(4)]
    client.get_request("a")
    clock.seconds += 3600 - 120 - 1
    client.get_request("a")
    assert service.tokens_given == 1
    clock.seconds += 1
    client.get_request("a")
    assert service.tokens_given == 2


def test_a_short_lived_token_is_used_for_half_its_life(
    service: Any, client: BatchProcessClient, clock: Any, state: Any
) -> None:
    service.token_life = 60
    service.answers = [state() for _ in range(3)]
    client.get_request("a")
    clock.seconds += 29
    client.get_request("a")
    assert service.tokens_given == 1
    clock.seconds += 1
    client.get_request("a")
    assert service.tokens_given == 2


def test_many_threads_share_one_renewal(
    service: Any, client: BatchProcessClient, state: Any
) -> None:
    together = threading.Barrier(8)

    def call(_: int) -> str:
        together.wait(5)
        return client.get_request("a").request_id

    def slow_token(_: httpx.Request) -> httpx.Response:
        time.sleep(0.02)
        service.tokens_given += 1
        return httpx.Response(200, json={"access_token": "t", "expires_in": 3600})

    service.token_answers = [slow_token] * 8
    service.answers = [lambda _: state()] * 8
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(call, range(8))) == ["a"] * 8
    assert service.tokens_given == 1


def test_many_threads_with_a_refused_token_share_one_renewal(
    service: Any, client: BatchProcessClient, state: Any, refusal: Any
) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return refusal(401) if request.headers["Authorization"] == "Bearer t0ken-1" else state()

    service.answers = [answer] * 40
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: client.get_request("a"), range(16)))
    assert service.tokens_given == 2


@pytest.mark.parametrize(
    ("answer", "kind", "text"),
    [
        (
            httpx.Response(
                401, json={"error": "invalid_client", "error_description": "Invalid credentials"}
            ),
            AuthenticationError,
            "401: invalid_client: Invalid credentials\n  the credentials came from the test",
        ),
        (
            httpx.Response(400, json={"error": "unauthorized_client"}),
            AuthenticationError,
            "unauthorized_client",
        ),
        (httpx.Response(429, headers={"Retry-After": "400000"}), RateLimitedError, "429"),
        (httpx.Response(500), ServiceUnreachableError, "no token: an empty body"),
        (
            httpx.Response(200, html="<html>portal"),
            ServiceUnreachableError,
            "gave no token but: portal",
        ),
        (
            httpx.Response(200, json={"access_token": "has a blank"}),
            ServiceUnreachableError,
            "gave no token",
        ),
        (httpx.Response(200, json=[]), ServiceUnreachableError, "gave no token"),
        (httpx.ConnectError("refused"), ServiceUnreachableError, "refused"),
    ],
)
def test_no_token(
    service: Any, make_client: Any, answer: Any, kind: type[Exception], text: str
) -> None:
    service.token_answers = [answer] * 5
    with pytest.raises(kind) as raised:
        make_client(total_timeout=20).get_request("a")
    assert text in str(raised.value)
    assert "/token" in str(raised.value)


def test_missing_credentials_are_named_at_the_first_call(service: Any) -> None:
    config = Config(base_url="http://localhost:1", origin="nowhere")
    with (
        BatchProcessClient(config, transport=service) as client,
        pytest.raises(SettingsError, match="looked at: nowhere"),
    ):
        client.get_request("a")


@pytest.mark.parametrize("life", [None, "soon", -5, 0, float("inf"), [], "600"])
def test_odd_lives_count_as_ten_minutes(life: Any) -> None:
    token = read_token({"access_token": "t", "expires_in": life}, 0.0)
    assert token == Token(text="t", expires_at=600.0, life=600.0)
    assert "text" not in repr(token)


@pytest.mark.parametrize("text", ["", "a b", "a\nb", "ä", 5, None])
def test_a_token_that_cannot_be_sent_is_none(text: Any) -> None:
    assert read_token({"access_token": text, "expires_in": 5}, 0.0) is None


def test_the_file_cache_is_for_the_owner_only_and_saves_a_token_request(
    service: Any, make_client: Any, state: Any, tmp_path: Path
) -> None:
    file = tmp_path / "token.json"
    service.answers = [state() for _ in range(2)]
    make_client(token_cache=file).get_request("a")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "cl1ent-s3cret" not in file.read_text()
    make_client(token_cache=str(file)).get_request("a")
    assert service.tokens_given == 1
    assert [path.name for path in tmp_path.iterdir()] == ["token.json"]


@pytest.mark.parametrize("spoil", ["mode", "owner", "text", "member", "blank", "old"])
def test_an_unusable_cache_is_passed_over(
    service: Any, make_client: Any, state: Any, clock: Any, tmp_path: Path, spoil: str
) -> None:
    file = tmp_path / "token.json"
    service.answers = [state() for _ in range(2)]
    make_client(token_cache=file).get_request("a")
    content = json.loads(file.read_text())
    if spoil == "mode":
        file.chmod(0o644)
    elif spoil == "old":
        clock.seconds += 3590
    else:
        spoilt = {
            "owner": {**content, "owner": "x"},
            "member": {},
            "blank": {**content, "access_token": " "},
        }
        file.write_text(json.dumps(spoilt[spoil]) if spoil in spoilt else "{")
    make_client(token_cache=file).get_request("a")
    assert service.tokens_given == 2
    assert json.loads(file.read_text())["access_token"] == "t0ken-2"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_cache_that_cannot_be_written_is_no_error(
    service: Any, make_client: Any, state: Any, tmp_path: Path
) -> None:
    (tmp_path / "folder").mkdir()
    service.answers = [state() for _ in range(2)]
    make_client(token_cache=tmp_path / "missing" / "token.json").get_request("a")
    make_client(token_cache=tmp_path / "folder").get_request("a")
    assert os.listdir(tmp_path) == ["folder"]  # noqa: PTH208 - nothing else may be left over
