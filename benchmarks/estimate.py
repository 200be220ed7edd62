"""Estimating 10,000 jobs with areas of 1,000 vertices, against parsing their YAML.

    python benchmarks/estimate.py [--jobs 10000] [--areas 50] [--parse 100]

Each job is a document with its area written in it, as a matrix or a generator leaves them; `--areas` of them are
distinct. The YAML of `--parse` jobs is parsed by libyaml and scaled up, for parsing all takes minutes. Prints both
times and their ratio, which should be below 1; also for areas that are all distinct, on `--distinct` jobs.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from typing import Any

import yaml

from shbatch_sync.cost.estimate import estimate

Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

EVALSCRIPT = """//VERSION=3
const bands = ["B04", "B08", "SCL", "dataMask"];
function setup() {
  return {input: [{bands}], output: [{id: "ndvi", bands: 1, sampleType: "FLOAT32"}], mosaicking: "ORBIT"};
}
function evaluatePixel(samples) { return {ndvi: [samples.length]}; }
"""


def area(number: int, vertices: int = 1000) -> dict[str, Any]:
    """Make a star-shaped polygon about a degree wide; each number lies elsewhere."""
    x, y = -170 + 340 * ((number * 0.618) % 1), -60 + 120 * ((number * 0.414) % 1)
    ring = []
    for i in range(vertices):
        angle = 2 * math.pi * i / vertices
        radius = 0.4 + 0.1 * math.sin(37 * angle)
        ring.append(
            [round(x + radius * math.cos(angle), 7), round(y + radius * math.sin(angle), 7)]
        )
    return {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}


def spec(number: int, areas: int) -> dict[str, Any]:
    """Make a request body; the month and the area depend on the number."""
    month = number % 12 + 1
    times = {"from": f"2024-{month:02d}-01T00:00:00Z", "to": f"2024-{month:02d}-28T23:59:59Z"}
    return {
        "processRequest": {
            "input": {
                "bounds": {"geometry": area(number % areas)},
                "data": [{"type": "sentinel-2-l2a", "dataFilter": {"timeRange": times}}],
            },
            "output": {"responses": [{"identifier": "ndvi", "format": {"type": "image/tiff"}}]},
            "evalscript": EVALSCRIPT,
        },
        "input": {"type": "tiling-grid", "id": 1, "resolution": 10},
        "output": {"type": "raster", "delivery": {"s3": {"url": f"s3://bucket/{number}"}}},
    }


def parse_time(jobs: int, areas: int) -> float:
    """Measure the seconds that parsing the YAML of some jobs takes."""
    texts = [yaml.safe_dump(spec(i, areas), default_flow_style=None) for i in range(jobs)]
    start = time.perf_counter()
    for text in texts:
        yaml.load(text, Loader=Loader)  # noqa: S506 - a safe loader, libyaml's where it is there
    return time.perf_counter() - start


def estimate_time(jobs: int, areas: int) -> float:
    """Measure the seconds that estimating some jobs takes."""
    total = 0.0
    for i in range(jobs):
        body = spec(i, areas)
        start = time.perf_counter()
        found = estimate(body)
        total += time.perf_counter() - start
        assert found.pu is not None  # noqa: S101 - a benchmark of nothing would be fast
    return total


def main(arguments: list[str]) -> int:
    """Print times and ratios; end with 1 if estimating is the slower of the two."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--jobs", type=int, default=10_000)
    options.add_argument("--areas", type=int, default=50)
    options.add_argument("--parse", type=int, default=100)
    options.add_argument("--distinct", type=int, default=500)
    given = options.parse_args(arguments)
    estimate(spec(0, 1))  # loads shapely, pyproj and tree-sitter
    each = parse_time(given.parse, given.areas) / given.parse
    shared = estimate_time(given.jobs, given.areas) / given.jobs
    distinct = estimate_time(given.distinct, 10**9) / given.distinct
    print(
        f"parse YAML      {1e3 * each:8.2f} ms a job, {each * given.jobs:8.1f} s for {given.jobs:,} (scaled)"
    )
    print(
        f"estimate        {1e3 * shared:8.2f} ms a job, {shared * given.jobs:8.1f} s, {given.areas} areas"
    )
    print(f"                {1e3 * distinct:8.2f} ms a job where every area is another")
    print(f"ratio           {shared / each:8.3f}; {distinct / each:.3f} with distinct areas")
    return int(shared >= each)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
