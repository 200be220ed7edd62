"""The files that `init` writes."""

from __future__ import annotations

import re
from pathlib import Path

_PROJECT = """\
apiVersion: shbatch-sync/v1
project: {name}
defaultTarget: sandbox
targets:
  # The embedded emulator: no account, no cost, and a clock that runs fast.
  sandbox: {{emulator: .shbatch/sandbox.db, speed: 600}}
  # The real service. Begin its ledger with `shbatch-sync init --target eu`; credentials come from SH_CLIENT_ID and
  # SH_CLIENT_SECRET, or from a profile of sentinelhub's config.toml (`profile: NAME`).
  eu:
    baseUrl: https://services.sentinel-hub.com
    s3: {{iamRoleARN: "arn:aws:iam::123456789012:role/sentinel-hub-delivery"}}
# What is started costs processing units (PU), at least 100 a request, and cannot be taken back. Where the starts of
# one apply may cost more than this together, none of them goes: raise the limit, or pass `--allow cost` once.
policy: {{maxStartPU: {max_start_pu}}}
"""
# Ten of the smallest requests, and a tenth of what a general user of Copernicus Data Space may spend in a month.
MAX_START_PU = 1000

_JOB = """\
apiVersion: shbatch-sync/v1
name: first-ndvi
description: NDVI around Ljubljana, July 2025
state: started
request:
  processRequest:
    input:
      bounds: {bbox: [14.4, 46.0, 14.6, 46.1]}
      data:
        - type: sentinel-2-l2a
          dataFilter:
            timeRange: {from: "2025-07-01T00:00:00Z", to: "2025-07-31T23:59:59Z"}
            mosaickingOrder: leastCC
    output:
      responses: [{identifier: ndvi, format: {type: image/tiff}}]
    evalscript: {fromFile: evalscripts/ndvi.js}
  input: {type: tiling-grid, id: 1, resolution: 10}
  output:
    type: raster
    delivery:
      s3:
        # Who may write there is up to the target: see `s3` in shbatch.yaml.
        url: s3://my-bucket/first-ndvi/<requestId>/<tileName>/<outputId>.<format>
"""

_EVALSCRIPT = """\
//VERSION=3
function setup() {
  return {
    input: ["B04", "B08", "dataMask"],
    output: { id: "ndvi", bands: 1, sampleType: "FLOAT32" },
  };
}

function evaluatePixel(sample) {
  return { ndvi: [sample.dataMask === 1 ? index(sample.B08, sample.B04) : NaN] };
}
"""

_EDITOR = """\
{
  "yaml.schemas": {
    ".shbatch/job.schema.json": "jobs/**/*.yaml",
    ".shbatch/project.schema.json": "shbatch.yaml"
  }
}
"""


def first_files(name: str) -> dict[str, str]:
    """Return path → content of a new project called `name`."""
    from shbatch_sync.store.schemas import schema_text  # noqa: PLC0415

    project = _PROJECT.format(name=name, max_start_pu=MAX_START_PU)
    return {
        "shbatch.yaml": f"# yaml-language-server: $schema=.shbatch/project.schema.json\n{project}",
        "jobs/first-ndvi.yaml": f"# yaml-language-server: $schema=../.shbatch/job.schema.json\n{_JOB}",
        "jobs/evalscripts/ndvi.js": _EVALSCRIPT,
        ".shbatch/job.schema.json": schema_text("job"),
        ".shbatch/project.schema.json": schema_text("project"),
        ".vscode/settings.json": _EDITOR,
    }


def project_name(folder: Path) -> str:
    """Return a valid project name made of a folder's, e.g. `My Crops` → `my-crops`."""
    words = re.sub(r"[^a-z0-9]+", "-", folder.resolve().name.lower()).strip("-")
    return (words if words[:1].isalpha() else f"project-{words}".rstrip("-"))[:32].rstrip("-")
