"""Geometries as a GeoPackage holds them: a header, often with the box, in front of well-known binary.

Read here as far as it takes to tell that a blob is a polygon and whole, byte by byte and without recursion, so that
nothing else ever sees one that is not (OGC 12-128r19, clause 2.1.3; OGC 06-103r4, clause 8).
"""

from __future__ import annotations

import math
import struct
from collections.abc import Generator, Iterator
from typing import Any

Box = tuple[float, float, float, float]
"""West, south, east, north."""

POLYGON, MULTIPOLYGON = 3, 6
_KINDS = {
    1: "Point",
    2: "LineString",
    POLYGON: "Polygon",
    4: "MultiPoint",
    5: "MultiLineString",
    MULTIPOLYGON: "MultiPolygon",
    7: "GeometryCollection",
}
_AREAS = frozenset({_KINDS[POLYGON], _KINDS[MULTIPOLYGON]})
_MAGIC = b"GP"
_HEADER = 8
_LITTLE, _ENVELOPE, _EMPTY, _EXTENDED = 0x01, 0x0E, 0x10, 0x20
_ENVELOPES = {0: 0, 1: 32, 2: 48, 3: 48, 4: 64}
_ORDERS = {0: ">", 1: "<"}
# The thousands of a type's code: none, Z, M, ZM.
_DIMENSIONS = {0: 2, 1: 3, 2: 3, 3: 4}
_DOUBLE = 8
_SHORTEST_RING = 4
_PLAIN = struct.Struct("<BIII")


class GeometryError(ValueError):
    """A blob that is no whole geometry."""


def body_of(blob: Any) -> bytes:
    """Return the well-known binary behind a blob's header.

    Raises:
        GeometryError: It has no such header.
    """
    if not isinstance(blob, bytes) or blob[:2] != _MAGIC or len(blob) < _HEADER:
        message = "its geometry is not in GeoPackage's form"
        raise GeometryError(message)
    flags = blob[3]
    length = _ENVELOPES.get((flags >> 1) & 0b111)
    if length is None or flags & _EXTENDED or len(blob) < _HEADER + length:
        message = "its geometry has a header of an unknown kind"
        raise GeometryError(message)
    return blob[_HEADER + length :]


def box_of(blob: Any) -> Box | None:
    """Return the box around a polygon or multipolygon, from its header where that has it; None around nothing.

    Raises:
        GeometryError: It is none, or not whole.
    """
    body = body_of(blob)
    flags = blob[3]
    if flags & _ENVELOPE and not flags & _EMPTY:
        order = "<" if flags & _LITTLE else ">"
        west, east, south, north = struct.unpack_from(f"{order}4d", blob, _HEADER)
        box = (west, south, east, north)
    else:
        box = _measured(body)
    return box if all(map(math.isfinite, box)) else None


def _measured(body: bytes) -> Box:
    xs: list[float] = []
    ys: list[float] = []
    for order, at, count, dimensions in _rings(body):
        values = struct.unpack_from(f"{order}{count * dimensions}d", body, at)
        xs += values[::dimensions]
        ys += values[1::dimensions]
    nothing = math.nan
    return (
        min(xs, default=nothing),
        min(ys, default=nothing),
        max(xs, default=nothing),
        max(ys, default=nothing),
    )


def kind_of(body: bytes) -> str:
    """Return what a geometry is, e.g. `Polygon`; `type 17` where it is nothing common.

    Raises:
        GeometryError: It is not whole.
    """
    _, code, _, _ = _head(body, 0)
    return _KINDS.get(code, f"type {code}")


def is_area(kind: str) -> bool:
    """Return whether a kind of geometry is one that the service takes."""
    return kind in _AREAS


def check_area(body: bytes) -> None:
    """Walk over a polygon or multipolygon.

    Raises:
        GeometryError: It is none, or not whole, or has an open ring.
    """
    if is_plain(body):
        return
    for order, at, positions, dimensions in _rings(body):
        last = at + (positions - 1) * dimensions * _DOUBLE
        if positions < _SHORTEST_RING or _point(body, order, at) != _point(body, order, last):
            message = "its geometry has a ring that is not closed"
            raise GeometryError(message)


def _point(body: bytes, order: str, at: int) -> tuple[float, ...]:
    return struct.unpack_from(f"{order}2d", body, at)


def is_plain(body: bytes) -> bool:
    """Return whether it is what most are, told without a walk: one closed ring of x and y, written little-endian."""
    if len(body) < _PLAIN.size:
        return False
    order, code, rings, positions = _PLAIN.unpack_from(body)
    whole = len(body) == _PLAIN.size + positions * 2 * _DOUBLE and positions >= _SHORTEST_RING
    if not whole or (order, code, rings) != (1, POLYGON, 1):
        return False
    return body[_PLAIN.size : _PLAIN.size + 2 * _DOUBLE] == body[-2 * _DOUBLE :]


def _rings(body: bytes) -> Iterator[tuple[str, int, int, int]]:
    """Yield byte order, offset, number of positions and of dimensions of every ring."""
    order, code, _, at = _head(body, 0)
    if code == POLYGON:
        yield from _polygon(body, 0)
        return
    if code != MULTIPOLYGON:
        message = f"its geometry is a {kind_of(body)}"
        raise GeometryError(message)
    number, at = _count(body, order, at)
    for _ in range(number):
        at = yield from _polygon(body, at)


def _polygon(body: bytes, at: int) -> Generator[tuple[str, int, int, int], None, int]:
    """Yield the rings of the polygon that begins at `at`; return where it ends."""
    order, code, dimensions, at = _head(body, at)
    if code != POLYGON:
        message = "its geometry is a MultiPolygon of something else"
        raise GeometryError(message)
    number, at = _count(body, order, at)
    for _ in range(number):
        positions, at = _count(body, order, at)
        end = at + positions * dimensions * _DOUBLE
        if end > len(body):
            raise GeometryError(_CUT)
        yield order, at, positions, dimensions
        at = end
    return at


_CUT = "its geometry is cut short"


def _head(body: bytes, at: int) -> tuple[str, int, int, int]:
    """Return byte order, kind, dimensions and where the rest begins."""
    order = _ORDERS.get(body[at]) if at < len(body) else None
    if order is None:
        raise GeometryError(_CUT)
    code, after = _count(body, order, at + 1)
    kind, extra = code % 1000, code // 1000
    if extra not in _DIMENSIONS:
        return order, code, 0, after
    return order, kind, _DIMENSIONS[extra], after


def _count(body: bytes, order: str, at: int) -> tuple[int, int]:
    try:
        (number,) = struct.unpack_from(f"{order}I", body, at)
    except struct.error:
        raise GeometryError(_CUT) from None
    return number, at + 4
