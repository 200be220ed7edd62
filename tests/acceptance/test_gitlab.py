"""The GitLab template: its own lines against the emulator, in a real repository that others push to."""

from __future__ import annotations

import base64
import shlex
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from shbatch_sync.cli.ci_files import GITLAB, ci_files
from tests.acceptance.conftest import Folder
from tests.acceptance.runner import Job, Pipeline
from tests.acceptance.site import SECRET, Site, opened
from tests.acceptance.test_reviews import git

LEDGER = ".shbatch/ledger.jsonl"
TOKEN = "forge-token-nobody-may-see"
WORDS = (
    "ERROR: the ledger could not be pushed to main: may this job write to it? "
    "Without it, the next run does not know what was paid for."
)


@pytest.fixture
def site(folder: Folder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with opened(folder, tmp_path_factory.mktemp("site")) as made:
        (folder.root / ".gitattributes").unlink()
        yield made


def program(site: Site, *, line: str = "ours", code: int = 0, ledger: str = LEDGER) -> None:
    """Put a program in place of ours: its apply writes a line into the ledger and ends with a code."""
    path = shlex.quote(ledger)
    site.tools.add(
        "shbatch-sync",
        f"""if [ "$1" != apply ]; then exit 0; fi
mkdir -p "$(dirname {path})"
echo {line} >> {path}
exit {code}""",
    )


def checkout(site: Site) -> Path:
    """Check out as GitLab's runner does: a commit, no branch, and little of what was before."""
    place = site.checkout("main")
    git(place, "checkout", "-q", "--detach")
    return place


def run(
    site: Site,
    place: Path,
    *,
    ledger: str | None = LEDGER,
    directory: str = ".",
    url: str = "",
    before: str = "",
) -> Job:
    """Run the job that applies, in a checkout; `before` is where it is cancelled."""
    env = {
        **site.machine,
        "CI_COMMIT_BRANCH": "main",
        "CI_COMMIT_SHA": git(place, "rev-parse", "HEAD").strip(),
        "CI_PROJECT_URL": url or f"file://{site.origin.with_suffix('')}",
        "SHBATCH_FORGE_TOKEN": TOKEN,
        "SH_CLIENT_ID": "an-id",
        "SH_CLIENT_SECRET": SECRET,
    }
    text = ci_files("gitlab", target="sandbox", ledger=ledger, directory=directory)[GITLAB]
    job = Pipeline(text, env, site.tools)("shbatch-sync apply", place, cancelled_before=before)
    assert TOKEN not in job.log
    assert SECRET not in job.log
    return job


def kept(site: Site, path: str = LEDGER) -> list[str]:
    """Return the lines of the ledger that the forge has."""
    if not git(site.origin, "ls-tree", "main", path):
        return []
    return git(site.origin, "show", f"main:{path}").splitlines()


def test_the_ledger_is_kept_although_others_push_meanwhile(site: Site) -> None:
    place = checkout(site)
    site.folder.write(LEDGER, "their line\n")
    site.push("another apply")
    job = run(site, place)
    assert job.code == 0, job.log
    assert len(site.tasks()) == 1
    lines = kept(site)
    assert "their line" in lines
    assert any('"event":"start"' in line for line in lines)
    assert git(site.origin, "log", "-1", "--format=%s|%an|%cn", "main").split("|") == [
        "Ledger of shbatch-sync [skip ci]",
        "shbatch-sync",
        "shbatch-sync\n",
    ]
    assert site.tools.slept == ["1"]


def test_a_gate_is_what_the_job_ends_with(site: Site) -> None:
    site.folder.job("ndvi", more="maxPU: 1")
    site.push("a limit")
    job = run(site, checkout(site))
    assert job.code == 3, job.log
    assert any('"event":"created"' in line for line in kept(site))


@pytest.mark.parametrize(
    ("code", "template", "written"),
    [
        (0, LEDGER, LEDGER),
        (4, "it's the ledger.jsonl", "it's the ledger.jsonl"),
        (0, LEDGER, "elsewhere.jsonl"),
        (3, LEDGER, f"{LEDGER}/no-file"),
        (0, None, LEDGER),
        (1, None, LEDGER),
    ],
)
def test_the_applys_own_code_is_what_the_job_ends_with(
    site: Site, code: int, template: str | None, written: str
) -> None:
    program(site, code=code, ledger=written)
    job = run(site, checkout(site), ledger=template)
    assert job.code == code, job.log
    assert kept(site, written) == (["ours"] if template == written else [])
    assert site.tools.slept == []


def test_a_project_below_the_top(site: Site) -> None:
    site.folder.write("deep/er/README.md", "words")
    site.push("deeper")
    program(site)
    place = checkout(site)
    (place / ".gitignore").write_text(".shbatch/\n")
    (place / "deep" / "er" / "README.md").write_text("other words")
    site.folder.write("README.md", "words")
    site.push("somebody else")
    job = run(site, place, directory="deep/er")
    assert job.code == 0, job.log
    assert kept(site, f"deep/er/{LEDGER}") == ["ours"]
    assert git(site.origin, "show", "main:deep/er/README.md") == "words"


def test_what_is_there_already_is_not_pushed_again(site: Site) -> None:
    site.folder.write(LEDGER, "old\n")
    site.push("the ledger")
    before = git(site.origin, "rev-parse", "main")
    site.tools.add("shbatch-sync", "true")
    job = run(site, checkout(site), url="file:///nowhere")
    assert job.code == 0, job.log
    assert git(site.origin, "rev-parse", "main") == before


def test_it_tries_five_times(site: Site) -> None:
    count = site.origin / "count"
    hook = site.origin / "hooks" / "pre-receive"
    hook.write_text(f"#!/bin/sh\necho x >> {count}\n[ $(wc -l < {count}) -ge 5 ]\n")
    hook.chmod(0o755)
    program(site)
    job = run(site, checkout(site))
    assert job.code == 0, job.log
    assert site.tools.slept == ["1", "2", "4", "8"]
    assert kept(site) == ["ours"]


@pytest.mark.parametrize("code", [0, 3])
def test_a_ledger_that_cannot_be_pushed_is_an_error(site: Site, code: int) -> None:
    program(site, code=code)
    with refusing() as (url, tokens):
        job = run(site, checkout(site), url=url)
    assert job.code == 1
    assert WORDS in job.log.split("[after]")[0]
    assert site.tools.slept[:5] == ["1", "2", "4", "8", "0"]
    assert set(tokens) == {f"oauth2:{TOKEN}"}


def test_a_conflict_does_not_end_the_tries(site: Site) -> None:
    """Somebody made a folder of the ledger's path: no merge can keep both."""
    program(site)
    place = checkout(site)
    site.folder.write(f"{LEDGER}/oops", "x")
    site.push("a folder")
    job = run(site, place)
    assert job.code == 1
    assert WORDS in job.log
    assert (place / LEDGER).read_text() == "ours\n"


def test_a_job_that_is_cancelled_keeps_what_was_written(site: Site) -> None:
    program(site)
    place = checkout(site)
    job = run(site, place, before="forge_git")
    assert job.code == 1
    assert kept(site) == ["ours"]


@contextmanager
def refusing() -> Iterator[tuple[str, list[str]]]:
    """Serve a forge that asks who somebody is and then lets nobody write."""
    seen: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            given = self.headers.get("Authorization")
            if given:
                seen.append(base64.b64decode(given.removeprefix("Basic ")).decode())
            self.send_response(403 if given else 401)
            self.send_header("WWW-Authenticate", 'Basic realm="forge"')
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/acme/crops", seen
        finally:
            server.shutdown()
            thread.join()
