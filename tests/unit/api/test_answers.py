from __future__ import annotations

import json
import logging
import os
import traceback
from pathlib import Path
from typing import Any

import httpx
import pytest

from shbatch_sync.api.answers import clean, error_of
from shbatch_sync.api.client import BatchProcessClient
from shbatch_sync.errors import (
    ApiError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    PermissionDeniedError,
    RateLimitedError,
    RequestNotFoundError,
    ServerError,
    UnreadableAnswerError,
)

CORPUS = Path(
    os.environ.get("SHBATCH_CORPUS") or Path(__file__).parents[3].parent / "shared" / "corpus"
)
PLACE = {"method": "GET", "path": "/p", "request_id": "a"}


def made(status: int, body: Any, **options: Any) -> ApiError:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return error_of(status, options.pop("headers", {}), content, place=PLACE, **options)


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "COMMON_BAD_PAYLOAD", BadRequestError),
        (400, "COMMON_NOT_FOUND", RequestNotFoundError),
        (400, "COMMON_UNIQUE_KEY_VIOLATION", ConflictError),
        (403, "COMMON_SENTINEL_ACCOUNT_EXPIRED", PermissionDeniedError),
        (403, "COMMON_UNAUTHORIZED", AuthenticationError),
        (400, "RATE_LIMIT_EXCEEDED", RateLimitedError),
        (403, "NEVER_HEARD_OF", PermissionDeniedError),
        (404, None, RequestNotFoundError),
        (409, None, ConflictError),
        (429, None, RateLimitedError),
        (429, "COMMON_BAD_PAYLOAD", RateLimitedError),
        (404, "COMMON_BAD_PAYLOAD", RequestNotFoundError),
        (409, "COMMON_EXCEPTION", ConflictError),
        (401, "RATE_LIMIT_EXCEEDED", AuthenticationError),
        (405, None, BadRequestError),
        (500, "COMMON_NOT_FOUND", ServerError),
        (503, None, ServerError),
        (408, None, ServerError),
        (302, None, UnreadableAnswerError),
        (199, None, UnreadableAnswerError),
    ],
)
def test_code_then_status_decide(status: int, code: str | None, kind: type[ApiError]) -> None:
    error = made(status, {"error": {"message": "m", "code": code}})
    assert type(error) is kind
    assert (error.status, error.code, error.detail) == (status, code, "m")


def test_violations_are_kept_and_shown() -> None:
    errors = [{"parameter": "output->resx", "violation": "too large"}, "odd", {"violation": "v"}]
    error = made(400, {"error": {"message": "bad", "code": "COMMON_BAD_PAYLOAD", "errors": errors}})
    assert error.violations == (("output->resx", "too large"), ("", "v"))
    assert str(error) == "GET /p: 400 COMMON_BAD_PAYLOAD: bad\n  output->resx: too large\n  : v"
    assert made(400, {"error": {"errors": {"parameter": "p", "violation": "v"}}}).violations == (
        ("p", "v"),
    )


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({"message": "unwrapped", "code": "X"}, "unwrapped"),
        ({"error": "plain text"}, "plain text"),
        ({"error": "kind", "error_description": "why"}, "kind: why"),
        ({"error": {"message": 5}}, '{"error": {"message": 5}}'),
        ([1, 2], "[1, 2]"),
        (b"", "an empty body"),
        (b"<html><style>p{}</style><p>Bad  <b>gateway</b></p></html>", "Bad gateway"),
        (b"\xff\xfe\x00not text\x1b[31m", "not text [31m"),
        (b"[" * 50_000, "[" * 299 + "…"),
    ],
)
def test_any_body_gives_a_detail(body: Any, detail: str) -> None:
    assert made(400, body).detail.strip("\ufffd ") == detail


def test_hints() -> None:
    assert "lack access to Batch" in made(403, {}).hint
    assert made(401, {}, origin="SH_CLIENT_ID").hint == "the credentials came from SH_CLIENT_ID"
    assert made(401, {}).hint == ""
    assert made(404, {}).hint == ""


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("3398", 3.398),
        ("0", 0.0),
        (" 250 ", 0.25),
        ("-1", None),
        ("nan", None),
        ("inf", None),
        ("soon", None),
        ("", None),
        ("Wed, 21 Oct 2015 07:28:30 GMT", 30.0),
        ("Wed, 21 Oct 2015 07:20:00 GMT", 0.0),
        ("Wed, 21 Oct 2015 07:28:30 -0000", 30.0),
    ],
)
def test_retry_after(header: str, seconds: float | None) -> None:
    headers = {"Retry-After": header, "Date": "Wed, 21 Oct 2015 07:28:00 GMT"}
    error = made(429, {}, headers=headers)
    assert isinstance(error, RateLimitedError)
    assert error.retry_after == seconds


