"""Small runners: the steps of a composite action and the jobs of a GitLab pipeline, as the forges would run them."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml

_TOKEN = re.compile(r"\s*('(?:[^']|'')*'|&&|\|\||==|!=|!|\(|\)|[\w.-]+\(\)|[\w.-]+)")


class Expression:
    """GitHub's expressions, as far as the action uses them: names, texts, ==, !=, &&, ||, !, always()."""

    def __init__(self, text: str, names: dict[str, Any]) -> None:
        self._tokens = _TOKEN.findall(text)
        self._names = names
        assert "".join(self._tokens) == re.sub(r"\s+(?=(?:[^']*'[^']*')*[^']*$)", "", text), text

    def value(self) -> Any:
        left = self._both()
        while self._tokens and self._tokens[0] == "||":
            self._tokens.pop(0)
            right = self._both()
            left = left or right
        return left

    def _both(self) -> Any:
        left = self._compared()
        while self._tokens and self._tokens[0] == "&&":
            self._tokens.pop(0)
            right = self._compared()
            left = left and right
        return left

    def _compared(self) -> Any:
        left = self._one()
        if self._tokens and self._tokens[0] in ("==", "!="):
            same = self._tokens.pop(0) == "=="
            return (str(left or "") == str(self._one() or "")) is same
        return left

    def _one(self) -> Any:
        token = self._tokens.pop(0)
        if token == "!":
            return not self._one()
        if token == "(":
            value = self.value()
            assert self._tokens.pop(0) == ")"
            return value
        if token.startswith("'"):
            return token[1:-1].replace("''", "'")
        if token == "always()":
            return True
        value: Any = self._names
        for part in token.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        return value


def filled(text: str, names: dict[str, Any]) -> str:
    """Replace the expressions in a text."""

    def one(match: re.Match[str]) -> str:
        value = Expression(match[1].strip(), names).value()
        return {True: "true", False: "false", None: ""}.get(value, str(value))

    return re.sub(r"\$\{\{(.*?)\}\}", one, text)


@dataclass
class Job:
    """What one run of the action, or of a job, did."""

    log: str = ""
    summary: str = ""
    failed: bool = False
    code: int = 0
    outputs: dict[str, str] = field(default_factory=dict)
    steps: list[str] = field(default_factory=list)


class Tools:
    """Programs of a test's own, found before all others: a `sleep` that takes no time, a `pip` that does nothing."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._slept = folder / "slept"
        self.add("sleep", f'echo "$1" >> {shlex.quote(str(self._slept))}')
        self.add("pip", "true")

    def add(self, name: str, script: str) -> None:
        path = self.folder / name
        path.write_text(f"#!/usr/bin/env bash\n{script}\n")
        path.chmod(0o755)

    @property
    def slept(self) -> list[str]:
        """How long every `sleep` was to last."""
        return self._slept.read_text().split() if self._slept.exists() else []

    def path(self) -> str:
        return os.pathsep.join(
            [str(self.folder), str(Path(sys.executable).parent), os.environ["PATH"]]
        )


def machine(home: Path) -> dict[str, str]:
    """Return the environment of a machine on which nobody has told git who they are."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("GIT_") and name != "EMAIL"
    }
    return {
        **kept,
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home),
        "GIT_CONFIG_NOSYSTEM": "1",
        # As where the machine's name is none that git would make an address of.
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "user.useConfigOnly",
        "GIT_CONFIG_VALUE_0": "true",
    }


