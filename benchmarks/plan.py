"""A plan without changes against its naive floor, in one run: parse every manifest, then list the account.

    python benchmarks/plan.py [--jobs N] [--live N] [--rounds N]

The floor is what any tool has to do: libyaml over the files, then a bare httpx loop over the pages with json.loads.
Ours does that, and judges every manifest, compares every job and reads every marker. The emulator serves from a
process of its own. Both are processes that begin with nothing loaded, and take turns; figures are the best and the
median of the rounds. Only the ratio means anything, and on a machine with other work the one of processor time.
The bar: 1.3 at 10,000 jobs and 100,000 requests.
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
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


def environment(cache: str) -> dict[str, str]:
    """Modules are compiled once, as in an installed package."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "SH_CLIENT_ID": "a", "SH_CLIENT_SECRET": "b", "PYTHONPYCACHEPREFIX": cache}


def timed(command: list[str], root: Path, env: dict[str, str]) -> tuple[float, float]:
    """Return the seconds a process took, and those of them that the processor worked."""
    begun, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, cwd=root, env=env, capture_output=True, text=True, check=False)
    seconds, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        sys.exit(f"the plan was not empty: {done.stdout[-500:]}{done.stderr[-500:]}")
    worked = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return seconds, worked


def compare(root: Path, url: str, rounds: int) -> dict[str, list[tuple[float, float]]]:
    commands = {
        "floor": [sys.executable, __file__, "--floor", url],
        "plan": [sys.executable, "-m", "shbatch_sync", "plan", "--detailed-exitcode"],
    }
    env = environment(str(root / "pycache"))
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            times[name].append(timed(command, root, env))
    return times


def report(times: dict[str, list[tuple[float, float]]]) -> None:
    figures = {}
    for name, rounds in times.items():
        seconds = [one for one, _ in rounds]
        worked = min(one for _, one in rounds)
        figures[name] = (min(seconds), statistics.median(seconds), worked)
        print(
            f"{name:6} best {min(seconds):7.2f} s  median {figures[name][1]:7.2f} s  processor {worked:7.2f} s"
        )
    ratios = [ours / bare for ours, bare in zip(figures["plan"], figures["floor"], strict=True)]
    print(
        f"ratio  best {ratios[0]:7.2f}    median {ratios[1]:7.2f}    processor {ratios[2]:7.2f}    "
        f"(load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores)"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--jobs", type=int, default=2_000)
    parser.add_argument("--live", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--floor", metavar="URL", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.floor:
        floor(Path.cwd(), options.floor)
        return
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
        env = environment(str(root / "pycache"))
        subprocess.run(apply, cwd=root, env=env, check=True, stdout=subprocess.DEVNULL)
        times = compare(root, url, options.rounds)
    ours.send(None)
    print(f"{options.jobs} jobs, {options.live} requests of others, {options.rounds} rounds")
    report(times)


if __name__ == "__main__":
    main()
