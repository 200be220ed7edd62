"""The request that tests of several folders send: small, whole, and nothing about it to complain of."""

from __future__ import annotations

from typing import Any

RASTER: dict[str, Any] = {
    "processRequest": {
        "input": {
            "bounds": {
                "bbox": [14.0, 45.8, 14.2, 46.0],
                "properties": {"crs": "http://www.opengis.net/def/crs/OGC/1.3/CRS84"},
            },
            "data": [
                {
                    "type": "sentinel-2-l2a",
                    "dataFilter": {
                        "timeRange": {"from": "2024-05-01T00:00:00Z", "to": "2024-05-31T23:59:59Z"}
                    },
                }
            ],
        },
        "evalscript": "//VERSION=3\nfunction setup() {}\nfunction evaluatePixel() { return [0]; }\n",
        "output": {"responses": [{"identifier": "default", "format": {"type": "image/tiff"}}]},
    },
    "input": {"type": "tiling-grid", "id": 0, "resolution": 10},
    "output": {
        "type": "raster",
        "delivery": {"s3": {"url": "s3://bucket/ndvi", "iamRoleARN": "arn:aws:iam::0:role/r"}},
    },
}
