"""Merge hooks: the action's own steps against the emulator on a socket, a real repository and a stand-in forge."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from shbatch_sync import BatchProcessClient, BatchRequestStatus, Config
from shbatch_sync.cli.ci_files import GITLAB, WORKFLOW, ci_files
from shbatch_sync.errors import SettingsError
from shbatch_sync.forge.comments import ForgeError, find_forge, put_comment
from tests.acceptance.conftest import Folder
from tests.acceptance.runner import Comments, Expression, Tools, bash, machine
from tests.acceptance.site import ACTION, SECRET, Site, opened
from tests.acceptance.test_reviews import git

PULL = {"pull_request": {"number": 7, "head": {"repo": {"fork": False}}}}
FORK = {"pull_request": {"number": 7, "head": {"repo": {"fork": True}}}}
PUSH: dict[str, Any] = {"ref": "refs/heads/main"}
# In place of ours: says what it was given, plans nothing, and writes one line into the ledger.
PROGRAM = """\
printf '%s|' "$@"; echo
case "$3" in
  plan) echo '{"summary": {"estimatedPU": 0}}' > "$5" ;;
  apply) mkdir -p .shbatch; echo ours >> .shbatch/ledger.jsonl ;;
esac
"""
# In place of GitHub's: answers from files, of which there may be none, as `--jq` has it.
GH = """\
printf '%s|' "$@" >> "$ANSWERS/calls"; echo >> "$ANSWERS/calls"
if [ "$2" = download ]; then mkdir -p "${@: -1}"; cp "$ANSWERS/plan.json" "${@: -1}"; exit; fi
jq -r "${@: -1}" "$ANSWERS/$1.json"
"""
HEAD = "0123456789abcdef"
PULLS = [{"head": {"sha": HEAD, "repo": {"full_name": "acme/crops"}}}]
FORKED = [{"head": {"sha": HEAD, "repo": {"full_name": "mallory/crops"}}}]
RUNS = [{"databaseId": 42}]


@pytest.fixture
def speed() -> float:
    return 600


@pytest.fixture
def site(folder: Folder, tmp_path_factory: pytest.TempPathFactory, speed: float) -> Iterator[Site]:
    with opened(folder, tmp_path_factory.mktemp("site"), speed) as made:
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
    assert site.tools.slept == ["1", "2", "4", "8", "0"]


def test_two_ledgers_that_meet_are_merged_and_no_file_is_no_error(site: Site) -> None:
    (site.folder.root / ".gitattributes").unlink()
    site.folder.write(".gitignore", ".shbatch/\n")
    site.push("no attributes")
    site.tools.add("shbatch-sync", PROGRAM)
    main = site.checkout("main")
    site.folder.write(".shbatch/ledger.jsonl", "theirs\n")
    git(site.folder.root, "add", "--force", ".shbatch/ledger.jsonl")
    site.push("another apply")
    job = site.run(main, PUSH, command="apply")
    assert not job.failed, job.log
    assert set(git(site.origin, "show", "main:.shbatch/ledger.jsonl").split()) == {"ours", "theirs"}
    head = git(site.origin, "rev-parse", "main")
    for path in ("no-such-file", ".shbatch"):
        job = site.run(site.checkout("main"), PUSH, command="apply", **{"ledger-path": path})
        assert not job.failed, job.log
    assert git(site.origin, "rev-parse", "main") == head


def test_options_over_several_lines_are_all_used(site: Site) -> None:
    site.tools.add("shbatch-sync", PROGRAM)
    job = site.run(
        site.checkout("main"),
        PUSH,
        command="apply",
        args="--prune\n--allow stop\n\n  --job *\t--max-pu 5\n",
        **{"apply-args": "--wait\n--timeout 60\n"},
    )
    assert not job.failed, job.log
    assert "--detailed-exitcode|--prune|--allow|stop|--job|*|--max-pu|5|\n" in job.log
    assert "apply.jsonl|--wait|--timeout|60|\n" in job.log


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


@pytest.mark.skipif(shutil.which("jq") is None, reason="jq, which gh has within it, is not here")
@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ({"api": PULLS, "run": RUNS, "plan": {}}, ""),
        ({}, "the pull request of c0ffee could not be asked for"),
        ({"api": []}, "no pull request from a branch of this repository brought c0ffee"),
        ({"api": FORKED}, "no pull request from a branch of this repository brought c0ffee"),
        (
            {"api": [{"head": {"sha": HEAD, "repo": None}}]},
            "no pull request from a branch of this repository brought c0ffee",
        ),
        ({"api": PULLS}, f"the runs for {HEAD} could not be asked for"),
        (
            {"api": PULLS, "run": []},
            f"no plan was made of {HEAD}: no run for it has ended well",
        ),
        (
            {"api": PULLS, "run": RUNS},
            f"the plan of {HEAD} could not be fetched from run 42",
        ),
    ],
)
def test_the_plan_that_was_reviewed_is_fetched_or_it_is_said_why_not(
    tmp_path: Path, answers: dict[str, Any], words: str
) -> None:
    workflow = yaml.safe_load(ci_files("github", target="eu", ledger=None)[WORKFLOW])
    (step,) = (one for one in workflow["jobs"]["apply"]["steps"] if "run" in one)
    for name in ("tools", "home"):
        (tmp_path / name).mkdir()
    for name, answer in answers.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(answer))
    tools = Tools(tmp_path / "tools")
    tools.add("gh", GH)
    env = {
        **machine(tmp_path / "home"),
        "PATH": tools.path(),
        "ANSWERS": str(tmp_path),
        "GITHUB_REPOSITORY": "acme/crops",
        "GITHUB_SHA": "c0ffee",
        "GITHUB_ENV": str(tmp_path / "env"),
        "RUNNER_TEMP": str(tmp_path / "temp"),
    }
    done = bash(step["run"], tmp_path, env)
    calls = (tmp_path / "calls").read_text()
    if words:
        assert done.returncode == 1
        assert done.stdout == f"::error::{words}: run this workflow by hand to plan and apply\n"
        assert not (tmp_path / "env").exists()
        assert len(calls.splitlines()) <= len(answers) + 1
    else:
        assert done.returncode == 0, done.stderr
        plan = (tmp_path / "env").read_text().removeprefix("PLAN=").strip()
        assert Path(plan).read_text() == "{}"
        assert calls.startswith("api|repos/acme/crops/commits/c0ffee/pulls|")
        assert f"|--commit|{HEAD}|--status|success|" in calls
        assert "\nrun|download|42|--name|shbatch-plan|" in calls


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
    for path, text in ci_files(forge, target="eu", ledger=".shbatch/ledger.jsonl").items():
        assert (folder.root / path).read_text() == text
        assert not re.search("@[A-Z]+@", text)
        document = yaml.safe_load(text)
        assert isinstance(document, dict)
        if path == WORKFLOW:
            assert [given["target"] for given in given_to_the_action(text)] == ["eu"] * 3
    assert "kept" in folder("init", "--ci", forge).err
    assert folder("init", "--ci", forge, "--target", "nowhere").code == 1


def test_a_pipeline_that_is_there_is_left_to_its_owner(folder: Folder) -> None:
    root = folder.write(".gitlab-ci.yml", "stages: [test]\n")
    words = "next: include .gitlab/shbatch-sync.gitlab-ci.yml in .gitlab-ci.yml"
    assert words in folder("init", "--ci", "gitlab").err
    assert root.read_text() == "stages: [test]\n"
    root.write_text(f"include: [{{local: {GITLAB}}}]\n")
    assert words not in folder("init", "--ci", "gitlab").err


def given_to_the_action(text: str) -> list[dict[str, str]]:
    """Return the inputs that a workflow gives to the action, of which each must be one."""
    jobs = yaml.safe_load(text)["jobs"].values()
    uses = [step.get("with") or {} for job in jobs for step in job["steps"]]
    ours = [given for given in uses if "command" in given]
    known = yaml.safe_load(ACTION.read_text())["inputs"].keys()
    assert all(given.keys() <= known for given in ours)
    return ours


@pytest.mark.parametrize(
    ("settings", "ledger"),
    [
        ("", ".shbatch/ledger.jsonl"),
        ("ledger: 'ledgers/my eu.jsonl'", "ledgers/my eu.jsonl"),
        ("ledger: ../eu.jsonl", "../eu.jsonl"),
        ("ledger: none", None),
        ("ledger: s3://bucket/eu.jsonl", None),
        ("ledger: ../../eu.jsonl", None),
        ("ledger: /var/lib/eu.jsonl", None),
        ("emulator: sandbox.db", None),
    ],
)
def test_init_knows_the_ledger_of_the_target(
    folder: Folder, settings: str, ledger: str | None
) -> None:
    git(folder.root, "init", "-q")
    url = "" if "emulator" in settings else "baseUrl: 'https://services.sentinel-hub.com', "
    folder.settings(f"  eu: {{{url}{settings}}}\n")
    (folder.root / "deep").mkdir()
    (folder.root / "shbatch.yaml").rename(folder.root / "deep" / "shbatch.yaml")
    text = (folder.root / "deep" / "shbatch.yaml").read_text()
    (folder.root / "deep" / "shbatch.yaml").write_text(text.replace("defaultTarget: sandbox\n", ""))
    answer = folder("init", "-C", "deep", "--ci", "github")
    assert answer.code == 0, answer.err
    assert ("is outside the repository: the jobs will not keep it" in answer.err) is (
        ledger is None and ("../.." in settings or "/var" in settings)
    )
    assert ("begin the ledger" in answer.err) is (settings != "ledger: none")
    (given,) = (
        one
        for one in given_to_the_action((folder.root / WORKFLOW).read_text())
        if one["command"] == "apply"
    )
    assert (given.get("ledger-path"), given.get("ledger")) == (ledger, None if ledger else "none")
    assert folder("init", "-C", "deep", "--ci", "gitlab").code == 0
    job = yaml.safe_load((folder.root / GITLAB).read_text())["shbatch-sync apply"]
    assert any(f"ledger={shlex.quote(ledger or '')}\n" in line for line in job["script"]) is (
        ledger is not None
    )
    assert ("after_script" in job) is (ledger is not None)


def test_init_below_the_top_of_a_repository(folder: Folder) -> None:
    git(folder.root, "init", "-q", "-b", "trunk")
    answer = folder("init", "--ci", "github", "-C", "deep/er")
    assert answer.code == 0
    assert (folder.root / ".github").is_dir()
    (folder.root / "deep" / "er").mkdir(parents=True, exist_ok=True)
    assert folder("init", "--ci", "github", "--project", "crops", "-C", "deep/er").code == 0
    workflow = (folder.root / ".github" / "workflows" / "shbatch-sync.yml").read_text()
    assert 'directory: "deep/er"' in workflow
    assert 'branches: ["trunk"]' in workflow
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