def test_a_date_to_wait_for_is_nothing_without_a_date_to_count_from() -> None:
    error = made(429, {}, headers={"Retry-After": "Wed, 21 Oct 2015 07:28:30 GMT"})
    assert isinstance(error, RateLimitedError)
    assert error.retry_after is None


@pytest.mark.parametrize(
    "text",
    [
        "the secret is s3cr3t/+x",
        'echo {"s3": {"accessKey": "AKIAHIDDEN", "secretAccessKey":"AKIAHIDDEN"}}',
        "form client_secret=AKIAHIDDEN&x=1",
        "Authorization: Bearer AKIAHIDDEN",
        "access_token : 'AKIAHIDDEN'",
        'json "s3cr3t/+x"',
        "s3cr3t/+x" * 200,
    ],
)
def test_secrets_are_taken_out(text: str) -> None:
    cleaned = clean(text, {"s3cr3t/+x", "ab", ""})
    assert "AKIAHIDDEN" not in cleaned
    assert "s3cr3t" not in cleaned
    assert "***" in cleaned
    assert len(cleaned) <= 300


def test_a_secret_is_taken_out_before_the_text_is_cut() -> None:
    assert (
        "s3cr"
        not in made(400, {"error": {"message": "x" * 296 + "s3cr3t"}}, secrets={"s3cr3t"}).detail
    )


def test_foreign_text_has_no_control_characters() -> None:
    assert clean("a\x1b[31m\u202eb\u2066c\r\nd\u200be é 中") == "a [31m b c d e é 中"


@pytest.mark.parametrize("place", ["message", "violation", "html", "cut", "token", "lost"])
def test_no_secret_in_any_message_log_or_traceback(
    service: Any, client: BatchProcessClient, caplog: pytest.LogCaptureFixture, place: str
) -> None:
    caplog.set_level(logging.DEBUG)
    secrets = ["cl1ent-s3cret", "t0ken-1", "AKIA-my-key", "my-aws-s3cret", "gs-cr3dentials"]
    delivery = {
        "s3": {"accessKey": secrets[2], "secretAccessKey": secrets[3]},
        "gs": {"credentials": secrets[4]},
    }
    everything = " ".join(secrets)
    answers = {
        "message": httpx.Response(400, json={"error": {"message": everything}}),
        "violation": httpx.Response(
            400, json={"error": {"errors": [{"parameter": everything, "violation": everything}]}}
        ),
        "html": httpx.Response(502, html=f"<html>{everything}</html>"),
        "cut": httpx.Response(201, content=f'{{"echo": "{everything}'.encode()),
        "lost": httpx.LocalProtocolError(f"illegal header {everything}"),
    }
    service.answers = [answers.get(place)]
    if place == "token":
        service.token_answers = [httpx.Response(401, json={"error": everything})]
    with pytest.raises(ApiError) as raised:
        client.post_body({"output": {"delivery": delivery}, "list": [delivery]})
    shown = (
        "".join(traceback.format_exception(raised.value))
        + repr(raised.value)
        + caplog.text
        + repr(client.config)
    )
    expected = secrets if place != "token" else secrets[:1]
    assert not [secret for secret in expected if secret in shown]


@pytest.mark.parametrize(
    ("file", "status", "kind"),
    [
        ("error_400_stop_while_created", 400, BadRequestError),
        ("error_400_with_errors_list", 400, BadRequestError),
        ("error_401_synthetic", 401, AuthenticationError),
        ("error_403_insufficient_permissions", 403, PermissionDeniedError),
        ("error_404_synthetic", 404, RequestNotFoundError),
        ("error_429_synthetic", 429, RateLimitedError),
    ],
)
def test_recorded_errors(file: str, status: int, kind: type[ApiError]) -> None:
    path = CORPUS / "responses" / f"{file}.json"
    if not path.exists():
        pytest.skip("the recorded answers are not here")
    body = json.loads(path.read_text())
    error = made(status, body)
    assert type(error) is kind
    assert error.detail == body["error"]["message"].strip()
    assert error.code == body["error"]["code"]
