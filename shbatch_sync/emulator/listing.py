"""Paging: a list's query, and the links of its answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from shbatch_sync.emulator.records import SORTS
from shbatch_sync.emulator.refusal import Refusal

if TYPE_CHECKING:
    from werkzeug import Request


@dataclass(frozen=True, slots=True)
class Query:
    """What of a list is asked for; the view token is an offset, as in recorded answers.

    Attributes:
        offset: Items to pass over.
        count: Items of a page.
        sort: Order, or None for the service's own.
    """

    offset: int
    count: int
    sort: str | None


def read_query(request: Request, limit: int) -> Query:
    """Return what is asked for; more than `limit` items are never given.

    Raises:
        Refusal: A parameter makes no sense.
    """
    sort = request.args.get("sort")
    if sort is not None and sort not in SORTS:
        raise Refusal(400, f"`sort` must be one of {', '.join(sorted(SORTS))}")
    count = _whole(request, "count", limit)
    if count < 1:
        raise Refusal(400, "`count` must be at least 1")
    return Query(_whole(request, "viewtoken", 0), min(count, limit), sort)


def _whole(request: Request, name: str, default: int) -> int:
    text = request.args.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 10):  # noqa: PLR2004 - an int32
        raise Refusal(400, f"`{name}` is not valid")
    return int(text)


def links(request: Request, query: Query, *, more: bool) -> dict[str, str]:
    """Return the links of a page; the last one has no next."""
    given = {key: value for key, value in request.args.items(multi=True) if key != "viewtoken"}

    def at(offset: int) -> str:
        return f"{request.base_url}?{urlencode({**given, 'viewtoken': offset})}"

    answer = {"currentToken": str(query.offset), "@id": at(query.offset)}
    if more:
        following = query.offset + query.count
        answer |= {"nextToken": str(following), "next": at(following)}
    if query.offset:
        preceding = max(0, query.offset - query.count)
        answer |= {"previousToken": str(preceding), "previous": at(preceding)}
    return answer
