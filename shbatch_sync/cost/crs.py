"""Coordinate reference systems as requests name them, and transformations between them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from shbatch_sync.errors import ShbatchError

if TYPE_CHECKING:
    from pyproj import Transformer

LONLAT = 4326
"""EPSG code that stands for longitude and latitude in degrees, longitude first, CRS84 included."""

_EPSG = re.compile(r"EPSG(?:/0/|::?|:\d*:)(\d{4,5})$", re.IGNORECASE)
_CRS84 = re.compile(r"CRS:?84$", re.IGNORECASE)


class AreaError(ShbatchError):
    """An area that tiles cannot be counted for; the message says why."""


def epsg_of(reference: object) -> int:
    """Read a CRS reference: a URL, a URN, `EPSG:n`, a number or a GeoJSON `crs` member.

    None means CRS84, the service's default (Process API docs, CRS support). Axes are taken as x, y everywhere, as
    the service does, also for EPSG:4326.

    Raises:
        AreaError: It is not such a reference.
    """
    if reference is None:
        return LONLAT
    if isinstance(reference, Mapping):
        properties = reference.get("properties")
        return epsg_of(properties.get("name") if isinstance(properties, Mapping) else None)
    if isinstance(reference, int) and not isinstance(reference, bool):
        return reference
    text = str(reference).rstrip("/")
    if _CRS84.search(text):
        return LONLAT
    found = _EPSG.search(text)
    if found is None:
        message = f"{text[:80]!r} is not a coordinate reference system that is known here"
        raise AreaError(message)
    return int(found.group(1))


@lru_cache(maxsize=256)
def transformer(source: int, target: int) -> Transformer:
    """Give the transformation between two EPSG codes, x before y on both sides.

    Raises:
        AreaError: One of them does not exist.
    """
    from pyproj import Transformer  # noqa: PLC0415 - slow to import, and only areas need it
    from pyproj.exceptions import CRSError  # noqa: PLC0415

    try:
        return Transformer.from_crs(source, target, always_xy=True)
    except CRSError as error:
        message = f"EPSG:{source} or EPSG:{target} is not a known coordinate reference system"
        raise AreaError(message) from error


@lru_cache(maxsize=64)
def is_geographic(epsg: int) -> bool:
    """Tell whether coordinates are degrees.

    Raises:
        AreaError: The code does not exist.
    """
    from pyproj import CRS  # noqa: PLC0415
    from pyproj.exceptions import CRSError  # noqa: PLC0415

    try:
        return bool(CRS.from_epsg(epsg).is_geographic)
    except CRSError as error:
        message = f"EPSG:{epsg} is not a known coordinate reference system"
        raise AreaError(message) from error


def project(geometry: Any, source: int, target: int) -> Any:
    """Transform a shapely geometry vertex by vertex.

    Raises:
        AreaError: A vertex has no image in the target.
    """
    import numpy as np  # noqa: PLC0415
    import shapely  # noqa: PLC0415

    def move(points: Any) -> Any:
        x, y = transformer(source, target).transform(points[:, 0], points[:, 1])
        return np.column_stack((x, y))

    if source == target:
        return geometry
    made = shapely.transform(geometry, move)
    if not np.isfinite(shapely.get_coordinates(made)).all():
        message = f"the area lies where EPSG:{source} has no meaning"
        raise AreaError(message)
    return made
