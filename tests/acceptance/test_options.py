"""Options: by variable, by completion, and the ones that name what is not there."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

import click
import pytest

from shbatch_sync.cli.main import COMMANDS, cli
from tests.acceptance.conftest import Folder


def options() -> Iterator[tuple[str, click.Option]]:
    context = click.Context(cli, info_name="shbatch-sync")
    for name in COMMANDS:
        command = cli.get_command(context, name)
        assert command is not None
        yield from ((name, one) for one in command.params if isinstance(one, click.Option))


def test_every_option_has_a_variable_that_is_called_as_it_is() -> None:
    seen = {variable for _, option in options() for variable in option.envvar or ()}
    for command, option in options():
        for flag in option.opts:
            if flag.startswith("--"):
                words = f"{command}_{flag[2:]}".replace("-", "_").upper()
                assert f"SHBATCH_{words}" in (option.envvar or ())
    assert {"SHBATCH_PLAN_FORMAT", "SHBATCH_APPLY_MAX_PU", "SHBATCH_IMPORT_ALL"} <= seen
    assert not {name for name in seen if name.startswith("SHBATCH_VAR_")}


def test_help_says_what_paths_are() -> None:
    context = click.Context(cli, info_name="shbatch-sync")
    taking = set()
    for name in COMMANDS:
        command = cli.get_command(context, name)
        assert command is not None
        if "paths" in {one.name for one in command.params}:
            taking.add(name)
            words = " ".join(command.get_help(context).split())
            assert "[default: the project's jobs]; - is a manifest from standard input" in words
            assert "whose files are looked for in DIR" in words
    assert taking == {"validate", "plan", "apply", "status", "render", "estimate"}


def test_only_what_has_more_to_say_takes_verbose(folder: Folder) -> None:
    shown = {name for name, one in options() if "-v" in one.opts and not one.hidden}
    assert shown == {"status", "estimate", "apply", "history"}
    folder.job("one")
    short, told = folder("estimate").out, folder("estimate", "-v").out
    assert told != short
    assert folder("-v", "estimate").out == told
    assert folder("plan", "-v").code == 0


def test_options_by_variable(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.job("one")
    folder.job("two")
    monkeypatch.setenv("SHBATCH_PLAN_FORMAT", "json")
    monkeypatch.setenv("SHBATCH_PLAN_JOB", "two")
    assert {change["job"] for change in folder("plan").json["changes"]} == {"two"}
    assert {change["job"] for change in folder("plan", "--job", "on*").json["changes"]} == {"one"}
    monkeypatch.setenv("SHBATCH_VERSION", "1")  # is no option to set
    assert folder("plan").json["formatVersion"]


def test_status_of_one_job_tells_all_of_it(folder: Folder) -> None:
    folder.job("one", state="created")
    folder.job("two", state="created")
    assert folder("apply", "--yes").code == 0
    told = folder("status", "two").out
    assert "s3://results/two/" in told
    assert "one" not in told
    assert told.splitlines()[-1] == "1 job: 1 created. 0 PU."
    assert [row["job"] for row in folder.requests("one")] == ["one"]
    assert folder.root.joinpath("jobs/one.yaml").exists()
    assert "one" in folder("status", "jobs/one.yaml").out


def test_requests_that_a_lost_ledger_takes_in_are_counted_with_their_ends(folder: Folder) -> None:
    folder.job("one")
    folder.job("two", state="created")
    assert folder("apply", "--yes", "--wait").code == 0
    told = folder("status", "--record").err
    assert told.endswith(".jsonl: 0 requests taken in, 0 ends written down\n")
    folder.root.joinpath(".shbatch/sandbox.ledger.jsonl").unlink()
    told = folder("status", "--record").err
    assert told.endswith(".jsonl: 2 requests taken in, 1 end written down\n")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ("status", "onne"),
            "there is no job, file or folder 'onne'; did you mean 'one'?",
        ),
        (("status", "uno"), "there is no job, file or folder 'uno'; it is called 'one' now"),
        (("plan", "--label", "crop"), "--label crop: write it as KEY=VALUE"),
        (("plan", "--label", "=crop"), "--label =crop: write it as KEY=VALUE"),
        (("status", "one.yaml"), "one.yaml"),
        (("plan", "--job", "x*", "--label", "a=b"), "selected by --job x*, --label a=b"),
        (("plan", "--restart", "x*"), "--restart x*: target sandbox has no such job"),
        (("apply", "--yes", "--restart", "two"), "--restart two: target sandbox has no such job"),
        (("history", "--target", "eu"), "there is no target 'eu' (known: sandbox)"),
        (("plan", "--target", "eu"), "there is no target 'eu'"),
    ],
)
def test_what_is_not_there(folder: Folder, arguments: tuple[str, ...], words: str) -> None:
    folder.job("one", more="previousNames: [uno]")
    answer = folder(*arguments)
    assert answer.code == 1
    assert words in answer.err


def test_without_a_command_the_help_is_no_error(folder: Folder) -> None:
    answer = folder.process()
    assert answer.code == 1
    assert answer.err.startswith("Usage: shbatch-sync")
    assert "error" not in answer.err.splitlines()[0]
    assert answer.err.count("Usage:") == 1


@pytest.mark.parametrize(
    ("words", "begun", "completed"),
    [
        ("shbatch-sync pl", 1, "plan"),
        ("shbatch-sync plan --target s", 3, "sandbox"),
        ("shbatch-sync plan --allow re", 3, "recreate"),
    ],
)
def test_completion(folder: Folder, words: str, begun: int, completed: str) -> None:
    env = {
        "_SHBATCH_SYNC_COMPLETE": "bash_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": str(begun),
    }
    assert f"plain,{completed}" in folder.process(env=env).out.split()


@pytest.mark.parametrize("command", ["plan", "status", "validate", "estimate", "history"])
def test_results_go_into_a_file_beside_what_people_read(folder: Folder, command: str) -> None:
    folder.job("one")
    assert folder("apply", "--yes", "--wait").code == 0
    read = folder(command, "--json-into", "result.json").out
    written = json.loads((folder.root / "result.json").read_text(encoding="utf-8"))
    assert written.keys() == folder(command, "--format", "json").json.keys()
    assert read == folder(command).out
    assert not list(folder.root.glob("*.part"))


def test_problems_go_into_the_file_too(folder: Folder) -> None:
    folder.job("one", more="nope: 1")
    assert folder("validate", "--json-into", "result.json").code == 1
    written = json.loads((folder.root / "result.json").read_text(encoding="utf-8"))
    assert (written["valid"], written["jobs"], len(written["problems"])) == (False, 0, 1)


def test_a_plan_without_credentials_says_how_to_do_without(folder: Folder) -> None:
    folder.settings("  sandbox: {baseUrl: 'https://services.sentinel-hub.com'}\n")
    folder.job("one")
    answer = folder("plan")
    assert answer.code == 1
    assert "set SH_CLIENT_ID and SH_CLIENT_SECRET" in answer.err
    assert "`plan --offline`" in answer.err
    assert max(map(len, answer.err.splitlines()[:2])) < 120
    assert folder("plan", "--offline").code == 0


def test_a_host_that_cannot_be_reached_is_named(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SH_CLIENT_ID", "an-id")
    monkeypatch.setenv("SH_CLIENT_SECRET", "a-secret")
    folder.settings("  sandbox: {baseUrl: 'http://127.0.0.1:1', ledger: none}\n")
    folder.job("one")
    answer = folder("plan")
    assert answer.code == 1
    assert "http://127.0.0.1:1: " in answer.err
    assert "check the network, the proxy, and `baseUrl`" in answer.err


def test_init_refuses_a_name_that_no_project_can_have(folder: Folder) -> None:
    (folder.root / "shbatch.yaml").unlink()
    answer = folder("init", "--project", "Bad Name")
    assert answer.code == 1
    assert "lower-case letters" in answer.err
    assert list(folder.root.iterdir()) == []


def test_git_is_told_of_a_ledger_wherever_it_stands(folder: Folder) -> None:
    folder.settings(
        "  sandbox: {emulator: .shbatch/sandbox.db}\n"
        "  eu: {baseUrl: 'http://127.0.0.1:1', ledger: ledgers/eu.jsonl}\n"
    )
    assert "commit it" in folder("init", "--target", "eu").out
    assert folder("init", "--target", "eu").code == 0
    assert (folder.root / ".gitattributes").read_text() == "ledgers/eu.jsonl merge=union\n"
    assert (folder.root / ".gitignore").read_text() == "ledgers/eu.jsonl.lock\n"
    assert "stays on this machine" in folder("init", "--target", "sandbox").out


@pytest.mark.parametrize("command", ["repair", "import --all"])
def test_commands_that_read_manifests_take_variables(folder: Folder, command: str) -> None:
    folder.job("one", state="created", more="description: July ${{ vars.year }}")
    refused = folder(*command.split())
    assert refused.code == 1
    assert "by --var year=… or SHBATCH_VAR_year" in refused.err
    assert folder(*command.split(), "--var", "year=2025").code == 0


def test_every_faulty_axis_is_told_at_once(folder: Folder) -> None:
    axes = "{a: {dates: {from: 2024-01, to: 2024-02, step: 1M}}, b: {features: none.geojson}}"
    folder.job("one", more=f"matrix: {axes}")
    told = folder("validate", "--format", "json").json["problems"]
    assert [one["pointer"] for one in told if one["code"] == "matrix"] == [
        "/matrix/a/dates/step",
        "/matrix/b/features",
    ]


def test_an_interrupt_while_the_program_is_loaded_is_no_traceback(folder: Folder) -> None:
    script = (
        "import os, signal, sys\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # CI may have it ignored
        "sys.meta_path.insert(0, type('Slow', (), {'find_spec': staticmethod("
        "lambda name, *_: os.kill(os.getpid(), signal.SIGINT) if name == 'click' else None)}))\n"
        "from shbatch_sync.__main__ import main\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=folder.root, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_the_last_manifest_can_be_taken_away(folder: Folder) -> None:
    folder.settings("  sandbox: {emulator: .shbatch/sandbox.db, speed: 1}\n")
    manifest = folder.job("one")
    assert folder("apply", "--yes").code == 0
    manifest.unlink()
    held = folder("plan", "--prune", "--allow", "stop")
    assert held.code == 0, held.err
    assert "withheld (many)" in held.out
    assert folder("status").code == 0
    answer = folder("apply", "--yes", "--prune", "--allow", "stop", "--allow", "many")
    assert "1 stopped" in answer.out, answer.err
