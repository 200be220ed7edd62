from __future__ import annotations

import threading
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from shbatch_sync import BatchProcessClient
from shbatch_sync.api.call import NO_BODY, Call, query, segment
from shbatch_sync.api.limiter import RateLimit, shared_limit
from shbatch_sync.api.settings import load_config, settle_config
from shbatch_sync.api.wsgi import wsgi_transport
from shbatch_sync.config import Config
from shbatch_sync.errors import RateLimitedError, SettingsError, TargetRefusedError


def test_post_body_posts_exactly_what_it_is_given(
    service: Any, client: BatchProcessClient, state: Any
) -> None:
    service.answers = [state()]
    assert client.post_body({"z": 1, "a": [1.5, "é"]}).request_id == "a"
    assert service.requests[0].content == b'{"z": 1, "a": [1.5, "\\u00e9"]}'


def test_headers(service: Any, client: BatchProcessClient, state: Any) -> None:
    service.answers = [state(), httpx.Response(204)]
    client.get_request("a")
    client.start_job("a")
    read, action = service.requests
    assert read.headers["User-Agent"].startswith("shbatch-sync/")
    assert "Content-Type" not in read.headers
    assert action.headers["Content-Type"] == "application/json"
    assert action.content == b""


def test_service_time_runs_on(
    service: Any, client: BatchProcessClient, clock: Any, state: Any
) -> None:
    assert client.service_time() is None
    answer = state()
    answer.headers["Date"] = "Wed, 21 Oct 2015 07:28:00 GMT"
    service.answers = [answer, state()]
    client.get_request("a")
    clock.seconds += 30
    assert client.service_time() == datetime(2015, 10, 21, 7, 28, 30, tzinfo=UTC)
    client.get_request("a")
    assert client.service_time() == datetime(2015, 10, 21, 7, 28, 30, tzinfo=UTC)


def test_ids_are_quoted_and_never_empty(
    service: Any, client: BatchProcessClient, state: Any
) -> None:
    service.answers = [state()]
    client.get_request("../tilinggrids?x")
    assert service.calls == ["GET /api/v2/batch/process/..%2Ftilinggrids%3Fx"]
    for empty in ("", "."):
        with pytest.raises(ValueError, match="is not an id"):
            client.stop_job(empty)
    with pytest.raises(ValueError, match="got int"):
        client.get_request(5)  # type: ignore[arg-type] # that is the test
    with pytest.raises(KeyError):
        client.get_request({})


def test_a_process_request_is_a_dictionary_or_has_one(
    service: Any, client: BatchProcessClient, state: Any
) -> None:
    service.answers = [state()]
    client.create(SimpleNamespace(download_list=[SimpleNamespace(post_values={"x": 1})]), {}, {})
    assert b'"processRequest": {"x": 1}' in service.requests[0].content
    with pytest.raises(ValueError, match="not str"):
        client.create("x", {}, {})


def test_another_path_prefix(service: Any, state: Any) -> None:
    service.answers = [state()]
    config = Config(
        base_url="http://localhost:1/", path_prefix="/batch/v2", client_id="i", client_secret="s"
    )
    with BatchProcessClient(config, transport=service) as client:
        client.get_request("a")
        assert client.service_url == "http://localhost:1/batch/v2"
    assert service.calls == ["GET /batch/v2/process/a"]


def test_a_closed_client_opens_again(service: Any, client: BatchProcessClient, state: Any) -> None:
    service.answers = [state(), state()]
    client.get_request("a")
    client.close()
    client.close()
    assert client.get_request("a").request_id == "a"


def test_wsgi_application_in_this_process() -> None:
    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["PATH_INFO"].endswith("/broken"):
            raise ConnectionResetError
        start_response("200 OK", [("Content-Type", "application/json")])
        return [b'{"id": "a", "access_token": "t"}']

    config = Config(base_url="http://localhost:1", client_id="i", client_secret="s")
    with BatchProcessClient(config, transport=wsgi_transport(app)) as client:
        assert client.get_request("a").request_id == "a"


