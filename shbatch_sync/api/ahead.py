"""Pages fetched ahead: while one is read, the service is already at work on the next."""

from __future__ import annotations

from contextlib import suppress
from queue import Empty, Queue
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    _Pages = Queue[tuple[list[Any] | None, BaseException | None]]

# Seconds that a reader who leaves early waits for the call in flight; the process can end without it.
_PARTING = 1.0


def ahead(fetched: Iterator[list[Any]], most: int) -> Generator[list[Any]]:
    """Yield pages that a thread of its own fetches; what it runs into is raised where the page would have been.

    Nothing is fetched before the first page is asked for, and no further one once the reader has left.

    Args:
        fetched: The pages, each fetched when it is asked for.
        most: Pages that may lie ready; at least 1.
    """
    pages: _Pages = Queue(maxsize=most)
    left = Event()
    thread = Thread(target=_fetch, args=(fetched, pages, left), name="pages ahead", daemon=True)
    thread.start()
    try:
        yield from _received(pages)
    finally:
        left.set()
        with suppress(Empty):
            while True:
                pages.get_nowait()
        thread.join(_PARTING)


def _received(pages: _Pages) -> Iterator[list[Any]]:
    while True:
        page, error = pages.get()
        if error is not None:
            raise error
        if page is None:
            return
        yield page


def _fetch(fetched: Iterator[list[Any]], pages: _Pages, left: Event) -> None:
    error = None
    try:
        for page in fetched:
            pages.put((page, None))
            if left.is_set():
                return
    except BaseException as raised:  # noqa: BLE001 - the reader's to judge
        error = raised
    pages.put((None, error))
