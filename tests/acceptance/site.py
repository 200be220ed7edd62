"""A forge's repository, the service and the machines of its jobs, for the tests of the merge hooks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from shbatch_sync.emulator import Emulator, Options
from shbatch_sync.emulator.server import serve
from tests.acceptance.conftest import Folder
from tests.acceptance.runner import Comments, Runner, Tools, machine
from tests.acceptance.test_reviews import git

ACTION = Path(__file__).parents[2] / "action.yml"
SECRET = "a-secret-nobody-may-see"


class Site:
    """A forge's repository, the service, and the machines that jobs run on."""

    def __init__(
        self, folder: Folder, temp: Path, emulator: Emulator, url: str, comments: Comments
    ) -> None:
        self.folder = folder
        self.emulator = emulator
        self.url = url
        self.comments = comments
        self._temp = temp
        self.origin = temp / "origin.git"
        for name in ("jobs", "home", "tools"):
            (temp / name).mkdir()
        git(temp, "init", "-q", "--bare", "origin.git")
        git(folder.root, "init", "-q")
        git(folder.root, "remote", "add", "origin", f"file://{self.origin}")
        self.tools = Tools(temp / "tools")
        self.machine = machine(temp / "home")
        env = {
            **self.machine,
            "GITHUB_API_URL": comments.url,
            "GITHUB_REPOSITORY": "acme/crops",
            "GITHUB_REF_NAME": "main",
            "SH_CLIENT_ID": "an-id",
            "SH_CLIENT_SECRET": SECRET,
        }
        self.run = Runner(ACTION, temp / "jobs", env, self.tools)
        without = {key: "" if key.startswith("SH_") else value for key, value in env.items()}
        self.run_without_secrets = Runner(ACTION, temp / "jobs", without, self.tools)

    def push(self, message: str, branch: str = "main") -> None:
        git(self.folder.root, "add", "-A")
        git(self.folder.root, "commit", "-q", "-m", message)
        if git(self.origin, "branch", "--list", branch):
            git(self.folder.root, "pull", "-q", "--rebase", "origin", branch)
        git(self.folder.root, "push", "-q", "origin", f"HEAD:{branch}")

    def checkout(self, branch: str, depth: int | None = 1) -> Path:
        """Clone as a job does: the newest commit only, unless asked otherwise."""
        place = self._temp / f"checkout-{len(list(self._temp.iterdir()))}"
        options = ["--depth", str(depth)] if depth else []
        git(
            self._temp,
            "clone",
            "-q",
            *options,
            "--branch",
            branch,
            f"file://{self.origin}",
            place.name,
        )
        return place

    def tasks(self) -> list[dict[str, Any]]:
        return self.emulator.service.tasks()


@contextmanager
def opened(folder: Folder, temp: Path, speed: float = 600) -> Iterator[Site]:
    """Give a site with one job that is declared and nothing that is done."""
    comments = Comments()
    with (
        Emulator(":memory:", Options(speed=speed)) as emulator,
        serve(emulator) as server,
        comments.serve(),
    ):
        made = Site(folder, temp, emulator, server.url, comments)
        folder.settings(f"  sandbox: {{baseUrl: '{server.url}', settle: 0}}\n")
        folder.write(".gitattributes", ".shbatch/ledger.jsonl merge=union\n")
        folder.job("ndvi")
        made.push("first")
        yield made
