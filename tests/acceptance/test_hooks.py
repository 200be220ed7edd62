"""Merge hooks: the action's own steps against the emulator on a socket, a real repository and a stand-in forge."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from shbatch_sync import BatchProcessClient, BatchRequestStatus, Config
from shbatch_sync.cli.ci_files import ci_files
from shbatch_sync.emulator import Emulator, Options
from shbatch_sync.emulator.server import serve
from shbatch_sync.errors import SettingsError
from shbatch_sync.forge import ForgeError, find_forge, put_comment
from tests.acceptance.conftest import Folder
from tests.acceptance.runner import Comments, Expression, Runner
from tests.acceptance.test_reviews import git

ACTION = Path(__file__).parents[2] / "action.yml"
PULL = {"pull_request": {"number": 7, "head": {"repo": {"fork": False}}}}
FORK = {"pull_request": {"number": 7, "head": {"repo": {"fork": True}}}}
PUSH: dict[str, Any] = {"ref": "refs/heads/main"}
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
        (temp / "jobs").mkdir()
        git(temp, "init", "-q", "--bare", "origin.git")
        git(folder.root, "init", "-q")
        git(folder.root, "remote", "add", "origin", f"file://{self.origin}")
        env = {
            "GITHUB_API_URL": comments.url,
            "GITHUB_REPOSITORY": "acme/crops",
            "GITHUB_REF_NAME": "main",
            "SH_CLIENT_ID": "an-id",
            "SH_CLIENT_SECRET": SECRET,
        }
        self.run = Runner(ACTION, temp / "jobs", env)
        without = {key: "" if key.startswith("SH_") else value for key, value in env.items()}
        self.run_without_secrets = Runner(ACTION, temp / "jobs", without)

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


@pytest.fixture
def speed() -> float:
    return 600


@pytest.fixture
def site(folder: Folder, tmp_path_factory: pytest.TempPathFactory, speed: float) -> Iterator[Site]:
    comments = Comments()
    with (
        Emulator(":memory:", Options(speed=speed)) as emulator,
        serve(emulator) as server,
        comments.serve(),
    ):
        made = Site(folder, tmp_path_factory.mktemp("site"), emulator, server.url, comments)
        folder.settings(f"  sandbox: {{baseUrl: '{server.url}', settle: 0}}\n")
        folder.write(".gitattributes", ".shbatch/ledger.jsonl merge=union\n")
        folder.job("ndvi")
        made.push("first")
        yield made


def test_a_pull_request_gets_one_comment_that_is_kept_up_to_date(site: Site) -> None:
    job = site.run(site.checkout("main"), PULL)
    assert not job.failed, job.log
    assert job.steps == ["Validate", "Plan", "Comment"]
    assert job.outputs["has-changes"] == "true"
    assert job.outputs["pu"] == "100.0"
    (comment,) = site.comments.comments
    assert comment["body"].startswith("<!-- shbatch-sync plan crops sandbox -->\n")
    assert "1 to create, 1 to start" in comment["body"]
    assert job.summary.strip() == comment["body"].strip()
    site.folder.job("second", state="created")
    site.push("second")
    assert not site.run(site.checkout("main"), PULL).failed
    (comment,) = site.comments.comments
    assert "2 to create, 1 to start" in comment["body"]
    assert {token for _, _, token in site.comments.calls} == {"Bearer forge-token-nobody-may-see"}
    assert site.tasks() == []


@pytest.mark.parametrize("how", ["squash", "merge", "fast-forward"])
def test_what_was_reviewed_is_applied_on_merge(site: Site, how: str) -> None:
    root = site.folder.root
    git(root, "checkout", "-q", "-b", "branch")
    site.folder.job("second")
    site.push("second", "branch")
    reviewed = site.run(site.checkout("branch"), PULL)
    assert not reviewed.failed, reviewed.log

    git(root, "checkout", "-q", "main")
    option = {
        "squash": ["--squash"],
        "merge": ["--no-ff", "-m", "merged"],
        "fast-forward": ["--ff-only"],
    }[how]
    git(root, "merge", "-q", *option, "branch")
    if how == "squash":
        git(root, "commit", "-q", "-m", "squashed")
    git(root, "push", "-q", "origin", "main")

    main = site.checkout("main")
    plan = reviewed.outputs["plan-json"]
    applied = site.run(
        main, PUSH, command="apply", **{"plan-file": plan, "apply-args": "--wait --poll 0.2"}
    )
    assert not applied.failed, applied.log
    assert applied.steps == ["Validate", "Apply", "Keep the ledger"]
    assert [task["status"] for task in site.tasks()] == ["DONE", "DONE"]
    ledger = git(site.origin, "show", "main:.shbatch/ledger.jsonl")
    assert sum('"event":"final"' in line for line in ledger.splitlines()) == 2
    again = site.run(site.checkout("main"), PUSH, command="apply", **{"plan-file": plan})
    assert not again.failed, again.log
    assert len(site.tasks()) == 2


def test_a_plan_that_was_overtaken_is_refused(site: Site) -> None:
    reviewed = site.run(site.checkout("main"), PULL)
    site.folder.job("ndvi", resolution=20)
    site.push("another resolution")
    job = site.run(
        site.checkout("main"), PUSH, command="apply", **{"plan-file": reviewed.outputs["plan-json"]}
    )
    assert job.failed
    assert "is not what would be done now" in job.log
    assert site.tasks() == []


def test_the_ledger_is_kept_when_the_apply_fails_and_others_push_meanwhile(site: Site) -> None:
    main = site.checkout("main")
    site.folder.write("README.md", "words")
    site.push("somebody else")
    job = site.run(main, PUSH, command="apply", **{"apply-args": "--settle 0 --timeout 0.001"})
    assert job.steps[-1] == "Keep the ledger"
    job = site.run(main, PUSH, command="apply", **{"apply-args": "--wait --poll 0.2"})
    assert not job.failed, job.log
    files = git(site.origin, "ls-tree", "-r", "--name-only", "main").split()
    assert "README.md" in files
    assert ".shbatch/ledger.jsonl" in files
    assert "[skip ci]" in git(site.origin, "log", "-1", "--format=%s", "main")


def test_a_ledger_that_cannot_be_pushed_is_an_error(site: Site) -> None:
    main = site.checkout("main")
    hook = site.origin / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    job = site.run(main, PUSH, command="apply")
    assert job.failed
    assert "::error::the ledger could not be pushed to main" in job.log


@pytest.mark.parametrize("speed", [1])
def test_a_check_by_night_reports_what_somebody_did(site: Site) -> None:
    assert not site.run(site.checkout("main"), PUSH, command="apply").failed
    config = Config(base_url=site.url, client_id="an-id", client_secret=SECRET)
    with BatchProcessClient(config) as client:
        (live,) = client.iter_requests()
        while client.get_request(live).status is not BatchRequestStatus.PROCESSING:
            site.emulator.service.advance(30)
        quiet = site.run(site.checkout("main"), {}, command="drift")
        assert not quiet.failed, quiet.log
        client.stop_job(live)
        while client.get_request(live).status is not BatchRequestStatus.STOPPED:
            site.emulator.service.advance(30)
    drift = site.run(site.checkout("main"), {}, command="drift")
    assert drift.failed
    assert drift.steps[-1] == "Drift"
    assert "::error::the service is not as declared" in drift.log
    assert "| `!` attention | `ndvi` | stopped" in drift.summary


def test_a_fork_without_secrets_gets_a_plan_that_says_what_it_could_not_see(site: Site) -> None:
    assert not site.run(
        site.checkout("main"), PUSH, command="apply", **{"apply-args": "--wait --poll 0.2"}
    ).failed
    site.folder.job("second")
    site.push("second")
    site.comments.refuse = True
    job = site.run_without_secrets(site.checkout("main"), FORK)
    assert not job.failed, job.log
    assert "no request on the service was looked at" in job.summary
    assert "1 to create, 1 to start; 1 in sync" in job.summary
    assert "100 PU" in job.summary
    assert "::warning::the plan could not be written as a comment" in job.log
    plan = job.outputs["plan-json"]
    refused = site.run(site.checkout("main"), PUSH, command="apply", **{"plan-file": plan})
    assert refused.failed
    assert "target sandbox was offline and is http" in refused.log


def test_a_broken_manifest_ends_at_its_line(site: Site) -> None:
    site.folder.write("jobs/bad.yaml", "apiVersion: shbatch-sync/v1\nnmae: x\n")
    site.push("bad")
    job = site.run(site.checkout("main"), PULL)
    assert job.failed
    assert job.steps == ["Validate"]
    assert "::error file=jobs/bad.yaml,line=" in job.log


def test_inputs_are_no_script(site: Site) -> None:
    job = site.run(
        site.checkout("main"), PULL, target="sandbox; touch hacked", args="--job $(touch hacked2)"
    )
    assert job.failed
    assert not list(site._temp.rglob("hacked*"))


def test_no_secret_is_in_any_log(site: Site) -> None:
    jobs = [
        site.run(site.checkout("main"), PULL),
        site.run(
            site.checkout("main"), PUSH, command="apply", **{"apply-args": "--wait --poll 0.2"}
        ),
        site.run(site.checkout("main"), {}, command="drift"),
    ]
    said = "".join(job.log + job.summary for job in jobs) + json.dumps(site.comments.comments)
    assert SECRET not in said
    assert "forge-token-nobody-may-see" not in said


# --- the files -----------------------------------------------------------------------------------------------


def test_the_action_names_what_it_gives() -> None:
    action = yaml.safe_load(ACTION.read_text())
    assert {"has-changes", "plan-json", "pu"} <= action["outputs"].keys()
    assert all(given.get("description") for given in action["inputs"].values())
    assert (
        Expression("inputs.a != 'x' && (always() || inputs.b)", {"inputs": {"a": "y"}}).value()
        is True
    )


@pytest.mark.parametrize("forge", ["github", "gitlab"])
def test_init_writes_what_a_forge_needs_and_keeps_what_is_there(folder: Folder, forge: str) -> None:
    git(folder.root, "init", "-q")
    folder.settings(
        "  sandbox: {emulator: .shbatch/sandbox.db}\n  eu: {baseUrl: 'https://services.sentinel-hub.com'}\n"
    )
    answer = folder("init", "--ci", forge)
    assert answer.code == 0, answer.err
    assert "shbatch-sync init --target eu" in answer.err
    assert not (folder.root / "jobs").exists()
    for path, text in ci_files(forge, target="eu").items():
        assert (folder.root / path).read_text() == text
        assert "@" not in text.replace("actions/checkout@v4", "").replace(
            "upload-artifact@v4", ""
        ).replace("@example.org", "").replace("@users.", "").replace("[@]", "").replace("}@${", "")
        document = yaml.safe_load(text)
        assert isinstance(document, dict)
        if path.startswith(".github/workflows"):
            uses = [
                step.get("with") or {} for job in document["jobs"].values() for step in job["steps"]
            ]
            inputs = yaml.safe_load(ACTION.read_text())["inputs"]
            ours = [given for given in uses if "command" in given]
            assert len(ours) == 3
            assert all(given.keys() <= inputs.keys() and given["target"] == "eu" for given in ours)
    assert "kept" in folder("init", "--ci", forge).err
    assert folder("init", "--ci", forge, "--target", "nowhere").code == 1


def test_init_below_the_top_of_a_repository(folder: Folder) -> None:
    git(folder.root, "init", "-q")
    answer = folder("init", "--ci", "github", "-C", "deep/er")
    assert answer.code == 1 or (folder.root / ".github").is_dir()
    (folder.root / "deep" / "er").mkdir(parents=True, exist_ok=True)
    assert folder("init", "--ci", "github", "--project", "crops", "-C", "deep/er").code == 0
    workflow = (folder.root / ".github" / "workflows" / "shbatch-sync.yml").read_text()
    assert 'directory: "deep/er"' in workflow
    assert (folder.root / "deep" / "er" / "shbatch.yaml").is_file()


@pytest.mark.parametrize(
    ("schema", "path"),
    [
        ("vendor.github-actions", ".github/actions/shbatch-sync/action.yml"),
        ("vendor.github-workflows", ".github/workflows/shbatch-sync.yml"),
        ("vendor.gitlab-ci", ".gitlab/shbatch-sync.gitlab-ci.yml"),
    ],
)
def test_the_files_meet_the_forges_schemas(folder: Folder, schema: str, path: str) -> None:
    pytest.importorskip("check_jsonschema")
    folder.settings()
    folder("init", "--ci", "gitlab" if "gitlab" in schema else "github")
    command = ["check-jsonschema", "--builtin-schema", schema]
    command += ["--data-transform", "gitlab-ci"] if "gitlab" in schema else []
    env = {**os.environ, "PATH": f"{Path(os.sys.executable).parent}:{os.environ['PATH']}"}  # type: ignore[attr-defined]
    done = subprocess.run(
        [*command, str(folder.root / path)], capture_output=True, text=True, env=env, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


# --- comments ------------------------------------------------------------------------------------------------


def github(url: str, **more: str) -> dict[str, str]:
    return {"GITHUB_API_URL": url, "GITHUB_REPOSITORY": "acme/crops", "GITHUB_TOKEN": "t", **more}


def test_only_our_own_comment_is_updated() -> None:
    with Comments().serve() as api:
        theirs = {
            "id": 1,
            "body": "<!-- tag -->\nspoof",
            "user": {"login": "mallory", "type": "User"},
        }
        api.comments.append(theirs)
        api.comments += [{"id": n, "body": "hello", "user": theirs["user"]} for n in range(2, 130)]
        forge = find_forge(github(api.url), PULL)
        assert put_comment(forge, "<!-- tag -->\none") == "https://forge/130"
        assert put_comment(forge, "<!-- tag -->\ntwo") == "https://forge/130"
        assert theirs["body"] == "<!-- tag -->\nspoof"
        assert len(api.comments) == 130
        assert api.comments[-1]["body"] == "<!-- tag -->\ntwo"


def test_a_persons_token_knows_its_own_comments() -> None:
    with Comments().serve() as api:
        api.me = api.author = {"login": "ana", "type": "User"}
        forge = find_forge(github(api.url), PULL)
        put_comment(forge, "<!-- tag -->\none")
        put_comment(forge, "<!-- tag -->\ntwo")
        assert [comment["body"] for comment in api.comments] == ["<!-- tag -->\ntwo"]


def test_gitlab() -> None:
    with Comments().serve() as api:
        api.me = api.author = {"username": "project_1_bot"}
        env = {"CI_API_V4_URL": api.url, "CI_PROJECT_ID": "acme/crops", "CI_MERGE_REQUEST_IID": "7"}
        forge = find_forge({**env, "SHBATCH_FORGE_TOKEN": "gl"}, {})
        put_comment(forge, "<!-- tag -->\none")
        put_comment(forge, "<!-- tag -->\ntwo")
        assert [comment["body"] for comment in api.comments] == ["<!-- tag -->\ntwo"]
        assert api.calls[-1] == ("PUT", "/projects/acme%2Fcrops/merge_requests/7/notes/1", "gl")


@pytest.mark.parametrize(
    ("env", "event", "words"),
    [
        ({}, {}, "run it in GitHub Actions or GitLab CI"),
        (github("https://api"), {}, "about no pull request"),
        (github("https://api", GITHUB_TOKEN=""), PULL, "GITHUB_TOKEN is not set"),
        (github("http://api.example.org"), PULL, "is not https"),
        (github("ftp://127.0.0.1"), PULL, "is not https"),
        ({"CI_PROJECT_ID": "1"}, {}, "about no merge request"),
        ({"CI_PROJECT_ID": "1", "CI_MERGE_REQUEST_IID": "7"}, {}, "SHBATCH_FORGE_TOKEN is not set"),
    ],
)
def test_no_comment_without_a_place_and_a_token(
    env: dict[str, str], event: dict[str, Any], words: str
) -> None:
    with pytest.raises(SettingsError, match=words):
        find_forge(env, event)


def test_the_command_reads_what_the_job_has(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.job("ndvi", state="created")
    folder("plan", "--out", "plan.json")
    event = folder.write("event.json", json.dumps(PULL))
    assert "run it in GitHub Actions or GitLab CI" in folder("comment", "plan.json").err
    with Comments().serve() as api:
        for name, value in github(api.url, GITHUB_EVENT_PATH=str(event)).items():
            monkeypatch.setenv(name, value)
        answer = folder("comment", "plan.json")
        assert (answer.code, answer.out) == (0, "https://forge/1\n")
        assert (
            api.comments[0]["body"]
            == folder("show", "plan.json", "--format", "markdown").out.rstrip("\n") + "\n"
        )
        api.refuse = True
        assert folder("comment", "plan.json").code == 1
    event.write_text("{")
    assert "is no JSON" in folder("comment", "plan.json").err
    event.write_text("[]")
    assert "about no pull request" in folder("comment", "plan.json").err


def test_a_plan_without_a_look_says_what_it_could_not_see(folder: Folder) -> None:
    folder.job("ndvi")
    folder.job("begun", state="created")
    assert folder("apply", "--yes", "--wait").code == 0
    folder.job("begun", state="started")
    folder.job("fresh")
    plan = folder("plan", "--offline", "--format", "json").json
    assert plan["service"] == "offline"
    assert [(change["job"], change["action"]) for change in plan["changes"]] == [
        ("fresh", "create"),
        ("fresh", "start"),
    ]
    assert plan["summary"]["inSync"] == 1
    assert "no request on the service was looked at" in plan["warnings"][0]
    assert plan["warnings"][1] == "begun before, and not looked at: begun"


def test_a_forge_that_refuses_or_is_away() -> None:
    with Comments().serve() as api:
        api.refuse = True
        with pytest.raises(ForgeError, match="the forge answered 403"):
            put_comment(find_forge(github(api.url), PULL), "x")
    with pytest.raises(ForgeError, match="cannot be reached"):
        put_comment(find_forge(github(api.url), PULL), "x")
