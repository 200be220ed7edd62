"""A task as JSON text, put together from parts that were written once.

A list of 100,000 requests must not be parsed and written again for every page: the echo is kept as text without
its last brace, the description beside it, and everything that changes as a second text.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from shbatch_sync.emulator.clock import iso

if TYPE_CHECKING:
    from shbatch_sync.emulator.lifecycle import State


def dump(value: Any) -> str:
    """Write JSON compactly, text as it is."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def head_of(echo: dict[str, Any]) -> str:
    """Return the echo without its description and its last brace."""
    return dump({key: value for key, value in echo.items() if key != "description"})[:-1]


def tail_of(state: State, account: str, created: int) -> str:
    """Return the members of a task behind its request."""
    members: dict[str, Any] = {
        "domainAccountId": account,
        "projectId": account,
        "status": state.status,
        "userAction": state.action,
        "userActionUpdated": None if state.action_at is None else iso(state.action_at),
        "created": iso(created),
        "completionPercentage": round(state.share * 100, 6),
        "lastUpdated": iso(state.updated),
        "costPU": round(state.cost, 6),
        "error": state.error,
        "stoppedStatusReason": state.reason,
    }
    return dump({key: value for key, value in members.items() if value is not None})[1:]


def request_text(head: str, description: str | None) -> str:
    """Return the request; `description` is JSON text."""
    return f"{head}}}" if description is None else f'{head},"description":{description}}}'


def task_text(request_id: str, head: str, description: str | None, tail: str) -> str:
    """Return one task."""
    return f'{{"id":"{request_id}","request":{request_text(head, description)},{tail}'


def page_text(tasks: list[str], links: dict[str, str]) -> str:
    """Return a page of a list."""
    return f'{{"data":[{",".join(tasks)}],"links":{dump(links)}}}'
