"""Time `validate` against check-jsonschema: the same manifests, the same schema, one run after the other.

    python benchmarks/validate.py [manifests] [path of check-jsonschema]

check-jsonschema only holds each file against the schema; ours also expands it, reads what it names, and checks it
against all others. Each is a fresh process; the best of three runs counts.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SCHEMA = Path(__file__).parents[1] / "schemas" / "job.schema.json"
RUNS = 3
OURS = "import sys; from shbatch_sync.store.project import load; print(len(load(directory=sys.argv[1]).jobs))"
PROJECT = """apiVersion: shbatch-sync/v1
project: benchmark
targets: {eu: {s3: {iamRoleARN: "arn:aws:iam::000000000000:role/sh"}}}
"""
MANIFEST = """# yaml-language-server: $schema=../../schemas/job.schema.json
apiVersion: shbatch-sync/v1
name: ndvi-%(number)05d
description: Monthly NDVI of field %(number)d
state: started
labels: {crop: wheat, batch: "%(batch)d"}
request:
  processRequest:
    input:
      bounds:
        bbox: [14.0, 45.8, 14.2, 46.0]
        properties: {crs: "http://www.opengis.net/def/crs/OGC/1.3/CRS84"}
      data:
        - type: sentinel-2-l2a
          dataFilter:
            timeRange: {from: "2024-05-01T00:00:00Z", to: "2024-05-31T23:59:59Z"}
            maxCloudCoverage: 70
    output:
      responses:
        - {identifier: default, format: {type: image/tiff}}
    evalscript: {fromFile: ndvi.js}
  input: {type: tiling-grid, id: 0, resolution: 10}
  output:
    type: raster
    cogOutput: true
    delivery: {s3: {url: "s3://bucket/ndvi/%(number)05d/<tileName>/<outputId>.<format>"}}
"""


def write(root: Path, count: int) -> list[str]:
    jobs = root / "jobs"
    jobs.mkdir()
    (root / "shbatch.yaml").write_text(PROJECT)
    (jobs / "ndvi.js").write_text(
        "//VERSION=3\nfunction setup() { return {input: ['B04'], output: {bands: 1}}; }\n"
    )
    paths = [jobs / f"{number:05d}.yaml" for number in range(count)]
    for number, path in enumerate(paths):
        path.write_text(MANIFEST % {"number": number, "batch": number // 100})
    return [str(path) for path in paths]


def best(command: list[str]) -> float:
    times = []
    for _ in range(RUNS):
        begin = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        times.append(time.perf_counter() - begin)
    return min(times)


def _check_jsonschema() -> str | None:
    """Return the one beside this Python, or the first on the PATH."""
    beside = shutil.which("check-jsonschema", path=str(Path(sys.executable).parent))
    return beside or shutil.which("check-jsonschema")


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    other = sys.argv[2] if len(sys.argv) > 2 else _check_jsonschema()
    with tempfile.TemporaryDirectory() as folder:
        paths = write(Path(folder), count)
        ours = best([sys.executable, "-c", OURS, folder])
        print(f"shbatch-sync      {ours:8.2f} s  {ours / count * 1e6:6.0f} µs a manifest")
        if other is None:
            print("check-jsonschema is not installed: no comparison")
            return
        theirs = best([other, "--schemafile", str(SCHEMA), *paths])
        print(f"check-jsonschema  {theirs:8.2f} s  {theirs / count * 1e6:6.0f} µs a manifest")
        print(f"{theirs / ours:.1f} times as fast")


if __name__ == "__main__":
    main()
