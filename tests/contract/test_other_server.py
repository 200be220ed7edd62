"""The whole round trip against a service that its authors have not seen, with other people's requests in the account."""

from __future__ import annotations

import copy
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import Answer, Folder
from tests.contract.other_server import Choices, Reply, Service, serving
from tests.corpus import job_name, manifest

Open = Callable[..., "Account"]
SECRET = "a-secret-nobody-may-see"
TEXT = "Monthly NDVI, Grüße  & Küsse"
WAITING = ("apply", "--yes", "--wait", "--settle", "0", "--poll", "0.05", "--timeout", "120")


class Account:
    """A folder of a user whose target is another service."""

    def __init__(self, folder: Folder, service: Service, url: str, prefix: str) -> None:
        self.folder, self.service = folder, service
        folder.settings(
            f"  sandbox: {{baseUrl: '{url}', pathPrefix: {prefix}, settle: 0, rateLimit: 60000}}\n"
        )

    def __call__(self, *arguments: str, code: int = 0) -> Answer:
        answer = self.folder(*arguments)
        assert answer.code == code, (arguments, answer.out, answer.err)
        assert SECRET not in answer.out + answer.err
        return answer

    def apply(self, *more: str, code: int = 0) -> Answer:
        return self(*WAITING, *more, code=code)

    def plan(self, *more: str, code: int = 0) -> list[str]:
        """Plan, send nothing on the way, and return `action job` of what would be done."""
        before = len(self.service.calls)
        answer = self("plan", "--detailed-exitcode", "--format", "json", *more, code=code)
        sent = self.service.calls[before:]
        assert [call for call in sent if call[0] != "GET" and not call[1].endswith("/token")] == []
        return [
            f"{change['action']} {change['job']}" + (" withheld" if change["withheld"] else "")
            for change in answer.json["changes"]
            if change["action"] != "wait"
        ]

    def in_sync(self) -> None:
        assert self.plan() == []
        before = list(self.service.writes)
        answer = self.apply()
        assert self.service.writes == before, answer
        assert self.service.complaints == []

    def writes_since(self, before: int) -> list[str]:
        """Return `METHOD last-step` of the writing calls since there were so many."""
        return [
            f"{method} {path.rpartition('/')[2][:8]}"
            for method, path in self.service.writes[before:]
        ]


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    for name in list(os.environ):
        if name.startswith(("SH_", "SHBATCH_")) and name != "SHBATCH_CORPUS":
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("config")))
    monkeypatch.setenv("CI", "true")
    monkeypatch.setenv("SH_CLIENT_ID", "an-id")
    monkeypatch.setenv("SH_CLIENT_SECRET", SECRET)
    monkeypatch.setenv("SHBATCH_TRACEBACK", "1")


