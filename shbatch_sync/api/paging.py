"""Lists that come in pages."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qs, urlsplit

from shbatch_sync.api.ahead import ahead
from shbatch_sync.api.call import Call, query
from shbatch_sync.api.refs import no_request
from shbatch_sync.api.seen import SeenIds
from shbatch_sync.errors import UnreadableAnswerError
from shbatch_sync.request import BatchProcessRequest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from shbatch_sync.api.transport import Transport


def pages(
    transport: Transport, path: str, params: Mapping[str, Any], what: str
) -> Iterator[list[Any]]:
    """Fetch page after page; only one is held at a time.

    Args:
        transport: Sends the calls.
        path: Of the list, below the service URL.
        params: Query; None values are left out.
        what: What to say if a page has no data.

    Raises:
        ApiError: A page could not be had.
        UnreadableAnswerError: A page is not one, or the pages go in a circle.
    """
    token: Any = None
    seen: set[Any] = set()
    while True:
        page = transport.read(Call(method="GET", path=path + query({**params, "viewtoken": token})))
        entries = page.get("data")
        if not isinstance(entries, list):
            raise _unreadable(path, what)
        yield entries
        token = _next_token(page, path)
        if token is None or not entries:
            return
        if token in seen:
            raise _unreadable(path, f"the pages go in a circle (token {token!r:.60} came twice)")
        seen.add(token)


def requests_of(fetched: Iterable[list[Any]]) -> Iterator[BatchProcessRequest]:
    """Yield the requests of pages, each once: pages cut by an offset shift when a request appears or vanishes.

    Raises:
        UnreadableAnswerError: An entry is no request.
    """
    seen = SeenIds()
    make = BatchProcessRequest.from_dict
    for page in fetched:
        for entry in page:
            if not isinstance(entry, dict) or not isinstance(entry.get("id"), str):
                raise no_request(Call(method="GET", path="/process"))
            if seen.add(entry["id"]):
                yield make(entry)


def requests_ahead(fetched: Iterator[list[Any]], most: int) -> Iterator[BatchProcessRequest]:
    """Yield the requests of pages as `requests_of` does, while a thread fetches up to `most` further pages.

    Raises:
        UnreadableAnswerError: An entry is no request.
    """
    with closing(ahead(fetched, most)) as coming:
        yield from requests_of(coming)


class PagedItems:
    """An iterator that fetches pages as it goes and remembers what it has seen, so that it can be read again."""

    def __init__(self, fetched: Iterator[list[Any]]) -> None:
        """Take the pages."""
        self._pages = fetched
        self._items: list[dict[str, Any]] = []
        self._index = 0

    def __iter__(self) -> Self:
        self._index = 0
        return self

    def __next__(self) -> dict[str, Any]:
        while self._index >= len(self._items):
            self._items.extend(next(self._pages))
        self._index += 1
        return self._items[self._index - 1]


def _next_token(page: Mapping[str, Any], path: str) -> str | int | None:
    """Return what leads to the next page: the token, else the one within the URL of the next page; None at the end.

    Nothing of that URL is called: its host is whatever an answer says. One without a token is no end of the list,
    and taking it for one would lose requests that were paid for.
    """
    links = page.get("links")
    if not isinstance(links, dict):
        return None
    token = links.get("nextToken")
    if isinstance(token, str | int) and token != "":
        return token
    following = links.get("next")
    if not isinstance(following, str) or not following:
        return None
    found = parse_qs(urlsplit(following).query).get("viewtoken")
    if not found:
        raise _unreadable(
            path, "the list goes on, but its next page cannot be asked for: no viewtoken"
        )
    return found[0]


def _unreadable(path: str, detail: str) -> UnreadableAnswerError:
    return UnreadableAnswerError(detail, method="GET", path=path)
