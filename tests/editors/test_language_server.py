"""The schemas work in an editor: yaml-language-server completes and complains where a manifest is wrong.

The server comes from npm (`npm install yaml-language-server`) and is looked for in `node_modules` beside the tests'
repository, or where YAML_LANGUAGE_SERVER says. Nothing is installed here; without it, or without node, these tests
are skipped.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
SERVER = Path(
    os.environ.get("YAML_LANGUAGE_SERVER")
    or REPOSITORY / "node_modules" / "yaml-language-server" / "bin" / "yaml-language-server"
)
NODE = shutil.which("node")
PATIENCE = 60
pytestmark = pytest.mark.skipif(
    NODE is None or not SERVER.is_file(), reason="node or yaml-language-server is not here"
)

JOB = """# yaml-language-server: $schema=./job.schema.json
apiVersion: shbatch-sync/v1
name: ndvi
state: created
request:
  processRequest:
    input:
      bounds: {bbox: [14.4, 46.0, 14.6, 46.1]}
      data:
        - type: sentinel-2-l2a
          dataFilter:
            timeRange: {from: "2025-07-01T00:00:00Z", to: "2025-07-31T23:59:59Z"}
    output: {responses: [{identifier: default, format: {type: image/tiff}}]}
    evalscript: {fromFile: ndvi.js}
  input: {type: tiling-grid, id: 0, resolution: 10}
  output:
    type: raster
    delivery: {s3: {url: "s3://results/<tileName>/<outputId>.<format>"}}
"""


class Server:
    """A language server, spoken to as an editor does."""

    def __init__(self, process: subprocess.Popen[bytes], root: Path) -> None:
        self._process = process
        self._root = root
        self._last = 0
        self._ask("initialize", {"processId": None, "rootUri": root.as_uri(), "capabilities": {}})
        self._tell("initialized", {})
        settings = {
            "yaml": {"validate": True, "completion": True, "schemaStore": {"enable": False}}
        }
        self._tell("workspace/didChangeConfiguration", {"settings": settings})

    def open(self, name: str, text: str) -> list[dict[str, Any]]:
        """Open a file, and return what the server has against it."""
        uri = (self._root / name).as_uri()
        document = {"uri": uri, "languageId": "yaml", "version": 1, "text": text}
        self._tell("textDocument/didOpen", {"textDocument": document})
        while True:
            message = self._read()
            if message.get("method") == "textDocument/publishDiagnostics":
                if message["params"]["uri"] == uri:
                    found: list[dict[str, Any]] = message["params"]["diagnostics"]
                    return found
            else:
                self._serve(message)

    def complete(self, name: str, line: int, character: int) -> list[str]:
        """Return what may stand at a place, counted from 0."""
        position = {"line": line, "character": character}
        document = {"uri": (self._root / name).as_uri()}
        answer = self._ask(
            "textDocument/completion", {"textDocument": document, "position": position}
        )
        items = answer["items"] if isinstance(answer, dict) else answer
        return [item["label"] for item in items]

    def hover(self, name: str, line: int, character: int) -> str:
        """Return what is said about a place, counted from 0."""
        position = {"line": line, "character": character}
        document = {"uri": (self._root / name).as_uri()}
        answer = self._ask("textDocument/hover", {"textDocument": document, "position": position})
        return json.dumps(answer)

    def _ask(self, method: str, params: Any) -> Any:
        self._last += 1
        number = self._last
        self._send({"id": number, "method": method, "params": params})
        while True:
            message = self._read()
            if message.get("id") == number and "method" not in message:
                assert "error" not in message, message
                return message["result"]
            self._serve(message)

    def _serve(self, message: dict[str, Any]) -> None:
        """Answer a question of the server's: an editor without settings of its own."""
        if "method" in message and "id" in message:
            items = (message.get("params") or {}).get("items", [])
            result: Any = (
                [None] * len(items) if message["method"] == "workspace/configuration" else None
            )
            self._send({"id": message["id"], "result": result})

    def _tell(self, method: str, params: Any) -> None:
        self._send({"method": method, "params": params})

    def _send(self, message: dict[str, Any]) -> None:
        content = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self._process.stdin is not None
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(content), content))
        self._process.stdin.flush()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        length = 0
        while (header := self._process.stdout.readline()) not in (b"\r\n", b""):
            name, _, value = header.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        assert length, "the server has ended"
        message: dict[str, Any] = json.loads(self._process.stdout.read(length))
        return message


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    for name in ("job", "project"):
        shutil.copy(REPOSITORY / "schemas" / f"{name}.schema.json", tmp_path)
    assert NODE is not None
    with subprocess.Popen(
        [NODE, str(SERVER), "--stdio"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=tmp_path,
    ) as process:
        # A server that has gone silent is ended, which ends the reading too.
        watch = threading.Timer(PATIENCE, process.kill)
        watch.start()
        try:
            yield Server(process, tmp_path)
        finally:
            watch.cancel()
            process.kill()


def place(text: str, words: str) -> tuple[int, int]:
    """Return line and column behind the first `words`, counted from 0."""
    before = text[: text.index(words) + len(words)]
    return before.count("\n"), len(before) - before.rfind("\n") - 1


def test_a_sound_manifest_has_nothing_against_it(server: Server) -> None:
    assert server.open("job.yaml", JOB) == []


@pytest.mark.parametrize(
    ("right", "wrong", "words"),
    [
        ("state: created", "state: cretaed", "created"),
        ("name: ndvi\n", "name: ndvi\ncolour: blue\n", "colour"),
        ("resolution: 10", "resolution: [10]", "Incorrect type"),
    ],
)
def test_a_mistake_is_marked_where_it_stands(
    server: Server, right: str, wrong: str, words: str
) -> None:
    text = JOB.replace(right, wrong)
    found = server.open("job.yaml", text)
    assert found
    assert any(words in one["message"] for one in found), found
    line, _ = place(text, wrong.rstrip("\n"))
    assert line in {one["range"]["start"]["line"] for one in found}


def test_values_and_keys_are_completed(server: Server) -> None:
    text = JOB.replace("state: created", "state: ").replace(
        "    type: raster\n", "    type: raster\n    \n"
    )
    server.open("job.yaml", text)
    states = server.complete("job.yaml", *place(text, "state: "))
    assert {"created", "analysed", "started", "stopped"} <= set(states)
    keys = server.complete("job.yaml", *place(text, "type: raster\n    "))
    assert {"overwrite", "skipExisting", "cogOutput"} <= set(keys)


def test_keys_at_the_top_are_completed_and_explained(server: Server) -> None:
    text = JOB + "\n"
    server.open("job.yaml", text)
    keys = server.complete("job.yaml", text.count("\n"), 0)
    assert {"matrix", "description", "dependsOn", "generation", "adopt"} <= set(keys)
    assert "analysed cost nothing" in server.hover("job.yaml", *place(text, "sta"))


def test_the_project_file_is_checked_too(server: Server) -> None:
    head = "# yaml-language-server: $schema=./project.schema.json\napiVersion: shbatch-sync/v1\n"
    assert server.open("shbatch.yaml", f"{head}project: crops\n") == []
    [found] = server.open("other.yaml", f"{head}project: Crops\n")
    assert found["range"]["start"]["line"] == 2
