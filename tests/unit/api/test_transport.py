"""What is sent again, and what is not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from shbatch_sync.api.client import BatchProcessClient
from shbatch_sync.api.retry import RetryPolicy
from shbatch_sync.errors import (
    AnswerLostError,
    ApiError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    PermissionDeniedError,
    RateLimitedError,
    RequestNotFoundError,
    ServerError,
    ServiceUnreachableError,
    UnreadableAnswerError,
)

HTML = httpx.Response(
    200, html="<html><title>Welcome</title><script>x()</script>to the portal</html>"
)
LOST = httpx.ReadError("broken")


def not_gzip(_: httpx.Request) -> httpx.Response:
    stream = httpx.ByteStream(b"not gzip")
    return httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=stream)


NEVER_SENT = httpx.ConnectError("refused")


def actions(client: BatchProcessClient) -> dict[str, Callable[[], Any]]:
    return {
        "analyse": lambda: client.start_analysis("a"),
        "start": lambda: client.start_job("a"),
        "stop": lambda: client.stop_job("a"),
        "update": lambda: client.update_request("a", "new"),
    }


@pytest.mark.parametrize(
    "failure",
    [
        LOST,
        NEVER_SENT,
        httpx.ReadTimeout("slow"),
        httpx.RemoteProtocolError("cut"),
        httpx.PoolTimeout("full"),
        httpx.Response(500),
        httpx.Response(502, html="<html>bad gateway</html>"),
        httpx.Response(408),
        httpx.Response(425),
        HTML,
        httpx.Response(200, content=b'{"id": "a", "requ'),
        httpx.Response(200, json=["not", "an", "object"]),
        httpx.Response(200, content=b"[" * 100_000),
        httpx.Response(429, headers={"Retry-After": "250"}),
        httpx.Response(400, json={"error": {"message": "Request body should be non-empty."}}),
        ConnectionError("the app in this process went away"),
    ],
)
def test_a_read_is_tried_again(
    service: Any, client: BatchProcessClient, state: Any, failure: Any
) -> None:
    service.answers = [failure, state()]
    assert client.get_request("a").request_id == "a"
    assert len(service.calls) == 2


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (httpx.ReadError("x"), AnswerLostError),
        (NEVER_SENT, ServiceUnreachableError),
        (httpx.Response(503), ServerError),
        (HTML, UnreadableAnswerError),
        (not_gzip, UnreadableAnswerError),
    ],
)
def test_a_read_that_goes_on_failing_ends_in_its_error(
    service: Any, client: BatchProcessClient, clock: Any, failure: Any, kind: type[ApiError]
) -> None:
    service.answers = [failure] * 5
    with pytest.raises(kind) as raised:
        client.get_request("a")
    assert len(service.calls) == 5
    assert clock.slept == [0.5, 1.0, 2.0, 4.0]
    assert (raised.value.method, raised.value.path, raised.value.request_id) == (
        "GET",
        "/api/v2/batch/process/a",
        "a",
    )


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, BadRequestError),
        (403, PermissionDeniedError),
        (404, RequestNotFoundError),
        (409, ConflictError),
        (418, BadRequestError),
        (302, None),
    ],
)
def test_a_definite_no_is_final(
    service: Any, make_client: Any, refusal: Any, status: int, kind: type[ApiError] | None
) -> None:
    service.answers = [refusal(status)]
    with pytest.raises(kind or UnreadableAnswerError):
        make_client(retry=RetryPolicy(attempts=1)).get_request("a")
    assert len(service.calls) == 1


def test_retry_after_is_in_milliseconds_and_capped(
    service: Any, client: BatchProcessClient, clock: Any, state: Any, refusal: Any
) -> None:
    service.answers = [refusal(429, Retry_After="3398"), state()]
    client.get_request("a")
    assert clock.slept == [3.398]
    service.answers = [refusal(429, Retry_After="86400000"), state()]
    client.get_request("a")
    assert clock.slept == [3.398, 300.0]


def test_a_429_without_header_backs_off_and_is_counted_apart(
    service: Any, client: BatchProcessClient, clock: Any, state: Any, refusal: Any
) -> None:
    service.answers = [*[refusal(429)] * 8, state()]
    client.get_request("a")
    assert clock.slept == [0.5, 1, 2, 4, 8, 16, 30, 30]
    service.answers = [refusal(429, Retry_After="1")] * 20
    with pytest.raises(RateLimitedError) as raised:
        client.get_request("a")
    assert raised.value.retry_after == 0.001
    assert not service.answers


def test_jitter_is_full(service: Any, make_client: Any, clock: Any, state: Any) -> None:
    draws = iter([0.0, 0.25])
    service.answers = [LOST, LOST, state()]
    make_client(retry=RetryPolicy(draw=lambda: next(draws))).get_request("a")
    assert clock.slept == [0.25]


def test_the_total_time_limit_holds(
    service: Any, make_client: Any, clock: Any, refusal: Any
) -> None:
    service.answers = [refusal(429, Retry_After="20000")] * 10
    started = clock.seconds
    with pytest.raises(RateLimitedError):
        make_client(total_timeout=50).get_request("a")
    assert clock.seconds - started == 40
    assert len(service.calls) == 3


def test_a_try_gets_no_more_time_than_is_left(service: Any, make_client: Any, clock: Any) -> None:
    given: list[float] = []

    def slow(request: httpx.Request) -> httpx.Response:
        seconds = request.extensions["timeout"]["read"]
        given.append(seconds)
        clock.seconds += seconds
        raise httpx.ReadTimeout(str(seconds))

    service.answers = [slow] * 5
    with pytest.raises(AnswerLostError, match=r"no answer within 9\.5 s"):
        make_client(timeout=20, total_timeout=30).get_request("a")
    assert given == [20, 9.5]
    service.answers = [slow]
    with pytest.raises(AnswerLostError):
        make_client(timeout=20, total_timeout=None, retry=RetryPolicy(attempts=1)).get_request("a")


@pytest.mark.parametrize(
    ("failure", "kind", "unknown"),
    [
        (LOST, AnswerLostError, True),
        (NEVER_SENT, ServiceUnreachableError, False),
        (httpx.Response(500), ServerError, True),
        (httpx.Response(201, html="<html>"), UnreadableAnswerError, True),
        (httpx.Response(201, json={"status": "CREATED"}), UnreadableAnswerError, True),
        (httpx.Response(201), UnreadableAnswerError, True),
        (httpx.Response(429, headers={"Retry-After": "5"}), RateLimitedError, False),
        (httpx.Response(401), AuthenticationError, False),
        (
            httpx.Response(400, json={"error": {"message": "Request body should be non-empty"}}),
            BadRequestError,
            False,
        ),
        (httpx.Response(500, json={"error": {"code": "COMMON_BAD_PAYLOAD"}}), ServerError, True),
        (httpx.Response(400, json={"error": {"code": "COMMON_EXCEPTION"}}), ServerError, True),
    ],
)
def test_a_create_is_sent_once(
    service: Any, client: BatchProcessClient, failure: Any, kind: type[ApiError], *, unknown: bool
) -> None:
    service.answers = [failure]
    with pytest.raises(kind) as raised:
        client.create({}, {}, {})
    assert service.calls == ["POST /api/v2/batch/process"]
    assert raised.value.outcome_unknown is unknown


def test_a_create_refused_with_401_has_a_new_token_next_time(
    service: Any, client: BatchProcessClient, refusal: Any, state: Any
) -> None:
    service.answers = [refusal(401), state()]
    with pytest.raises(AuthenticationError):
        client.create({}, {}, {})
    client.create({}, {}, {})
    assert [request.headers["Authorization"] for request in service.requests] == [
        "Bearer t0ken-1",
        "Bearer t0ken-2",
    ]


def test_getting_the_token_for_a_create_is_tried_again(
    service: Any, client: BatchProcessClient, state: Any
) -> None:
    service.token_answers = [LOST, httpx.Response(503)]
    service.answers = [state()]
    client.create({}, {}, {})
    assert len(service.calls) == 1


def test_a_create_without_token_was_never_sent(service: Any, client: BatchProcessClient) -> None:
    service.token_answers = [LOST] * 5
    with pytest.raises(ServiceUnreachableError) as raised:
        client.create({}, {}, {})
    assert not raised.value.outcome_unknown
    assert service.calls == []


@pytest.mark.parametrize("name", ["analyse", "start", "stop", "update"])
@pytest.mark.parametrize(
    "failure",
    [
        NEVER_SENT,
        httpx.Response(429, headers={"Retry-After": "5"}),
        httpx.Response(401),
        httpx.Response(400, json={"error": {"message": "Request body should be non-empty."}}),
    ],
)
def test_a_change_that_has_not_happened_for_sure_is_sent_again_without_looking(
    service: Any, client: BatchProcessClient, name: str, failure: Any
) -> None:
    service.answers = [failure, httpx.Response(204)]
    assert actions(client)[name]() == ""
    assert [request.method for request in service.requests] == [
        "PUT" if name == "update" else "POST"
    ] * 2


HAPPENED = {
    "analyse": {"userAction": "ANALYSE"},
    "start": {"userAction": "START"},
    "stop": {"status": "PROCESSING", "userAction": "STOP"},
    "update": {"request": {"description": "new"}},
}


@pytest.mark.parametrize("name", HAPPENED)
@pytest.mark.parametrize("failure", [LOST, httpx.Response(502), httpx.Response(200, html="<html>")])
def test_a_change_whose_answer_was_lost_is_looked_for(
    service: Any, client: BatchProcessClient, state: Any, name: str, failure: Any
) -> None:
    service.answers = [failure, state(**HAPPENED[name])]
    assert actions(client)[name]() == ""
    assert len(service.calls) == 2


@pytest.mark.parametrize("name", HAPPENED)
def test_a_change_that_did_not_happen_is_sent_again(
    service: Any, client: BatchProcessClient, state: Any, name: str
) -> None:
    service.answers = [LOST, state(), httpx.Response(204)]
    assert actions(client)[name]() == ""
    assert [request.method for request in service.requests][1:2] == ["GET"]
    assert len(service.calls) == 3


def test_a_change_seen_late_is_not_reported_as_refused(
    service: Any, client: BatchProcessClient, state: Any, refusal: Any
) -> None:
    illegal = refusal(400, "Illegal to change userAction from START to START")
    service.answers = [LOST, state(), illegal, state(userAction="START")]
    assert client.start_job("a") == ""


def test_a_change_refused_after_a_lost_answer_is_reported(
    service: Any, client: BatchProcessClient, state: Any, refusal: Any
) -> None:
    service.answers = [LOST, state(), refusal(409), state()]
    with pytest.raises(ConflictError):
        client.update_request("a", "new")


def test_a_change_that_cannot_be_looked_for_ends_in_the_error_of_the_look(
    service: Any, client: BatchProcessClient, refusal: Any
) -> None:
    service.answers = [LOST, refusal(404)]
    with pytest.raises(RequestNotFoundError):
        client.stop_job("a")


def test_changes_stop_at_the_limit(service: Any, client: BatchProcessClient, state: Any) -> None:
    service.answers = [answer for _ in range(5) for answer in (httpx.Response(500), state())]
    with pytest.raises(ServerError):
        client.start_job("a")
    assert not service.answers


@pytest.mark.parametrize(
    ("members", "happened"),
    [
        (
            {
                "status": "STOPPED",
                "userAction": "START",
                "userActionUpdated": "2015-10-21T07:28:05Z",
            },
            True,
        ),
        (
            {
                "status": "STOPPED",
                "userAction": "START",
                "userActionUpdated": "2015-10-21T07:20:00Z",
            },
            False,
        ),
        ({"status": "STOPPED", "userAction": "START"}, False),
        ({"status": "STOPPED", "userAction": "STOP"}, False),
        ({"status": "PROCESSING", "userAction": "NONE"}, True),
        ({"status": "DONE"}, True),
        ({"status": "FAILED", "userAction": "START"}, True),
    ],
)
def test_a_resume_is_told_from_the_start_before_it_by_its_time(
    service: Any, client: BatchProcessClient, state: Any, members: dict[str, str], *, happened: bool
) -> None:
    known = state()
    known.headers["Date"] = "Wed, 21 Oct 2015 07:28:06 GMT"
    service.answers = [known, LOST, state(**members), httpx.Response(204)]
    client.get_request("a")
    client.start_job("a")
    assert service.answers == [] if not happened else len(service.answers) == 1


def test_a_401_renews_the_token_once(
    service: Any, client: BatchProcessClient, refusal: Any, state: Any
) -> None:
    service.answers = [refusal(401), state()]
    client.get_request("a")
    assert service.tokens_given == 2
    service.answers = [refusal(401), refusal(401, "Token is invalid.", "COMMON_UNAUTHORIZED")]
    with pytest.raises(AuthenticationError, match="the credentials came from the test"):
        client.get_request("a")
    assert service.tokens_given == 3


def test_a_401_whose_renewal_fails_stays_a_401(
    service: Any, client: BatchProcessClient, state: Any, refusal: Any
) -> None:
    service.answers = [state(), refusal(401)]
    client.get_request("a")
    service.token_answers = [LOST]
    with pytest.raises(AuthenticationError):
        client.get_request("a")


def test_an_unknown_exception_of_the_app_is_not_hidden(
    service: Any, client: BatchProcessClient
) -> None:
    service.answers = [ZeroDivisionError()]
    with pytest.raises(ZeroDivisionError):
        client.get_request("a")


def test_no_action_answer_is_passed_on_unread(service: Any, client: BatchProcessClient) -> None:
    service.answers = [httpx.Response(200, content=b"null"), httpx.Response(200, json={"x": 1})]
    assert client.start_job("a") is None
    assert client.start_job("a") == {"x": 1}
