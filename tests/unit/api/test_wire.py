"""Real sockets: what httpx makes of a peer that misbehaves."""

from __future__ import annotations

import gc
import itertools
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from shbatch_sync.api.client import BatchProcessClient
from shbatch_sync.api.retry import RetryPolicy
from shbatch_sync.clock import SystemClock
from shbatch_sync.config import Config
from shbatch_sync.errors import (
    AnswerLostError,
    ServiceUnreachableError,
    SettingsError,
    UnreadableAnswerError,
)

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
TOKEN = b'{"access_token": "t", "expires_in": 3600}'
ONCE = RetryPolicy(attempts=1)


def sized(body: bytes, length: int | None = None) -> bytes:
    return HEAD + b"Content-Length: %d\r\n\r\n" % (len(body) if length is None else length) + body


def whole_request(connection: socket.socket) -> bytes:
    """Read head and body: to close with bytes unread would reset the connection, not end it."""
    with connection.makefile("rb") as stream:
        head = b"".join(itertools.takewhile(lambda line: line != b"\r\n", stream))
        length = re.search(rb"(?i)content-length: (\d+)", head)
        return head + stream.read(int(length[1]) if length else 0)


@pytest.fixture
def peer() -> Iterator[Callable[[Callable[[socket.socket], None]], str]]:
    """A server that gives a token and then does to the connection what it is told."""
    listener = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()
    threads: list[threading.Thread] = []

    def serve(behave: Callable[[socket.socket], None]) -> None:
        while not stop.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                request = whole_request(connection)
                if b"/token" in request:
                    connection.sendall(sized(TOKEN))
                elif request:
                    behave(connection)

    def start(behave: Callable[[socket.socket], None]) -> str:
        threads.append(threading.Thread(target=serve, args=(behave,)))
        threads[0].start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    yield start
    stop.set()
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    for thread in threads:
        thread.join(5)


def made(base: str, **options: Any) -> BatchProcessClient:
    config = Config(base_url=base, client_id="i", client_secret="s")
    return BatchProcessClient(config, retry=ONCE, **options)


def drip(connection: socket.socket) -> None:
    try:
        connection.sendall(HEAD + b"Content-Length: 10000\r\n\r\n")
        for _ in range(1000):
            connection.sendall(b" ")
            time.sleep(0.05)
    except OSError:
        return


def hang_up(_: socket.socket) -> None:
    return


def cut(connection: socket.socket) -> None:
    connection.sendall(sized(b"{", 100))


def babble(connection: socket.socket) -> None:
    connection.sendall(b"not http at all\r\n\r\n")


def say_nothing(connection: socket.socket) -> None:
    connection.settimeout(60)
    while connection.recv(65536):  # until the client hangs up
        pass


@pytest.mark.parametrize(
    ("behave", "text"),
    [
        (hang_up, "closed before the answer was complete"),
        (cut, "closed before the answer was complete"),
        (babble, "connection"),
    ],
)
def test_an_answer_that_does_not_come_whole(peer: Any, behave: Any, text: str) -> None:
    with made(peer(behave)) as client, pytest.raises(AnswerLostError, match=text):
        client.create({}, {}, {})


@pytest.mark.parametrize("behave", [say_nothing, drip])
def test_an_answer_that_does_not_come_in_time(peer: Any, behave: Any) -> None:
    started = time.monotonic()
    with (
        made(peer(behave), timeout=1.5) as client,
        pytest.raises(AnswerLostError, match=r"no answer within 1\.5 s"),
    ):
        client.create({}, {}, {})
    assert time.monotonic() - started < 30  # the peers above would go on for longer


def test_a_body_that_is_no_json_or_no_gzip(peer: Any) -> None:
    bad = HEAD + b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd"
    with (
        made(peer(lambda connection: connection.sendall(bad))) as client,
        pytest.raises(UnreadableAnswerError),
    ):
        client.get_request("a")


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with (
        made(f"http://127.0.0.1:{port}") as client,
        pytest.raises(ServiceUnreachableError, match="refused"),
    ):
        client.create({}, {}, {})


def test_an_url_that_is_none() -> None:
    with made("http://localhost:1", clock=SystemClock()) as client:
        object.__setattr__(client.config, "token_url", "http://localhost:1\x7f/token")
        with pytest.raises(ServiceUnreachableError, match="the URL is not valid"):
            client.get_request("a")


def test_a_scheme_that_is_none() -> None:
    with made("http://localhost:1") as client:
        object.__setattr__(client.config, "token_url", "gopher://localhost:1/token")
        with pytest.raises(ServiceUnreachableError, match="must begin with https"):
            client.get_request("a")


def test_unusable_proxy_settings_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "gopher://proxy")
    with (
        made("https://services.sentinel-hub.com") as client,
        pytest.raises(SettingsError, match="proxy"),
    ):
        client.get_request("a")


def test_loopback_ignores_the_proxies_of_the_environment(
    peer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    with made(peer(lambda connection: connection.sendall(sized(b'{"id": "a"}')))) as client:
        assert client.get_request("a").request_id == "a"


def test_a_client_that_is_never_closed_closes_its_connections(peer: Any) -> None:
    client = made(peer(lambda connection: connection.sendall(sized(b'{"id": "a"}'))))
    client.get_request("a")
    pool = client._wire._http
    assert pool is not None
    del client
    gc.collect()
    assert pool.is_closed
