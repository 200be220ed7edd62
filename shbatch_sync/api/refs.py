"""What callers hand in for a request or a body, and what the service hands back, made into one form."""

from __future__ import annotations

from typing import Any

from shbatch_sync.api.call import Call, segment
from shbatch_sync.errors import UnreadableAnswerError
from shbatch_sync.request import BatchProcessRequest

RequestRef = str | dict[str, Any] | BatchProcessRequest
"""A request, named by its id, a dictionary with an `id`, or the request itself."""


def reading(request_id: str) -> Call:
    """Return the call that reads a request.

    Raises:
        ValueError: The id is empty.
    """
    return Call(method="GET", path=f"/process/{segment(request_id)}", request_id=request_id)


def request_of(answer: Any, call: Call) -> BatchProcessRequest:
    """Return the request that an answer holds.

    Raises:
        UnreadableAnswerError: It holds none.
    """
    if not isinstance(answer, dict) or not isinstance(answer.get("id"), str):
        raise no_request(call)
    return BatchProcessRequest.from_dict(answer)


def no_request(call: Call) -> UnreadableAnswerError:
    """Return the error for an answer without a request."""
    detail = "the answer holds no batch request: it has no `id`"
    return UnreadableAnswerError(
        detail, method=call.method, path=call.path, request_id=call.request_id
    )


def request_id(data: Any) -> str:
    """Return the id of a request that is given as id, dictionary or object.

    Raises:
        KeyError: A dictionary without `id`.
        ValueError: Something else.
    """
    if isinstance(data, str):
        return data
    if isinstance(data, dict):
        return str(data["id"])
    request_id = getattr(data, "request_id", None)  # sentinelhub-py's own class has it too
    if isinstance(request_id, str):
        return request_id
    message = f"Expected a BatchRequest, dictionary or a string, got {type(data).__name__}."
    raise ValueError(message)


def process_body(process_request: Any) -> dict[str, Any]:
    """Return the body behind `process_request`: a dictionary, or what a `SentinelHubRequest` would post.

    Raises:
        ValueError: It is neither.
    """
    downloads = getattr(process_request, "download_list", None)
    body = downloads[0].post_values if downloads else process_request
    if isinstance(body, dict):
        return body
    message = (
        "Parameter sentinelhub_request should be an instance of SentinelHubRequest or a dictionary with a "
        f"request payload, not {type(process_request).__name__}"
    )
    raise ValueError(message)
