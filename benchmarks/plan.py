"""A plan without changes against its naive floor, in one run: parse every manifest, then list the account.

    python benchmarks/plan.py [--jobs N] [--live N] [--rounds N]

The floor is what any tool has to do: libyaml over the files, then a bare httpx loop over the pages with json.loads.
Ours does that, and judges every manifest, compares every job and reads every marker. The emulator serves from a
process of its own. Figures are the best of the rounds; only the ratio means anything.
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import yaml

EVALSCRIPT = """//VERSION=3
function setup() {
  return { input: ["B04", "B08"], output: { id: "default", bands: 1, sampleType: "FLOAT32" } };
}
function evaluatePixel(s) { return { default: [index(s.B08, s.B04)] }; }
"""
ROLE = "arn:aws:iam::123456789012:role/delivery"
MANIFEST = """apiVersion: shbatch-sync/v1
name: job-{index:05}
description: Field {index}
state: created
request:
  processRequest:
    input:
      bounds:
        geometry:
          type: Polygon
          coordinates: [{ring}]
      data:
        - type: sentinel-2-l2a
          dataFilter: {{timeRange: {{from: "2025-07-01T00:00:00Z", to: "2025-07-31T23:59:59Z"}}}}
    output: {{responses: [{{identifier: default, format: {{type: image/tiff}}}}]}}
    evalscript: {{fromFile: ndvi.js}}
  input: {{type: tiling-grid, id: 1, resolution: 10}}
  output:
    type: raster
    delivery: {{s3: {{url: "s3://fields/{index}/<requestId>/<tileName>/<outputId>.<format>", iamRoleARN: "{role}"}}}}
"""


def write_project(root: Path, url: str, jobs: int) -> None:
    (root / "jobs").mkdir()
    settings = "apiVersion: shbatch-sync/v1\nproject: fields\ndefaultTarget: here\ntargets:\n"
    (root / "shbatch.yaml").write_text(f"{settings}  here: {{baseUrl: '{url}', settle: 0}}\n")
    (root / "jobs" / "ndvi.js").write_text(EVALSCRIPT)
    for index in range(jobs):
        ring = json.dumps(polygon(index))
        (root / "jobs" / f"job-{index:05}.yaml").write_text(
            MANIFEST.format(index=index, ring=ring, role=ROLE)
        )


def polygon(index: int, corners: int = 24) -> list[list[float]]:
    x, y = 10 + (index % 1000) * 0.01, 45 + (index // 1000) * 0.1
    angles = [2 * math.pi * corner / corners for corner in range(corners)]
    ring = [
        [round(x + 0.05 * math.cos(angle), 6), round(y + 0.05 * math.sin(angle), 6)]
        for angle in angles
    ]
    return [*ring, ring[0]]


def serve(live: int, connection: Any) -> None:
    """Serve an account with `live` requests of other people."""
    from shbatch_sync.emulator import Emulator, Options
    from shbatch_sync.emulator.server import serve as listen

    bodies = [foreign(index) for index in range(live)]
    with Emulator(":memory:", Options()) as emulator, listen(emulator) as server:
        emulator.service.seed(bodies)
        connection.send(server.url)
        connection.recv()


def foreign(index: int) -> dict[str, Any]:
    return {
        "processRequest": {
            "input": {
                "bounds": {"geometry": {"type": "Polygon", "coordinates": [polygon(index)]}},
                "data": [{"type": "sentinel-2-l2a"}],
            },
            "output": {"responses": [{"identifier": "default", "format": {"type": "image/tiff"}}]},
            "evalscript": EVALSCRIPT,
        },
        "input": {"type": "tiling-grid", "id": 1, "resolution": 10},
        "output": {
            "type": "raster",
            "delivery": {"s3": {"url": f"s3://theirs/{index}", "iamRoleARN": ROLE}},
        },
        "description": f"somebody else's field {index}",
    }


def floor(root: Path, url: str) -> int:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    for path in sorted((root / "jobs").glob("*.yaml")):
        yaml.load(path.read_bytes(), Loader=loader)  # noqa: S506 - the safe loader, in C
    count, token = 0, None
    with httpx.Client(timeout=60) as client:
        answer = client.post(
            f"{url}/oauth/token",
            data={"grant_type": "client_credentials", "client_id": "a", "client_secret": "b"},
        )
        headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        while True:
            query = {"sort": "created"} | ({"viewtoken": token} if token else {})
            page = json.loads(
                client.get(f"{url}/api/v2/batch/process", params=query, headers=headers).content
            )
            count += len(page["data"])
            token = page["links"].get("nextToken")
            if token is None:
                return count


def plan(root: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "shbatch_sync", "plan", "--detailed-exitcode"],
        cwd=root,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        sys.exit(f"the plan was not empty: {done.stdout[-500:]}{done.stderr[-500:]}")


def environment() -> dict[str, str]:
    return {**os.environ, "SH_CLIENT_ID": "a", "SH_CLIENT_SECRET": "b"}


def best(action: Callable[[], Any], rounds: int) -> float:
    times = []
    for _ in range(rounds):
        begun = time.perf_counter()
        action()
        times.append(time.perf_counter() - begun)
    return min(times)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--jobs", type=int, default=2_000)
    parser.add_argument("--live", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    server = multiprocessing.get_context("spawn").Process(
        target=serve, args=(options.live, theirs), daemon=True
    )
    server.start()
    url = ours.recv()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_project(root, url, options.jobs)
        apply = [sys.executable, "-m", "shbatch_sync", "-q", "apply", "--yes"]
        subprocess.run(apply, cwd=root, env=environment(), check=True, stdout=subprocess.DEVNULL)
        bare = best(lambda: floor(root, url), options.rounds)
        whole = best(lambda: plan(root), options.rounds)
    ours.send(None)
    print(f"{options.jobs} jobs, {options.live} requests of others, best of {options.rounds}")
    print(f"floor (libyaml, bare listing)  {bare:7.2f} s")
    print(f"plan without changes           {whole:7.2f} s   {whole / bare:.2f} x the floor")


if __name__ == "__main__":
    main()