def bash(script: str, folder: Path, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a script as both forges do."""
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


class Pipeline:
    """Runs the jobs of a GitLab pipeline: one shell for what is before a script and the script, one for what is after."""

    def __init__(self, text: str, env: dict[str, str], tools: Tools) -> None:
        self.jobs = yaml.safe_load(text)
        self._env = {**env, "PATH": tools.path()}

    def __call__(self, name: str, checkout: Path, *, cancelled_before: str = "") -> Job:
        """Run a job; `cancelled_before` is the beginning of the line of its script that it does not come to."""
        given = {**self.jobs[self.jobs[name]["extends"]], **self.jobs[name]}
        lines = [*given["before_script"], *given["script"]]
        if cancelled_before:
            end = next(n for n, line in enumerate(lines) if line.startswith(cancelled_before))
            lines = [*lines[:end], "exit 1"]
        env = {**self._env, "CI_PROJECT_DIR": str(checkout)}
        done = bash("\n".join(lines), checkout, {**env, "CI_JOB_STATUS": "running"})
        job = Job(done.stdout + done.stderr, failed=done.returncode != 0, code=done.returncode)
        status = "canceled" if cancelled_before else "failed" if job.failed else "success"
        after = bash(
            "\n".join(given.get("after_script", [])), checkout, {**env, "CI_JOB_STATUS": status}
        )
        job.log += f"[after]\n{after.stdout}{after.stderr}"
        return job


class Runner:
    """Runs the action in a checkout."""

    def __init__(self, action: Path, temp: Path, env: dict[str, str], tools: Tools) -> None:
        self.action = yaml.safe_load(action.read_text())
        self._temp = temp
        self._env = {**env, "PATH": tools.path()}

    def __call__(self, checkout: Path, event: dict[str, Any], **inputs: str) -> Job:
        defaults = {name: given.get("default", "") for name, given in self.action["inputs"].items()}
        temp = self._temp / str(len(list(self._temp.iterdir())))
        temp.mkdir()
        (temp / "event.json").write_text(json.dumps(event))
        github = {
            "event": event,
            "actor": event.get("actor", "a-person"),
            "token": "forge-token-nobody-may-see",
        }
        names: dict[str, Any] = {"github": github, "steps": {}}
        given = {"package": "none", **inputs}
        assert given.keys() <= defaults.keys() | {"package"}
        names["inputs"] = {
            name.replace("_", "-"): filled(value, names)
            for name, value in {**defaults, **given}.items()
        }
        job = Job()
        for step in self.action["runs"]["steps"]:
            self._step(step, names, job, checkout, temp)
        for name, output in self.action["outputs"].items():
            job.outputs[name] = filled(output["value"], names)
        job.summary = (temp / "summary").read_text() if (temp / "summary").exists() else ""
        return job

    def _step(
        self, step: dict[str, Any], names: dict[str, Any], job: Job, checkout: Path, temp: Path
    ) -> None:
        condition = step.get("if", "")
        wanted = bool(Expression(condition, names).value()) if condition else True
        if not wanted or (job.failed and "always()" not in condition):
            return
        job.steps.append(step["name"])
        assert step["shell"] == "bash"
        assert "${{" not in step["run"], "expressions must not become text of a script"
        output = temp / f"output-{len(job.steps)}"
        output.touch()
        env = {
            **self._env,
            **{name: filled(value, names) for name, value in step.get("env", {}).items()},
            "GITHUB_OUTPUT": str(output),
            "GITHUB_STEP_SUMMARY": str(temp / "summary"),
            "GITHUB_EVENT_PATH": str(temp / "event.json"),
            "RUNNER_TEMP": str(temp),
            "CI": "true",
        }
        done = bash(step["run"], checkout, env)
        job.log += f"[{step['name']}]\n{done.stdout}{done.stderr}"
        job.failed = job.failed or done.returncode != 0
        pairs = (line.partition("=") for line in output.read_text().splitlines())
        names["steps"][step.get("id", step["name"])] = {
            "outputs": {key: value for key, _, value in pairs}
        }


class Comments:
    """A stand-in for the comment API of a forge, on this machine's loopback."""

    def __init__(self) -> None:
        self.comments: list[dict[str, Any]] = []
        self.calls: list[tuple[str, str, str]] = []
        self.refuse = False
        self.me: dict[str, Any] | None = None
        self.author: dict[str, Any] = {"login": "github-actions[bot]", "type": "Bot"}
        self.url = ""

    def answer(self, method: str, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        plain, _, query = path.partition("?")
        if plain.endswith("/user"):
            return (
                (200, self.me)
                if self.me
                else (403, {"message": "Resource not accessible by integration"})
            )
        if self.refuse:
            return 403, {"message": "Resource not accessible by integration"}
        if method == "GET":
            page = int(re.search(r"[?&]page=(\d+)", f"?{query}")[1])  # type: ignore[index]
            return 200, self.comments[(page - 1) * 100 : page * 100]
        if method == "POST":
            made = {
                "id": len(self.comments) + 1,
                "html_url": f"https://forge/{len(self.comments) + 1}",
            }
            made |= {"user": self.author, "author": self.author, **body}
            self.comments.append(made)
            return 201, made
        (known,) = [one for one in self.comments if str(one["id"]) == plain.rpartition("/")[2]]
        known.update(body)
        return 200, known

    @contextmanager
    def serve(self) -> Iterator[Comments]:
        api = self

        class Handler(BaseHTTPRequestHandler):
            disable_nagle_algorithm = True

            def _handle(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(length)) if length else {}
                token = self.headers.get("Authorization") or self.headers.get("PRIVATE-TOKEN") or ""
                api.calls.append((self.command, self.path, token))
                status, answer = api.answer(self.command, self.path, body)
                data = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PATCH = do_PUT = _handle  # noqa: N815 - http.server's names

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                pass

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            self.url = f"http://127.0.0.1:{server.server_port}"
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
            thread.start()
            try:
                yield self
            finally:
                server.shutdown()
                thread.join()
