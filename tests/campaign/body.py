"""What jobs ask for: one small request, told apart by where it delivers and by a comment of its script."""

from __future__ import annotations

import copy
from functools import cache
from typing import Any

from tests.bodies import RASTER


@cache
def spec(place: str, version: int) -> dict[str, Any]:
    """Return the body of a job; only a comment of the script tells its versions apart."""
    body = copy.deepcopy(RASTER)
    body["output"]["delivery"]["s3"]["url"] += f"/{place}"
    body["processRequest"]["evalscript"] += f"// {place} {version}\n"
    return body
