"""A user's folder, and the program as a user calls it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from shbatch_sync.cli.main import run

EVALSCRIPT = """//VERSION=3
function setup() {
  return { input: ["B04", "B08"], output: { id: "default", bands: 1, sampleType: "FLOAT32" } };
}
function evaluatePixel(s) {
  return { default: [index(s.B08, s.B04)] };
}
"""
ROLE = "arn:aws:iam::123456789012:role/delivery"


@dataclass
class Answer:
    """What one call of the program printed and ended with."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Folder:
    """A project folder of a user."""

    def __init__(self, root: Path, capfd: pytest.CaptureFixture[str]) -> None:
        self.root = root
        self._capfd = capfd

    def write(self, name: str, text: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def settings(
        self,
        targets: str = "  sandbox: {emulator: .shbatch/sandbox.db, speed: 600}\n",
        more: str = "",
    ) -> None:
        self.write(
            "shbatch.yaml",
            f"apiVersion: shbatch-sync/v1\nproject: crops\ndefaultTarget: sandbox\ntargets:\n{targets}{more}",
        )

    def job(
        self, name: str = "ndvi", *, more: str = "", state: str = "started", resolution: float = 10
    ) -> Path:
        """Declare a job in a manifest of its own; `more` are further top-level lines."""
        self.write("jobs/ndvi.js", EVALSCRIPT)
        return self.write(
            f"jobs/{name}.yaml",
            f"""apiVersion: shbatch-sync/v1
name: {name}
state: {state}
{more}
request:
  processRequest:
    input:
      bounds: {{bbox: [14.4, 46.0, 14.6, 46.1]}}
      data:
        - type: sentinel-2-l2a
          dataFilter: {{timeRange: {{from: "2025-07-01T00:00:00Z", to: "2025-07-31T23:59:59Z"}}}}
    output: {{responses: [{{identifier: default, format: {{type: image/tiff}}}}]}}
    evalscript: {{fromFile: ndvi.js}}
  input: {{type: tiling-grid, id: 0, resolution: {resolution}}}
  output:
    type: raster
    delivery: {{s3: {{url: "s3://results/{name}/<requestId>/<tileName>/<outputId>.<format>", iamRoleARN: "{ROLE}"}}}}
""",
        )

    def __call__(self, *arguments: str) -> Answer:
        """Call the program in this process."""
        self._capfd.readouterr()
        code = run(["-C", str(self.root), *arguments])
        out, err = self._capfd.readouterr()
        assert "Traceback" not in out + err
        return Answer(int(code), out, err)

    def process(
        self, *arguments: str, env: dict[str, str] | None = None, stdin: str | None = None
    ) -> Answer:
        """Call the program in a process of its own."""
        done = subprocess.run(
            [sys.executable, "-m", "shbatch_sync", *arguments],
            cwd=self.root,
            env={**os.environ, **(env or {})},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert "Traceback" not in done.stdout + done.stderr
        return Answer(done.returncode, done.stdout, done.stderr)

    def requests(self, *arguments: str) -> list[dict[str, Any]]:
        """Return what `status --format json` says of every job."""
        jobs: list[dict[str, Any]] = self("status", "--format", "json", *arguments).json["jobs"]
        return jobs


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Whatever the machine's environment says, a test begins without it."""
    for name in list(os.environ):
        if name.startswith(("SH_", "SHBATCH_")) and name != "SHBATCH_CORPUS":
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("config")))
    monkeypatch.setenv("CI", "true")


@pytest.fixture
def folder(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Folder:
    made = Folder(tmp_path, capfd)
    made.settings()
    return made