def test_untrusted_hosts_are_refused_before_anything_is_sent() -> None:
    for url in ("https://evil.example", "http://services.sentinel-hub.com"):
        with pytest.raises(TargetRefusedError, match="SHBATCH_TRUSTED_HOSTS"):
            BatchProcessClient(Config(base_url=url, client_id="i", client_secret="s"))
    with pytest.raises(TargetRefusedError, match="evil"):
        BatchProcessClient(Config(token_url="https://evil.example/token"))
    BatchProcessClient(
        Config(base_url="https://proxy.example", trusted_hosts=("proxy.example",))
    ).close()


def test_settings_of_the_environment_and_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert settle_config(None).client_id == ""
    folder = tmp_path / "sentinelhub"
    folder.mkdir()
    (folder / "config.toml").write_text(
        '[default-profile]\nsh_client_id = "file"\n[x]\nsh_client_id = "x"\n'
    )
    monkeypatch.setenv("SH_CLIENT_SECRET", "s")
    with BatchProcessClient() as client:
        assert (client.config.client_id, client.config.client_secret) == ("file", "s")
    assert load_config("x").client_id == "x"
    (folder / "config.toml").write_bytes(b"\xff")
    with pytest.raises(SettingsError, match="it is not UTF-8 text"):
        load_config()
    (folder / "config.toml").unlink()
    (folder / "config.toml").mkdir()
    with pytest.raises(SettingsError, match="cannot read"):
        load_config()


def test_their_config_brings_the_trusted_hosts_of_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SHBATCH_TRUSTED_HOSTS", "proxy.example")
    theirs = SimpleNamespace(sh_base_url="https://proxy.example", sh_token_url=None)
    assert settle_config(theirs).trusted_hosts == ("proxy.example",)


def test_a_rate_limit_spreads_the_calls(
    service: Any, make_client: Any, clock: Any, state: Any
) -> None:
    service.answers = [state() for _ in range(30)]
    client = make_client(rate_limit=60.0)
    started = clock.seconds
    for _ in range(30):
        client.get_request("a")
    assert clock.seconds - started == pytest.approx(19.0, abs=1.5)


def test_a_rate_limit_without_a_place_in_time_is_an_error(
    service: Any, make_client: Any, state: Any
) -> None:
    service.answers = [state() for _ in range(30)]
    client = make_client(rate_limit=1.0, total_timeout=10)
    client.get_request("a")
    with pytest.raises(RateLimitedError, match="no place within the time limit"):
        client.get_request("a")
    with pytest.raises(ValueError, match="above 0"):
        make_client(rate_limit=0.0)


def test_one_429_holds_back_every_client_of_the_limit(
    service: Any, make_client: Any, clock: Any, state: Any, refusal: Any
) -> None:
    limit = RateLimit(clock=clock)
    first, second = make_client(rate_limit=limit), make_client(rate_limit=limit)
    service.answers = [refusal(429, Retry_After="7000"), state()]
    with pytest.raises(RateLimitedError):
        first.create({}, {}, {})
    second.get_request("a")
    assert clock.slept == [7.0]


def test_a_limit_is_shared_by_a_process() -> None:
    one = shared_limit("http://h", "account", 600)
    assert shared_limit("http://h", "account", None) is one
    assert shared_limit("http://h", "account", 600) is one
    assert shared_limit("http://h", "account", 300) is not one
    assert shared_limit("http://h", "other", None) is not one


def test_a_limit_never_gives_two_threads_one_place(clock: Any) -> None:
    limit = RateLimit(60.0, clock=clock)
    places: list[float] = []
    threads = [threading.Thread(target=lambda: places.append(limit.reserve())) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(places)[11:] == [float(number) for number in range(1, 20)]


def test_calls() -> None:
    assert query({"a": None}) == ""
    assert query({"a": "b c", "d": 0}) == "?a=b+c&d=0"
    assert segment(0) == "0"
    call = Call(
        method="POST",
        path="/",
        body={"s3": {"accessKey": "k", "secretAccessKey": 5}, "l": ({"credentials": "c"},)},
    )
    assert call.secrets == {"k", "c"}
    assert Call(method="GET", path="/").body is NO_BODY
    assert Call(method="GET", path="/").secrets == set()
