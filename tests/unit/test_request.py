from __future__ import annotations

import copy
import dataclasses
import json
import pickle
from datetime import UTC, datetime, timedelta, timezone
from enum import Enum

import pytest

from shbatch_sync.request import (
    UNKNOWN_STATUS,
    BatchProcessRequest,
    BatchRequestStatus,
    BatchUserAction,
    StoppedStatusReason,
    format_time,
    parse_time,
)

ANSWER = {
    "id": "a5b8b581-c4f9-4e94-a07e-a04f029c0783",
    "request": {
        "description": "NDVI",
        "output": {"delivery": {"s3": {"secretAccessKey": "s3cr3t-echo"}}},
    },
    "domainAccountId": "account-1",
    "status": "STOPPED",
    "error": "out of PU",
    "userAction": "START",
    "userActionUpdated": "2024-09-03T13:00:00Z",
    "created": "2024-09-03T12:58:13.957032Z",
    "completionPercentage": 40,
    "lastUpdated": "2024-09-03T13:05:00.5+02:00",
    "costPU": 12,
    "stoppedStatusReason": "OUT_OF_PU",
    "projectId": "project-1",
}


def test_reads_every_field() -> None:
    request = BatchProcessRequest.from_dict(ANSWER)
    assert request.request_id == ANSWER["id"]
    assert request.request is ANSWER["request"]
    assert request.domain_account_id == "account-1"
    assert request.status is BatchRequestStatus.STOPPED
    assert request.error == "out of PU"
    assert request.user_action is BatchUserAction.START
    assert request.user_action_updated == datetime(2024, 9, 3, 13, tzinfo=UTC)
    assert request.created == datetime(2024, 9, 3, 12, 58, 13, 957032, tzinfo=UTC)
    assert (request.completion_percentage, request.cost_PU) == (40.0, 12.0)
    assert isinstance(request.cost_PU, float)
    assert request.last_updated == datetime(2024, 9, 3, 11, 5, 0, 500000, tzinfo=UTC)
    assert request.stopped_status_reason is StoppedStatusReason.OUT_OF_PU
    assert request.other_data == {"projectId": "project-1"}
    assert request.description == "NDVI"


def test_a_bare_answer_has_the_defaults_of_the_constructor() -> None:
    bare = BatchProcessRequest.from_dict({"id": "a"})
    assert bare == BatchProcessRequest("a", {}, None, UNKNOWN_STATUS)
    assert bare.description == ""
    assert not bare.status.is_known


def test_an_answer_without_id_is_a_key_error() -> None:
    with pytest.raises(KeyError, match="id"):
        BatchProcessRequest.from_dict({"status": "DONE"})


@pytest.mark.parametrize(
    ("member", "value", "field", "expected"),
    [
        ("costPU", "many", "cost_PU", None),
        ("costPU", [], "cost_PU", None),
        ("completionPercentage", None, "completion_percentage", 0),
        ("created", "yesterday", "created", None),
        ("created", 17, "created", None),
        ("request", None, "request", {}),
        ("domainAccountId", 5, "domain_account_id", "5"),
        ("userAction", "", "user_action", None),
        ("stoppedStatusReason", None, "stopped_status_reason", None),
        ("status", 3, "status", BatchRequestStatus("3")),
    ],
)
def test_odd_members_do_not_raise(member: str, value: object, field: str, expected: object) -> None:
    assert getattr(BatchProcessRequest.from_dict({"id": "a", member: value}), field) == expected


def test_description_that_is_no_text_is_empty() -> None:
    assert (
        BatchProcessRequest.from_dict({"id": "a", "request": {"description": 5}}).description == ""
    )


def test_to_dict_gives_back_what_came() -> None:
    request = BatchProcessRequest.from_dict(ANSWER)
    written = request.to_dict()
    assert written == {**ANSWER, "lastUpdated": "2024-09-03T13:05:00.500000+02:00"}
    assert BatchProcessRequest.from_dict(written) == request
    assert BatchProcessRequest.from_json(request.to_json()) == request
    assert request.to_json(sort_keys=True) == json.dumps(written, sort_keys=True)


def test_to_dict_leaves_out_what_the_original_leaves_out() -> None:
    assert BatchProcessRequest.from_dict({"id": "a", "status": "DONE"}).to_dict() == {
        "id": "a",
        "request": {},
        "domainAccountId": None,
        "status": "DONE",
        "error": None,
        "userActionUpdated": None,
        "created": None,
        "completionPercentage": 0,
        "lastUpdated": None,
        "costPU": None,
    }


def test_unknown_values_are_carried_and_written_back() -> None:
    answer = {
        "id": "a",
        "status": "PARTIAL",
        "userAction": "PAUSE",
        "stoppedStatusReason": "WEATHER",
    }
    request = BatchProcessRequest.from_dict(answer)
    assert request.status is BatchRequestStatus("PARTIAL")
    assert (request.status.name, request.status.is_known) == ("PARTIAL", False)
    assert BatchRequestStatus.DONE.is_known
    assert "PARTIAL" not in [status.name for status in BatchRequestStatus]
    assert {key: request.to_dict()[key] for key in answer} == answer
    assert pickle.loads(pickle.dumps(request.status)) is request.status  # noqa: S301 - our own bytes


