from __future__ import annotations

import random
from typing import Any

import httpx
import pytest

from shbatch_sync.api.client import BatchProcessClient
from shbatch_sync.api.seen import SeenIds
from shbatch_sync.errors import UnreadableAnswerError


def page(ids: list[str], token: Any = None) -> httpx.Response:
    links = {} if token is None else {"nextToken": token}
    return httpx.Response(200, json={"data": [{"id": one} for one in ids], "links": links})


def listed(client: BatchProcessClient, **options: Any) -> list[str]:
    return [request.request_id for request in client.iter_requests(**options)]


def test_pages_are_fetched_as_they_are_needed(service: Any, client: BatchProcessClient) -> None:
    service.answers = [page(["a", "b"], "t&1"), page(["c"])]
    requests = client.iter_requests(sort="created")
    assert service.calls == []
    assert [next(requests).request_id for _ in range(2)] == ["a", "b"]
    assert service.calls == ["GET /api/v2/batch/process?sort=created"]
    assert [request.request_id for request in requests] == ["c"]
    assert service.calls[1] == "GET /api/v2/batch/process?sort=created&viewtoken=t%261"


def test_repeats_are_dropped(service: Any, client: BatchProcessClient) -> None:
    service.answers = [page(["a", "b"], 2), page(["b", "c"], 4), page(["a", "d"])]
    assert listed(client) == ["a", "b", "c", "d"]


@pytest.mark.parametrize("seed", range(50))
def test_shifting_pages_give_each_request_at_least_once_and_none_twice(
    service: Any, client: BatchProcessClient, seed: int
) -> None:
    """New requests come in front while an offset walks over the list: pages shift, nothing that was there is lost."""
    draw = random.Random(seed)
    there = [f"old-{number}" for number in range(draw.randrange(1, 60))]
    before = set(there)
    size = draw.randrange(1, 8)

    def answer(request: httpx.Request) -> httpx.Response:
        start = int(request.url.params.get("viewtoken", 0))
        found = page(
            there[start : start + size], start + size if start + size < len(there) else None
        )
        for _ in range(draw.randrange(min(size, 3))):
            there.insert(draw.randrange(start + 1), f"new-{len(there)}-{draw.random()}")
        return found

    service.answers = [answer] * 500
    ids = listed(client)
    assert before <= set(ids)
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"data": None},
        {"data": {}},
        {"data": [5]},
        {"data": [{"id": None}]},
        {"data": [{"status": "DONE"}]},
    ],
)
def test_what_is_no_list_of_requests_is_unreadable(
    service: Any, client: BatchProcessClient, body: Any
) -> None:
    service.answers = [httpx.Response(200, json=body)]
    with pytest.raises(UnreadableAnswerError):
        listed(client)


@pytest.mark.parametrize(
    "links", [None, [], {"nextToken": None}, {"nextToken": ""}, {"nextToken": {}}]
)
def test_odd_links_end_the_list(service: Any, client: BatchProcessClient, links: Any) -> None:
    service.answers = [httpx.Response(200, json={"data": [{"id": "a"}], "links": links})]
    assert listed(client) == ["a"]


def test_the_next_page_may_be_named_by_its_url_alone(
    service: Any, client: BatchProcessClient
) -> None:
    following = "https://elsewhere.example/process?count=2&viewtoken=t%261"
    first = {"data": [{"id": "a"}], "links": {"next": following}}
    service.answers = [httpx.Response(200, json=first), page(["b"])]
    assert listed(client) == ["a", "b"]
    assert service.calls[1] == "GET /api/v2/batch/process?viewtoken=t%261"


def test_a_list_that_goes_on_where_nothing_leads_is_no_list(
    service: Any, client: BatchProcessClient
) -> None:
    first = {"data": [{"id": "a"}], "links": {"next": "https://elsewhere.example/process?page=2"}}
    service.answers = [httpx.Response(200, json=first)]
    with pytest.raises(UnreadableAnswerError, match="the list goes on"):
        listed(client)


def test_an_empty_page_ends_the_list(service: Any, client: BatchProcessClient) -> None:
    service.answers = [page([], "more")]
    assert listed(client) == []


def test_pages_in_a_circle_are_an_error(service: Any, client: BatchProcessClient) -> None:
    service.answers = [page(["a"], 1), page(["b"], 2), page(["a"], 1)]
    with pytest.raises(UnreadableAnswerError, match="circle"):
        listed(client)


def test_grids_can_be_read_again(service: Any, client: BatchProcessClient) -> None:
    service.answers = [page(["0"], 1), page(["1"])]
    grids = client.iter_tiling_grids(count=1)
    assert service.calls == []
    assert [grid["id"] for grid in grids] == [grid["id"] for grid in grids] == ["0", "1"]
    assert len(service.calls) == 2


def test_seen_ids_grow() -> None:
    seen = SeenIds()
    ids = [str(number) for number in range(5000)]
    assert all(seen.add(one) for one in ids)
    assert not any(seen.add(one) for one in ids)
