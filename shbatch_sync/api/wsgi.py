"""A service in this process, for instance the emulator, as a transport of the client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def wsgi_transport(app: Callable[[dict[str, Any], Any], Iterable[bytes]]) -> httpx.BaseTransport:
    """Return a transport that calls a WSGI application instead of the network.

    Args:
        app: The application; a `ConnectionError` that it raises counts as a lost answer.
    """
    return httpx.WSGITransport(app=app)