def test_statuses_equal_those_of_another_package() -> None:
    class BatchRequestStatus(Enum):
        DONE = "DONE"

    ours = BatchProcessRequest.from_dict({"id": "a", "status": "DONE"}).status
    assert ours == BatchRequestStatus.DONE
    assert hash(ours) == hash(BatchRequestStatus.DONE)
    assert ours != "DONE"
    assert BatchUserAction.STOP != StoppedStatusReason.USER_ACTION
    with pytest.raises(RuntimeError):
        BatchProcessRequest("a", {}, "", ours).raise_for_status(BatchRequestStatus.DONE)  # type: ignore[arg-type] # theirs


def test_a_status_that_is_no_text_is_refused() -> None:
    with pytest.raises(ValueError, match="5 is not a valid BatchRequestStatus"):
        BatchRequestStatus(5)


def test_repr_shows_the_basics_and_no_secret() -> None:
    request = BatchProcessRequest.from_dict(ANSWER)
    assert repr(request) == (
        "BatchProcessRequest(\n  request_id=a5b8b581-c4f9-4e94-a07e-a04f029c0783\n"
        "  created=2024-09-03 12:58:13.957032+00:00\n  status=BatchRequestStatus.STOPPED\n"
        "  completion_percentage=40.0\n  user_action=BatchUserAction.START\n  cost_PU=12.0\n  ...\n)"
    )


def test_it_is_an_ordinary_dataclass() -> None:
    request = BatchProcessRequest.from_dict(ANSWER)
    changed = dataclasses.replace(request, status=BatchRequestStatus.DONE)
    assert changed.status is BatchRequestStatus.DONE
    assert changed.created == request.created
    request.error = None
    assert request.to_dict()["error"] is None
    assert copy.deepcopy(request) == request
    assert pickle.loads(pickle.dumps(request)) == request  # noqa: S301 - our own bytes
    assert request != "a"
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = request.nothing
    with pytest.raises(TypeError):
        hash(request)


def test_raise_for_status() -> None:
    request = BatchProcessRequest.from_dict(ANSWER)
    request.raise_for_status()
    request.raise_for_status(["FAILED", BatchRequestStatus.DONE])
    with pytest.raises(RuntimeError, match='with status STOPPED and error message: "out of PU"'):
        request.raise_for_status("STOPPED")
    with pytest.raises(RuntimeError, match=r"batch request b with status FAILED$"):
        BatchProcessRequest("b", {}, "", BatchRequestStatus.FAILED).raise_for_status()
    with pytest.raises(ValueError, match="'STOPED' is not a valid"):
        request.raise_for_status("STOPED")
    with pytest.raises(RuntimeError):
        BatchProcessRequest.from_dict({"id": "a", "status": "NEW"}).raise_for_status(
            BatchRequestStatus("NEW")
        )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-05-01T00:00:00Z", datetime(2024, 5, 1, tzinfo=UTC)),
        ("2024-05-01T00:00:00.1Z", datetime(2024, 5, 1, 0, 0, 0, 100000, tzinfo=UTC)),
        ("2024-05-01T00:00:00.123456789Z", datetime(2024, 5, 1, 0, 0, 0, 123456, tzinfo=UTC)),
        ("2024-05-01T02:00:00+02:00", datetime(2024, 5, 1, tzinfo=UTC)),
        ("2024-05-01T00:00:00", datetime(2024, 5, 1, tzinfo=UTC)),
        (datetime(2024, 5, 1, tzinfo=UTC), datetime(2024, 5, 1, tzinfo=UTC)),
    ],
)
def test_parse_time(text: object, expected: datetime) -> None:
    parsed = parse_time(text)
    assert parsed == expected
    assert parsed is not None
    assert parsed.tzinfo is not None


def test_format_time() -> None:
    moment = datetime(2024, 5, 1)  # noqa: DTZ001 - that a naive one is taken as UTC is the test
    assert format_time(moment) == "2024-05-01T00:00:00Z"
    east = timezone(timedelta(hours=2))
    assert format_time(moment.replace(tzinfo=east)) == "2024-05-01T00:00:00+02:00"
    assert format_time(None) is None


def test_schema_loads_and_dumps() -> None:
    marshmallow = pytest.importorskip("marshmallow")
    schema = BatchProcessRequest.schema(infer_missing=True)
    request = schema.load(ANSWER)
    assert request == BatchProcessRequest.from_dict(ANSWER)
    assert {**schema.dump(request), "lastUpdated": ""} == {**ANSWER, "lastUpdated": ""}
    assert schema.loads(schema.dumps(request)) == request
    many = BatchProcessRequest.schema(many=True)
    assert many.load(many.dump([request])) == [request]
    assert BatchProcessRequest.schema(only=("status",)).dump(request)["status"] == "STOPPED"
    assert BatchProcessRequest.schema(partial=True).load({"status": "NEW"}) == {
        "status": BatchRequestStatus("NEW")
    }
    bare = BatchProcessRequest.from_dict({"id": "a", "status": "DONE"})
    assert schema.dump(bare)["userAction"] is None
    with pytest.raises(marshmallow.ValidationError) as raised:
        schema.load({"id": "a", "request": {}, "status": 5, "created": "soon"})
    assert raised.value.messages == {
        "status": ["Not a valid string."],
        "created": ["Not a valid datetime."],
    }


def test_a_body_that_is_none_is_read_as_the_rest_is():
    found = BatchProcessRequest.from_dict({"id": "a", "request": None, "status": "CREATED"})
    assert not found.request
    assert str(BatchProcessRequest.from_dict({"id": 7, "request": {}}).request_id) == "7"
