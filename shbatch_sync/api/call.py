"""One HTTP call, before it is sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

NO_BODY: Final = object()
_SECRET_MEMBERS = frozenset({"accessKey", "secretAccessKey", "credentials"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What is asked of the service.

    Attributes:
        method: HTTP method.
        path: Path below the service URL, with its query.
        body: JSON body, or `NO_BODY`.
        request_id: The batch request it is about, if any.
        once: It must not be sent a second time, whatever happens.
        wants_object: The answer has to be a JSON object.
    """

    method: str
    path: str
    body: Any = NO_BODY
    request_id: str | None = None
    once: bool = False
    wants_object: bool = True

    @property
    def secrets(self) -> set[str]:
        """The secret values in the body, for taking them out of messages."""
        return set(_secret_values(self.body))


def query(params: Mapping[str, Any]) -> str:
    """Return `?name=value...` the way sentinelhub-py encodes it; None values are left out, nothing gives ''."""
    given = {name: value for name, value in params.items() if value is not None}
    return f"?{urlencode(given)}" if given else ""


def segment(value: object) -> str:
    """Return one path segment, quoted.

    Raises:
        ValueError: It is empty, which would address another resource.
    """
    text = str(value)
    if text in {"", ".", ".."}:
        message = f"{text!r} is not an id"
        raise ValueError(message)
    return quote(text, safe="")


def _secret_values(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, member in value.items():
            if name in _SECRET_MEMBERS and isinstance(member, str):
                yield member
            else:
                yield from _secret_values(member)
    elif isinstance(value, list | tuple):
        for member in value:
            yield from _secret_values(member)
