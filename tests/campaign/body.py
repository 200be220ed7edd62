"""What jobs ask for: one small request, told apart by where it delivers and by a comment of its script."""

from __future__ import annotations

import copy
from functools import cache
from typing import Any

_BODY: dict[str, Any] = {
    "processRequest": {
        "input": {
            "bounds": {
                "bbox": [14.0, 45.8, 14.2, 46.0],
                "properties": {"crs": "http://www.opengis.net/def/crs/OGC/1.3/CRS84"},
            },
            "data": [{"type": "sentinel-2-l2a"}],
        },
        "evalscript": "//VERSION=3\nfunction setup() {}\nfunction evaluatePixel() { return [0]; }\n",
        "output": {"responses": [{"identifier": "default", "format": {"type": "image/tiff"}}]},
    },
    "input": {"type": "tiling-grid", "id": 0, "resolution": 10},
    "output": {
        "type": "raster",
        "delivery": {"s3": {"url": "s3://bucket", "iamRoleARN": "arn:aws:iam::0:role/r"}},
    },
}


@cache
def spec(place: str, version: int) -> dict[str, Any]:
    """Return the body of a job; only a comment of the script tells its versions apart."""
    body = copy.deepcopy(_BODY)
    body["output"]["delivery"]["s3"]["url"] += f"/{place}"
    body["processRequest"]["evalscript"] += f"// {version}\n"
    return body
