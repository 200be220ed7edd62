"""Golden files: what every command prints in every format, over one story. `pytest --update-golden` writes them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.conftest import EVALSCRIPT, Folder

GOLDEN = Path(__file__).parents[1] / "golden"
Call = tuple[str, tuple[str, ...]]

FAST = "  sandbox: {emulator: .shbatch/sandbox.db, speed: 600}\n"
SLOW = "  sandbox: {emulator: .shbatch/sandbox.db, speed: 0.1}\n"
POLICY = "policy: {maxStartPU: 5000}\n"
# One call after the other, so that they come in one order.
ONE = ("--parallelism", "1")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_TIME = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|\+00:00)?)?")
_NONCE = re.compile(r'(nonce"?:? ?"?|[0-9a-f]{12},)[a-z2-7]{8}\b')
_TOOK = re.compile(r" +\d+ min| +\d+h\d\d")
_SECONDS = re.compile(r'("seconds": |,<nonce>,,)\d+')
_SHA256 = re.compile(r"\b[0-9a-f]{64}\b")


class Scrubber:
    """Replaces what differs from run to run; one id keeps one name."""

    def __init__(self, root: Path) -> None:
        self._root = str(root)
        self._ids: dict[str, str] = {}

    def __call__(self, text: str) -> str:
        text = text.replace(self._root, "<folder>")
        text = _TOOK.sub("   <took>", _UUID.sub(self._name, text))
        for request_id in self._ids:
            text = text.replace(request_id[:8], "<id>")
        text = _NONCE.sub(r"\1<nonce>", _SHA256.sub("<digest>", text))
        text = _SECONDS.sub(r"\1<seconds>", text)
        # What the manifests say themselves stays as it is.
        return _TIME.sub(
            lambda match: match[0] if match[0].startswith("2025-07") else "<time>", text
        )

    def _name(self, match: re.Match[str]) -> str:
        if match[0].startswith("00000000-"):
            return match[0]
        return self._ids.setdefault(match[0], f"<id-{len(self._ids) + 1}>")


def story(folder: Folder) -> Iterator[Call]:
    """Let time pass for a project, and yield what to call on the way: name of the file, arguments."""
    yield from beginning(folder)
    edit(folder)
    yield from every_format()
    yield from saved(folder)
    yield from broken(folder)


def beginning(folder: Folder) -> Iterator[Call]:
    folder.settings(FAST, POLICY)
    folder.job("august", state="created", more="description: August")
    folder.job("july", more="description: July\nlabels: {season: summer}")
    folder.job("shape", state="created")
    folder.job("gone", state="created")
    yield "01-validate", ("validate",)
    yield "02-plan-first", ("plan",)
    yield "03-apply-first", ("-q", "apply", "--yes", "--wait", *ONE)


def edit(folder: Folder) -> None:
    (folder.root / "jobs" / "gone.yaml").unlink()
    folder.write("jobs/other.js", EVALSCRIPT.replace("index(s.B08, s.B04)", "s.B08 - s.B04"))
    folder.job("august", state="created", more="description: August 2025")
    folder.job("dear", more="maxPU: 1")
    folder.job("july", resolution=20, more="description: July\nlabels: {season: summer}")
    folder.job("later", more="dependsOn: [dear]")
    path = folder.job("shape", state="created")
    ring = "[[14.4, 46.0], [14.6, 46.0], [14.6, 46.1], [14.4, 46.0]]"
    text = path.read_text().replace("ndvi.js", "other.js")
    path.write_text(
        text.replace(
            "bbox: [14.4, 46.0, 14.6, 46.1]", f"geometry: {{type: Polygon, coordinates: [{ring}]}}"
        )
    )


def every_format() -> Iterator[Call]:
    for command, formats in {
        "validate": ("text", "json", "github", "sarif"),
        "plan": ("text", "json", "markdown"),
        "status": ("text", "json"),
        "estimate": ("text", "json", "markdown"),
        "render": ("yaml", "json"),
        "history": ("text", "json", "csv"),
        "grids": ("text", "json"),
    }.items():
        for style in formats:
            yield f"04-{command}-{style}", (command, "--format", style)


def saved(folder: Folder) -> Iterator[Call]:
    yield "05-plan-out", ("-q", "plan", "--out", "plan.json", "--allow", "replace")
    for style in ("text", "json", "markdown"):
        yield f"06-show-{style}", ("show", "plan.json", "--format", style)
    folder.job("new", state="created")
    yield "07-apply-stale", ("apply", "plan.json")
    yield "08-apply-stale-json", ("apply", "plan.json", "--format", "json")
    (folder.root / "jobs" / "new.yaml").unlink()
    folder.settings(SLOW, POLICY)
    yield "09-apply-json", ("-q", "apply", "plan.json", "--format", "json", *ONE)
    folder.settings(FAST, POLICY)
    rest = folder("apply", "plan.json", "--wait", "--poll", "0.1")
    assert "2 in sync" in rest.out, rest.err
    yield (
        "10-apply-text",
        ("-q", "apply", "--yes", "--wait", "--poll", "0.1", "--allow", "cost", *ONE),
    )
    yield "11-status-verbose", ("-v", "status")
    yield "11-history-job", ("history", "--job", "july")
    yield "11-repair", ("repair",)
    yield "11-import-all", ("import", "--all")
    yield "11-init", ("init", "-C", "fresh", "--project", "fresh")
    yield "11-init-ledger", ("init", "--target", "sandbox")


def broken(folder: Folder) -> Iterator[Call]:
    folder.write("jobs/bad.yaml", "apiVersion: shbatch-sync/v1\nnmae: bad\nstate: stared\n")
    for style in ("text", "json", "github", "sarif"):
        yield f"12-validate-bad-{style}", ("validate", "--format", style)
    yield "13-plan-bad", ("plan",)


def test_what_every_command_prints(folder: Folder, request: pytest.FixtureRequest) -> None:
    update = request.config.getoption("--update-golden")
    scrub = Scrubber(folder.root)
    written: set[str] = set()
    different: list[str] = []
    for name, arguments in story(folder):
        answer = folder(*arguments)
        text = scrub(
            f"$ shbatch-sync {' '.join(arguments)}\n{answer.out}[stderr]\n{answer.err}[exit {answer.code}]\n"
        )
        path = GOLDEN / f"{name}.txt"
        written.add(path.name)
        if update:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        known = path.read_text(encoding="utf-8") if path.exists() else ""
        lines = difflib.unified_diff(
            known.splitlines(), text.splitlines(), f"golden/{path.name}", "now", lineterm=""
        )
        different += list(lines)
    assert not different, "\n".join(different)
    left = {path.name for path in GOLDEN.glob("*.txt")} - written
    if update:
        for name in left:
            (GOLDEN / name).unlink()
    else:
        assert not left, "golden files that nothing prints any more"
