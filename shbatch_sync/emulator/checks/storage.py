"""Object storage and the placeholders of a delivery url."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shbatch_sync.emulator.checks.shape import Node

_URL = re.compile(r"(s3|gs)://[^/<>\s]+(/.*)?", re.DOTALL)
_PLACEHOLDER = re.compile(r"<([^<>]*)>")
_RASTER_PLACEHOLDERS = frozenset({"requestId", "tileName", "tileId", "outputId", "format"})
_TILE_PLACEHOLDERS = frozenset({"tileName", "tileId"})


def check_storage(parent: Node, key: str) -> tuple[Node, str] | None:
    """Check `{s3: {…}}` or `{gs: {…}}`; return the url's parent and the url if they can be read."""
    storage = parent.object(key, required=True)
    if storage is None:
        return None
    kinds = [kind for kind in ("s3", "gs") if storage.has(kind)]
    if len(kinds) != 1:
        storage.fault("must have exactly one of s3, gs")
        return None
    place = storage.object(kinds[0])
    if place is None:
        return None
    if kinds[0] == "s3":
        _check_s3(place)
    else:
        place.text("credentials", required=True)
    return _check_url(place, kinds[0])


def _check_url(place: Node, kind: str) -> tuple[Node, str] | None:
    url = place.text("url", required=True)
    if url is None:
        return None
    match = _URL.fullmatch(url)
    if match is None or match[1] != kind:
        place.blame("url", f"must look like {kind}://bucket/path")
        return None
    return place, url


def _check_s3(place: Node) -> None:
    place.text("region")
    role = place.text("iamRoleARN")
    keys = [key for key in ("accessKey", "secretAccessKey") if place.text(key) is not None]
    if role is not None and not role.startswith("arn:"):
        place.blame("iamRoleARN", "must be an ARN")
    if role is not None and keys:
        place.fault("has both iamRoleARN and access keys; give exactly one kind of credentials")
    if role is None and len(keys) != 2:  # noqa: PLR2004 - a key and its secret
        place.fault("needs credentials: iamRoleARN, or accessKey and secretAccessKey")


def check_raster_template(place: Node, url: str, outputs: int) -> None:
    """Check that a template keeps tiles and outputs apart; a plain url always does."""
    names = _PLACEHOLDER.findall(url)
    _refuse_unknown(place, names, _RASTER_PLACEHOLDERS)
    if names and not _TILE_PLACEHOLDERS.intersection(names):
        place.blame("url", "is a template and must contain <tileName>")
    if names and outputs > 1 and "outputId" not in names:
        place.blame("url", "is a template and must contain <outputId>, there are several outputs")


def check_zarr_template(place: Node, url: str) -> None:
    """Check that only `<requestId>` stands in the url of a Zarr."""
    _refuse_unknown(place, _PLACEHOLDER.findall(url), frozenset({"requestId"}))


def _refuse_unknown(place: Node, names: list[str], known: frozenset[str]) -> None:
    for name in names:
        if name not in known:
            allowed = ", ".join(f"<{one}>" for one in sorted(known))
            place.blame("url", f"has the unknown placeholder <{name}>; possible are {allowed}")