@pytest.fixture
def account(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Iterator[Open]:
    with ExitStack() as stack:

        def start(prefix: str = "/api/v2/batch", **choices: Any) -> Account:
            service, url = stack.enter_context(serving(Choices(**choices)))
            return Account(Folder(tmp_path, capfd), service, url, prefix)

        yield start


def request_of(**members: Any) -> dict[str, Any]:
    """Return a body as somebody else has posted it."""
    return {
        "processRequest": {
            "input": {"bounds": {"bbox": [1.0, 2.0, 1.1, 2.1]}, "data": [{"type": "S2L2A"}]},
            "output": {"responses": [{"identifier": "default", "format": {"type": "image/tiff"}}]},
            "evalscript": "//VERSION=3\n// theirs\n",
        },
        "input": {"type": "tiling-grid", "id": 0, "resolution": 10.0},
        "output": {"type": "raster", "delivery": {"s3": {"url": "s3://theirs/x"}}},
        **members,
    }


FOREIGN: dict[str, Any] = {
    "plain": request_of(description="wheat"),
    "undescribed": request_of(),
    "null-description": request_of(description=None),
    "number-description": request_of(description=17),
    "huge-description": request_of(description="x" * 100_000),
    "no-output": {name: part for name, part in request_of().items() if name != "output"},
    "text-delivery": request_of(output={"type": "raster", "delivery": "test"}),
    "null-output": request_of(output=None),
    "null-process": request_of(processRequest=None),
    "list-process": request_of(processRequest=[1]),
    "null-input": request_of(input=None),
    "text-bounds": request_of(
        processRequest={"input": {"bounds": "world", "data": {}}, "evalscript": 3}
    ),
    "text-data": request_of(processRequest={"input": {"bounds": None, "data": ["S2L2A", None]}}),
    "gs": request_of(
        output={"type": "zarr", "delivery": {"gs": {"url": "gs://x", "credentials": "***"}}}
    ),
    "odd-type": request_of(
        output={"type": "parquet", "delivery": {"pl:destinations": {"ref": "x"}}}
    ),
    "null-request": None,
    "text-request": "gone",
    "other-project": request_of(
        description="[shbatch-sync/1 wheat/ndvi r1 h=1.3f9c2ab17d04 t=k7q2m7xa #pu2ks4]"
    ),
    "talk": request_of(description="made by hand after reading about shbatch-sync, see its page"),
    "nul": request_of(description="a\x00b\x1b[31m\u202e"),
}
# Near-markers of our own project: damaged, ours by nothing but what they say.
NEAR: dict[str, str] = {
    "checksum": "[shbatch-sync/1 crops/ndvi r1 h=1.3f9c2ab17d04 t=k7q2m7xa #aaaaaa]",
    "cut": "[shbatch-sync/1 crops/ndvi r1 h=1.3f9c2ab1",
    "prefix": "[shbatch-sync/1 crops/ndvi-old r1 h=1.3f9c2ab17d04 t=k7q2m7xa #aaaaaa]",
}

BARE = ("userActionUpdated", "lastUpdated", "costPU", "completionPercentage", "domainAccountId")
ALL_BARE = (*BARE, "projectId", "workspaceId", "error", "stoppedStatusReason")

# Each row is a service that somebody might have written from the same documentation.
FULL: dict[str, dict[str, Any]] = {
    "recorded": {},
    "newer-prefix": {"prefix": "/batch/v2", "put": "task", "created": 200, "act": "object"},
    "two-a-page": {"page": 2, "token": "int", "order": "random", "put": "nothing", "digits": 3},
    "bare-tasks": {"absent": ALL_BARE, "put": "no-content", "token": "null", "page": 3},
    "null-tasks": {"absent": (), "null": BARE, "error": "bare", "order": "newest"},
    "all-filled-in": {"buffers": True, "harmonize": True, "bounds_crs": True, "floats": True},
    "nothing-filled-in": {"fill": False, "alias": False, "crs": False, "instance": "absent"},
    "mixed-up": {"shuffle": True, "nulls": True, "times": "micros", "top_description": True},
    "conflicts": {"illegal": 409, "busy_put": 400, "error": "empty", "stopping": 0.2},
    "slow-to-take": {"taken": 0.3, "analysing": 0.2, "queued": 0.1, "error": "array"},
    "lagging": {"hidden": 0.2, "lag": 0.4, "page": 2, "order": "sometimes"},
    "throttled": {"refuse_every": 6, "break_every": 11, "zone": "+00:00", "cost": "late"},
    "wrong-clock": {"clock": -9.0, "date": "wrong", "cost": "int", "percent": "int"},
    "hurried": {"analysing": 0.0, "queued": 0.0, "processing": 0.0, "action_after": "none"},
    "plain-http": {
        "close": True,
        "zipped": True,
        "slow": 0.01,
        "kind": "text/plain",
        "date": "none",
    },
    "own-words": {"odd": True, "reason": "ADMIN", "error": "text", "cost": "growing"},
}
SHORT: dict[str, dict[str, Any]] = {
    "put-object": {"put": "empty-object", "act": "nothing"},
    "token-offset": {"page": 1, "token": "offset"},
    "sorted": {"page": 3, "order": "sort", "token": "null"},
    "random-pages": {"page": 2, "order": "random", "lag": 0.2},
    "newest-first": {"page": 1, "order": "newest", "hidden": 0.2},
    "whole-seconds": {"digits": 0, "zone": "+00:00"},
    "no-user-action": {"null": ("userAction", "userActionUpdated"), "taken": 0.2},
    "times-millis": {"times": "millis", "floats": True},
    "times-offset": {"times": "offset", "shuffle": True},
    "nulls-everywhere": {"nulls": True, "absent": (), "extras": False},
    "secrets-dropped": {"secrets": "drop"},
    "secrets-null": {"secrets": "null"},
    "region": {"region": True},
    "cut-at-255": {"text": "cut-255"},
    "collapsed": {"text": "collapse"},
    "escaped": {"text": "escape"},
    "stripped": {"text": "strip"},
    "errors-object": {"error": "object", "illegal": 409},
    "errors-html": {"error": "html", "busy_put": 400},
    "errors-text": {"error": "text", "refuse_every": 7},
    "short-token": {"token_life": 0.3},
    "bare-token": {"token_members": "bare"},
    "text-token": {"token_members": "text", "token_life": 0.5},
    "throttled-silently": {"refuse_every": 8, "retry_after": ""},
    "gateway": {"break_every": 4},
    "hidden": {"hidden": 0.4},
    "lag": {"lag": 0.4},
    "stale": {"stale": 0.2},
    "stale-list": {"stale": 0.3, "stale_one": False},
    "chunked": {"chunked": True, "kind": ""},
    "hal": {"kind": "application/hal+json;charset=utf-8", "zipped": True, "chunked": True},
    "closing": {"close": True, "date": "none"},
    "ahead": {"clock": 9.0},
    "behind-with-date": {"clock": -30.0, "date": "now"},
    "ahead-with-date": {"clock": 9.0, "date": "wrong"},
    "no-pause": {"start_while_analysing": False, "analysing": 0.2},
    "queued": {"queued": 0.3, "cost": "late", "percent": "int"},
    "odd-action": {"action_after": "none", "cost": "growing"},
    "straight-to-done": {"direct": True},
    "plain-echo": {"alias": False, "crs": True, "fill": True, "instance": "as-sent"},
    "kept-and-filled": {"alias": True, "crs": False, "fill": True, "harmonize": True},
    "unfilled-floats": {"fill": False, "floats": True, "times": "millis", "instance": "absent"},
    "slow": {"slow": 0.03, "order": "random"},
}


def in_account(service: Service) -> None:
    """Fill the account with other people's requests, in every state."""
    states = ("CREATED", "DONE", "PROCESSING", "FAILED", "STOPPED", "ANALYSIS_DONE", "PAUSED")
    # Where a page holds few, some are enough: every list is as many calls.
    few = service.choices.page < 10
    for number, request in enumerate([*FOREIGN.values()][:: 5 if few else 1]):
        service.put_in(copy.deepcopy(request), states[number % len(states)])
    service.put_in(request_of(description="odd"), status=7, userAction=None, created="yesterday")
    service.put_in(request_of(description="odder"), costPU="many", error={"a": [1]}, created=None)


def untouched(service: Service, before: dict[str, str]) -> bool:
    """Say whether other people's requests are as they were, and were never written to."""
    now = {one: json.dumps(service.tasks[one].request) for one in before}
    return now == before and not [
        path for _, path in service.writes if path.split("/")[-1] in before
    ]


def begin(at: Account) -> None:
    """Create one job and start another, and see that nothing is left to do."""
    at.folder.job("ndvi", more=f"description: {TEXT}")
    at.folder.job("later", state="created", more="description: made and left")
    assert at.plan(code=2) == ["create later", "create ndvi", "start ndvi"]
    assert at.apply().out.splitlines()[-1] == "Apply: 2 created, 1 started; 2 in sync."
    assert at.service.status_of("ndvi") == ["DONE"]
    assert at.service.status_of("later") == ["CREATED"]
    at.in_sync()


def describe_anew(at: Account) -> None:
    """Edit two descriptions: two updates and nothing else."""
    at.folder.job("later", state="created", more="description: described anew")
    at.folder.job("ndvi", more="description: Monthly NDVI of summer")
    assert at.plan(code=2) == ["update later", "update ndvi"]
    before = len(at.service.writes)
    at.apply()
    assert {call.split()[0] for call in at.writes_since(before)} == {"PUT"}
    assert at.service.of("ndvi")[0].request["description"].startswith("Monthly NDVI of summer [")
    assert at.plan() == []


def change_created(at: Account) -> None:
    """Edit the resolution of what was only created: replaced, and only the resolution is shown."""
    at.folder.job("later", state="created", more="description: described anew", resolution=20)
    changes = at.folder("plan", "--format", "json").json["changes"]
    replaced = next(change for change in changes if change["action"] == "replace")
    shown = [field["path"] for field in replaced["fields"] if not field["reason"]]
    assert shown == ["/input/resolution"]
    assert at.plan(code=2)[0] == "replace later"
    at.apply()
    old, new = at.service.of("later")
    assert " x=old " in old.request["description"]
    assert new.request["input"]["resolution"] == 20
    assert at.plan() == []


def change_finished(at: Account) -> None:
    """Edit the resolution of what was paid for: withheld until the generation is raised."""
    at.folder.job("ndvi", more="description: Monthly NDVI of summer", resolution=20)
    assert at.plan()[0] == "replace ndvi withheld"
    before = len(at.service.writes)
    at.apply(code=3)
    assert len(at.service.writes) == before
    more = "description: Monthly NDVI of summer\ngeneration: 2"
    at.folder.job("ndvi", more=more, resolution=20)
    assert at.plan(code=2)[0] == "replace ndvi"
    at.apply()
    assert at.service.status_of("ndvi") == ["DONE", "DONE"]
    at.in_sync()


def abandon(at: Account) -> None:
    """Delete the manifest of what is processing: an orphan, stopped only when that is allowed."""
    at.service.holds.add("long")
    manifest = at.folder.job("long")
    once = ("apply", "--yes", "--settle", "0", "--poll", "0.05")
    deadline = time.monotonic() + 60
    at(*once)
    while at.service.status_of("long") != ["PROCESSING"] and time.monotonic() < deadline:
        time.sleep(0.05)
        if at.service.of("long")[0].action == "NONE":
            at(*once)
    manifest.unlink()
    assert at.plan() == []
    assert at.plan("--prune") == ["stop long withheld"]
    at.apply("--prune", code=3)
    assert at.service.status_of("long") == ["PROCESSING"]
    at.apply("--prune", "--allow", "stop")
    assert at.service.status_of("long") == ["STOPPED"]
    assert at.plan() == []


@pytest.mark.parametrize("name", FULL)
def test_the_whole_round_trip(account: Open, name: str) -> None:
    at = account(**FULL[name])
    in_account(at.service)
    theirs = {one: json.dumps(task.request) for one, task in at.service.tasks.items()}
    for step in (begin, describe_anew, change_created, change_finished, abandon):
        step(at)
    assert sorted(at.service.paid.values()) == [1, 1, 1]
    assert untouched(at.service, theirs)
    assert at.service.complaints == []


@pytest.mark.parametrize("name", SHORT)
def test_created_started_described_and_replaced(account: Open, name: str) -> None:
    at = account(**SHORT[name])
    for step in (begin, describe_anew, change_created):
        step(at)
    assert sorted(at.service.paid.values()) == ([] if at.service.choices.direct else [1])


def test_a_service_that_loses_letters_still_gets_its_jobs_started(account: Open) -> None:
    at = account(text="ascii")
    at.folder.job("ndvi", more=f"description: {TEXT}")
    assert at.folder(*WAITING).code in (0, 4)
    assert at.service.status_of("ndvi") == ["DONE"]
    before = len(at.service.writes)
    assert at.folder(*WAITING[:-1], "2").code in (0, 4)
    assert len(at.service.writes) - before < 4
    assert list(at.service.paid.values()) == [1]


def test_a_second_checkout_without_the_ledger_starts_nothing_again(account: Open) -> None:
    at = account(page=1, order="random", secrets="drop")
    begin(at)
    for ledger in at.folder.root.rglob("*.jsonl"):
        ledger.unlink()
    at.in_sync()
    assert list(at.service.paid.values()) == [1]


def test_a_description_that_does_not_fit_starts_nothing(account: Open) -> None:
    at = account(text="cut-255")
    at.folder.job("ndvi", more="description: " + "word " * 60)
    answer = at.apply(code=1)
    assert "did not come back as it was sent" in answer.err
    assert "limit to its length" in answer.err
    assert at.service.status_of("ndvi") == []  # what came back carries no marker
    assert [task.status for task in at.service.tasks.values()] == ["CREATED"]
    assert at.writes_since(0) == ["POST process"]


def test_a_description_that_does_not_fit_any_more_leaves_the_request_ours(account: Open) -> None:
    at = account(text="cut-100")
    at.folder.job("later", state="created", more="description: short")
    at.apply()
    at.folder.job("later", state="created", more="description: " + "word " * 20)
    assert at.folder(*WAITING[:-1], "3").code in (1, 4)
    at.folder.job("later", state="created", more="description: brief")
    at.apply()
    at.in_sync()
    assert len(at.service.tasks) == 1


@pytest.mark.parametrize("state", ["CREATED", "PROCESSING", "DONE"])
def test_a_copy_of_our_marker_is_warned_of_and_left_alone(account: Open, state: str) -> None:
    at = account()
    begin(at)
    for job in ("ndvi", "later"):
        at.service.put_in(copy.deepcopy(at.service.of(job)[0].request), state)
    theirs = {
        one: json.dumps(task.request)
        for one, task in at.service.tasks.items()
        if task.raw is not None
    }
    assert at("plan").out.count("left alone") == 2
    at.in_sync()
    assert untouched(at.service, theirs)
    assert list(at.service.paid.values()) == [1]


@pytest.mark.parametrize("name", NEAR)
def test_what_is_nearly_our_marker_is_never_written_to(account: Open, name: str) -> None:
    at = account()
    theirs = at.service.put_in(request_of(description=NEAR[name]))
    at.folder.job("ndvi")
    assert at.folder(*WAITING).code in (0, 4)
    assert at.service.status_of("ndvi")[-1:] == ["DONE"]
    assert theirs.request["description"] == NEAR[name]
    assert list(at.service.paid.values()) == [1]


@pytest.mark.parametrize("bare", [False, True])
def test_failed_and_stopped_jobs_wait_for_a_person(account: Open, bare: bool) -> None:
    at = account(error="empty" if bare else "wrapped", absent=ALL_BARE if bare else ("error",))
    at.service.fails.add("bad")
    at.service.stops.add("halt")
    at.folder.job("bad")
    at.folder.job("halt")
    answer = at.apply(code=4)
    assert "apply --restart bad" in answer.out + answer.err
    assert "apply --restart halt" in answer.out + answer.err
    assert "\x1b" not in answer.out + answer.err
    writes = len(at.service.writes)
    at.apply(code=4)
    assert len(at.service.writes) == writes
    at.service.fails.clear()
    at.apply("--restart", "bad", code=4)
    assert at.service.status_of("bad") == ["FAILED", "DONE"]
    assert at.service.status_of("halt") == ["STOPPED"]


def test_a_state_that_nobody_knows_is_waited_for(account: Open) -> None:
    at = account(odd=True, processing=0.6)
    at.folder.job("ndvi")
    at.apply()
    assert at.service.status_of("ndvi") == ["DONE"]
    assert at.plan() == []


@pytest.mark.parametrize("members", [{"absent": ALL_BARE}, {"null": ("costPU",)}, {"cost": "late"}])
def test_what_was_paid_but_does_not_tell_its_cost_is_not_replaced(
    account: Open, members: dict[str, Any]
) -> None:
    at = account(action_after="none", **members)
    at.folder.job("ndvi")
    at.apply()
    at.folder.job("ndvi", resolution=20)
    assert at.plan()[0] == "replace ndvi withheld"
    at.apply(code=3)
    assert list(at.service.paid.values()) == [1]


LOST = {
    "create-500": ("POST", r"/process$", 500),
    "create-html": ("POST", r"/process$", 200),
    "create-429": ("POST", r"/process$", 429),
    "list-html": ("GET", r"/process$", 200),
    "start-500": ("POST", r"/start$", 500),
    "put-502": ("PUT", r"", 502),
    "get-one-403": ("GET", r"/process/.", 403),
    "token-500": ("POST", r"token$", 500),
}


@pytest.mark.parametrize("name", LOST)
def test_one_answer_that_is_none_pays_for_nothing_twice(account: Open, name: str) -> None:
    at = account(page=1)
    verb, path, status = LOST[name]
    at.service.script.append((verb, path, Reply(status, b"<html>sorry</html>", "text/html")))
    at.folder.job("ndvi")
    at.apply()
    at.in_sync()
    assert len(at.service.tasks) == 1
    assert list(at.service.paid.values()) == [1]


def test_grids_of_its_own_are_listed(account: Open) -> None:
    assert "a grid of ours" in account(token="offset")("grids").out


def test_every_collected_body_comes_back_in_sync(
    account: Open, corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CORPUS_KEY", "a-key")
    monkeypatch.setenv("CORPUS_SECRET", "another-secret")
    at = account(page=3, floats=True, harmonize=True, bounds_crs=True, times="micros", shuffle=True)
    bodies = sorted((corpus / "requests").glob("*.json"))
    for path in bodies:
        text = manifest(job_name(path), json.loads(path.read_text("utf-8")))
        at.folder.write(f"jobs/{path.stem}.json", text)
    at("apply", "--yes", "--settle", "0", "--poll", "0.05")
    assert len(at.service.tasks) == len(bodies)
    at.in_sync()
    for ledger in at.folder.root.rglob("*.jsonl"):
        ledger.unlink()
    assert at.plan() == []
