"""Reviews: the markdown of a real plan, and the selection of what a change has a part in."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.acceptance.conftest import EVALSCRIPT, Folder


def git(root: Path, *arguments: str) -> str:
    """Run git as a person who has set nothing up."""
    identity = [
        "-c",
        "user.name=a",
        "-c",
        "user.email=a@example.org",
        "-c",
        "init.defaultBranch=main",
    ]
    done = subprocess.run(
        ["git", "-C", str(root), *identity, *arguments], capture_output=True, text=True, check=True
    )
    return done.stdout


@pytest.fixture
def repository(folder: Folder) -> Folder:
    """A folder in git with three jobs that share nothing but shbatch.yaml."""
    for name in ("one", "two", "three"):
        folder.job(name, state="created")
    for name in ("one", "two"):
        path = folder.root / "jobs" / f"{name}.yaml"
        path.write_text(path.read_text().replace("ndvi.js", f"{name}.js"))
        folder.write(f"jobs/{name}.js", EVALSCRIPT)
    folder.write(".gitignore", ".shbatch/\n")
    git(folder.root, "init", "-q")
    commit(folder, "first")
    git(folder.root, "checkout", "-q", "-b", "branch")
    return folder


def commit(folder: Folder, message: str) -> None:
    git(folder.root, "add", "-A")
    git(folder.root, "commit", "-q", "-m", message)


def selected(folder: Folder, revision: str = "main") -> set[str]:
    """Return the jobs that a plan with `--changed-since` acts on."""
    plan = folder("plan", "--format", "json", "--changed-since", revision)
    assert plan.code == 0, plan.err
    changed = plan.json["selection"]["changed"]
    assert {change["job"] for change in plan.json["changes"]} == set(changed)
    return set(changed)


def test_nothing_changed_is_nothing_to_do(repository: Folder) -> None:
    assert selected(repository) == set()
    repository.write("README.md", "words")
    commit(repository, "words")
    assert selected(repository) == set()
    assert "nothing to do" in repository("plan", "--changed-since", "main").out
    assert "0 jobs: about 0 PU." in repository("estimate", "--changed-since", "main").out


def test_a_manifest_a_file_it_names_and_shbatch_yaml(repository: Folder) -> None:
    repository.job("three", state="created", resolution=20)
    assert selected(repository) == {"three"}  # not committed yet
    since = ("--changed-since", "main", "--format", "json")
    assert [row["job"] for row in repository("estimate", *since).json["jobs"]] == ["three"]
    assert [row["job"]["name"] for row in repository("render", *since).json] == ["three"]
    commit(repository, "three")
    assert selected(repository) == {"three"}
    repository.write("jobs/one.js", EVALSCRIPT + "// more\n")
    commit(repository, "one's script")
    assert selected(repository) == {"one", "three"}
    repository.job("four", state="created")
    assert selected(repository) == {"one", "three", "four"}  # not even added
    repository.settings(more="defaults: {attempts: 2}\n")
    commit(repository, "defaults")
    assert selected(repository) == {"one", "two", "three", "four"}


def test_a_matrix_over_the_features_of_a_file(repository: Folder) -> None:
    area = '{"type": "Polygon", "coordinates": [[[14, 46], [15, 46], [15, 47], [14, 46]]]}'
    feature = f'{{"type": "Feature", "properties": {{"name": "NAME"}}, "geometry": {area}}}'
    both = f'{{"type": "FeatureCollection", "features": [{feature.replace("NAME", "a")}]}}'
    repository.write("jobs/areas.geojson", both)
    manifest = repository.job("two", state="created")
    text = manifest.read_text().replace("name: two", "name: two-${{ matrix.area.id }}", 1)
    manifest.write_text(text + "matrix:\n  area: {features: areas.geojson, id: properties.name}\n")
    commit(repository, "matrix")
    git(repository.root, "branch", "-f", "main")
    assert selected(repository) == set()
    repository.write("jobs/areas.geojson", both.replace("15, 47", "15, 48"))
    assert selected(repository) == {"two-a"}


def test_a_file_behind_a_link(repository: Folder) -> None:
    (repository.root / "jobs" / "one.js").unlink()
    repository.write("shared/real.js", EVALSCRIPT)
    (repository.root / "jobs" / "one.js").symlink_to("../shared/real.js")
    commit(repository, "link")
    git(repository.root, "branch", "-f", "main")
    repository.write("shared/real.js", EVALSCRIPT + "// more\n")
    assert selected(repository) == {"one"}


def test_what_main_did_meanwhile_does_not_count(repository: Folder) -> None:
    repository.job("three", state="created", resolution=20)
    commit(repository, "three")
    git(repository.root, "checkout", "-q", "main")
    repository.job("two", state="created", resolution=20)
    commit(repository, "two")
    git(repository.root, "checkout", "-q", "branch")
    assert selected(repository) == {"three"}


def test_a_saved_plan_keeps_what_was_selected(repository: Folder) -> None:
    repository.job("three", state="created", resolution=20)
    commit(repository, "three")
    assert repository("plan", "--changed-since", "main", "--out", "plan.json").code == 0
    git(repository.root, "checkout", "-q", "main")
    git(repository.root, "merge", "-q", "--squash", "branch")
    commit(repository, "squashed")
    applied = repository("apply", "plan.json")
    assert applied.code == 0, applied.err
    assert applied.out.splitlines()[-1] == "Apply: 1 created; 1 in sync."


def test_revisions_that_cannot_be_used(
    repository: Folder, tmp_path_factory: pytest.TempPathFactory
) -> None:
    unknown = repository("plan", "--changed-since", "nowhere")
    assert (unknown.code, unknown.out) == (1, "")
    assert "this repository knows no revision nowhere" in unknown.err
    assert "--output=x" in repository("plan", "--changed-since=--output=x").err
    assert not (repository.root / "x").exists()
    for name in ("a", "b"):
        repository.write(f"{name}.txt", name)
        commit(repository, name)
    shallow = tmp_path_factory.mktemp("shallow")
    git(shallow, "clone", "-q", "--depth", "1", f"file://{repository.root}", "clone")
    answer = Folder(shallow / "clone", repository._capfd)("plan", "--changed-since", "HEAD~1")
    assert answer.code == 1
    assert "shallow clone: fetch its history" in answer.err
    git(repository.root, "checkout", "-q", "--orphan", "stranger")
    commit(repository, "no parents")
    assert "no commit in common with main" in repository("plan", "--changed-since", "main").err


def test_outside_of_git(folder: Folder) -> None:
    folder.job("ndvi")
    answer = folder("plan", "--changed-since", "main")
    assert answer.code == 1
    assert "is not in a git repository" in answer.err


def test_pruning_and_a_selection_exclude_each_other(repository: Folder) -> None:
    answer = repository("plan", "--changed-since", "main", "--prune")
    assert answer.code == 1
    assert "--changed-since" in answer.err


def test_the_comment_of_a_real_plan(repository: Folder) -> None:
    assert repository("apply", "--yes").code == 0
    repository.write("jobs/one.js", EVALSCRIPT.replace("index(s.B08, s.B04)", "s.B08"))
    path = repository.root / "jobs" / "two.yaml"
    ring = [[14.4, 46.0], [14.6, 46.0], [14.6, 46.1], [14.4, 46.0]]
    path.write_text(
        path.read_text().replace(
            "bbox: [14.4, 46.0, 14.6, 46.1]", f"geometry: {{type: Polygon, coordinates: [{ring}]}}"
        )
    )
    comment = repository("plan", "--format", "markdown").out
    assert comment.startswith("<!-- shbatch-sync plan crops sandbox -->\n")
    assert "| `-/+` replace | `one` | spec changed |  | `jobs/one.yaml:1` |" in comment
    assert "-  return { default: [index(s.B08, s.B04)] };" in comment
    assert "+  return { default: [s.B08] };" in comment
    assert "! /processRequest/input/bounds/geometry: none → Polygon of 4 points" in comment
