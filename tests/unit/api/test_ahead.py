from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from shbatch_sync.api.ahead import ahead
from shbatch_sync.api.client import BatchProcessClient
from shbatch_sync.errors import UnreadableAnswerError


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "pages ahead"]


class Pages:
    """Numbered pages; tells how many were fetched, and may fail after the last."""

    def __init__(self, count: int, error: BaseException | None = None) -> None:
        self.count, self.error = count, error
        self.fetched = 0
        self.enough = threading.Event()
        self.enough_at = count

    def __iter__(self) -> Iterator[list[int]]:
        for number in range(self.count):
            self.fetched += 1
            if self.fetched >= self.enough_at:
                self.enough.set()
            yield [number]
        if self.error is not None:
            raise self.error


@pytest.mark.parametrize("most", [1, 3, 100])
def test_every_page_comes_once_and_in_order(most: int) -> None:
    assert list(ahead(iter(Pages(20)), most)) == [[number] for number in range(20)]
    assert threads() == []


def test_the_next_pages_are_fetched_while_one_is_read_but_not_all() -> None:
    pages = Pages(50)
    pages.enough_at = 4
    reading = ahead(iter(pages), 2)
    assert pages.fetched == 0
    assert next(reading) == [0]
    assert pages.enough.wait(20)  # one read, two ready, one waiting for room
    assert pages.fetched == 4
    assert len(list(reading)) == 49


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt()])
def test_what_goes_wrong_is_raised_after_the_pages_before_it(error: BaseException) -> None:
    reading = ahead(iter(Pages(5, error)), 2)
    assert [next(reading) for _ in range(5)] == [[number] for number in range(5)]
    with pytest.raises(type(error)):
        next(reading)
    assert threads() == []


def test_a_reader_who_leaves_takes_the_thread_along() -> None:
    pages = Pages(1000)
    reading = ahead(iter(pages), 2)
    next(reading)
    reading.close()
    assert threads() == []
    assert pages.fetched < 10


def test_a_client_reads_ahead_if_it_is_told_to(
    service: Any, make_client: Callable[..., BatchProcessClient]
) -> None:
    def page(ids: list[Any], token: str | None) -> httpx.Response:
        links = {} if token is None else {"nextToken": token}
        return httpx.Response(200, json={"data": [{"id": one} for one in ids], "links": links})

    client = make_client(read_ahead=2)
    service.answers = [page(["a", "b"], "1"), page(["b", "c"], None)]
    requests = client.iter_requests(sort="created")
    assert service.calls == []
    assert [request.request_id for request in requests] == ["a", "b", "c"]
    service.answers = [page(["a", 5], "1"), page(["b"], "2"), page(["c"], None)]
    with pytest.raises(UnreadableAnswerError):
        list(client.iter_requests())
    assert threads() == []
