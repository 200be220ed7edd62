from __future__ import annotations

import os
from pathlib import Path

import pytest

import shbatch_sync
from shbatch_sync.errors import ManifestError, SettingsError
from shbatch_sync.project import EmulatorTarget, SecretSource
from shbatch_sync.store.project import find_project, load, load_jobs, load_project
from shbatch_sync.store.schemas import load_schema, schema_text

ROLE = 'iamRoleARN: "arn:aws:iam::000000000000:role/sh"'
JOB = """apiVersion: shbatch-sync/v1
name: NAME
request:
  processRequest:
    input:
      bounds: {bbox: [14.0, 45.8, 14.2, 46.0]}
      data: [{type: sentinel-2-l2a}]
    output: {responses: [{identifier: default, format: {type: image/tiff}}]}
    evalscript: "//VERSION=3\\n"
  input: {type: tiling-grid, id: 0, resolution: 10}
  output: {type: raster, delivery: {s3: {url: "s3://bucket/NAME"}}}
"""
PROJECT = "apiVersion: shbatch-sync/v1\nproject: crops\n"


@pytest.fixture
def root(tmp_path):
    (tmp_path / "jobs").mkdir()
    (tmp_path / "shbatch.yaml").write_text(PROJECT)
    return tmp_path


def add(root, name, text=JOB, **changes):
    for old, new in changes.items():
        text = text.replace(old, new)
    path = root / "jobs" / f"{name}.yaml"
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_text(text.replace("NAME", Path(name).name))
    return path


def project(root, text):
    (root / "shbatch.yaml").write_text(text)
    return load_project(root / "shbatch.yaml")


def refused(root, text):
    with pytest.raises(ManifestError) as caught:
        project(root, text)
    return str(caught.value)


def test_found_beside_and_upward(root):
    sub = root / "jobs" / "deep"
    sub.mkdir()
    for start in (root, sub, sub / "a.yaml"):
        assert find_project(start) == root / "shbatch.yaml"
    with pytest.raises(SettingsError, match="shbatch-sync init"):
        find_project(Path(os.sep))


def test_a_bare_project_has_a_sandbox(root):
    found = project(root, PROJECT)
    assert found.name == "crops"
    assert found.default_target == "sandbox"
    assert found.targets["sandbox"].emulator == EmulatorTarget(db=".shbatch/sandbox.db", speed=600)
    assert (found.prune, found.max_start_pu, found.root) == (False, None, root)


def test_targets(root):
    found = project(
        root,
        PROJECT
        + """
defaultTarget: eu
targets:
  sandbox: {speed: 60}
  eu: {account: abc, maxRunning: 3, settle: 5, ledger: none, rateLimit: 300, listLag: 10}
  named: {profile: p}
  us: {baseUrl: "https://services-uswest2.sentinel-hub.com/", pathPrefix: /batch/v2}
  cdse:
    baseUrl: https://sh.dataspace.copernicus.eu
    clientId: {fromEnv: ID}
    clientSecret: {fromEnv: SECRET}
  own: {baseUrl: "https://sh.example.org", tokenUrl: "https://id.example.org/token"}
  local: {baseUrl: "http://127.0.0.1:8080"}
policy: {prune: true, maxStartPU: 10}
""",
    )
    targets = found.targets
    assert (found.prune, found.max_start_pu, found.default_target) == (True, 10, "eu")
    assert targets["sandbox"].emulator == EmulatorTarget(speed=60)
    eu = targets["eu"]
    assert eu.base_url == "https://services.sentinel-hub.com"
    assert str(eu.token_url).startswith("https://services.sentinel-hub.com/auth/")
    assert (eu.account, eu.max_running, eu.settle, eu.ledger, eu.rate_limit, eu.list_lag) == (
        "abc",
        3,
        5,
        "none",
        300,
        10,
    )
    assert (targets["named"].base_url, targets["named"].token_url) == (None, None)
    assert str(targets["us"].token_url).startswith("https://services.sentinel-hub.com/auth/")
    assert "realms/CDSE" in str(targets["cdse"].token_url)
    assert targets["cdse"].client_secret == SecretSource(env="SECRET")
    assert targets["own"].token_url == "https://id.example.org/token"
    assert str(targets["local"].token_url).startswith("http://127.0.0.1:8080/")
    assert str(targets["cdse"].origin) == "shbatch.yaml:10"


def test_the_only_target_is_the_default(root):
    assert project(root, PROJECT + "targets: {eu: {}}").default_target == "eu"
    assert project(root, PROJECT + "targets: {eu: {}, us: {}}").default_target is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "shbatch.yaml:1:1: the file is empty or holds nothing but comments [empty]"),
        ("a: [", "yaml-syntax"),
        (PROJECT + "---\n" + PROJECT, "holds one document only"),
        (PROJECT.replace("crops", "Crops"), "a project name has lower-case letters"),
        (PROJECT + "polcy: {}", "unknown key 'polcy'; did you mean 'policy'?"),
        (PROJECT + "targets: {}", "is empty"),
        (PROJECT + "targets: {EU: {}}", "'EU' is no name"),
        (PROJECT + "defaultTarget: eu", "there is no target 'eu' (known: sandbox)"),
        (PROJECT + "defaultTarget: sandbax", "did you mean 'sandbox'?"),
        (
            PROJECT + "checks: {grid-resolutoin: off}",
            "there is no check 'grid-resolutoin'; did you mean 'grid-resolution'?",
        ),
        (PROJECT + "checks: {cog: no}", '"no" is not one of error, warning, off'),
        (
            PROJECT + "targets: {a: {emulator: x, profile: y}}",
            "/targets/a/profile: a sandbox (emulator) takes no such setting",
        ),
        (PROJECT + "targets: {a: {speed: 5, profile: y}}", "only a sandbox (emulator) has a speed"),
        (
            PROJECT + "targets: {a: {clientId: {fromEnv: A}}}",
            "clientId and clientSecret belong together",
        ),
        (
            PROJECT + "targets: {a: {clientId: {fromEnv: A}, clientSecret: hunter2}}",
            "a secret must not stand in a file",
        ),
        (
            PROJECT + f"targets: {{a: {{s3: {{{ROLE}, accessKey: {{fromEnv: A}}}}}}}}",
            "exactly one credential form",
        ),
        (
            PROJECT + "targets: {a: {baseUrl: 'http://sh.example.org'}}",
            "never sent over plain http",
        ),
        (PROJECT + "targets: {a: {baseUrl: 'https://sh.example.org'}}", "set tokenUrl as well"),
        (
            PROJECT + "targets: {a: {baseUrl: 'https://u:p@sh.example.org'}}",
            "without path, query or user",
        ),
    ],
)
def test_refused_projects(root, text, message):
    found = refused(root, text)
    assert message in found
    assert "hunter2" not in found


def test_jobs_of_a_project(root):
    add(root, "b")
    add(root, "sub/a")
    jobs = load_jobs(directory=root)
    assert [job.name for job in jobs] == ["a", "b"]
    assert str(jobs[0].origin) == "jobs/sub/a.yaml:1"
    assert [job.target for job in jobs] == ["sandbox", "sandbox"]
    assert shbatch_sync.load_jobs is load_jobs


def test_paths_select_but_everything_is_judged(root):
    a, b = add(root, "a"), add(root, "sub/b")
    loaded = load([a.relative_to(root)], directory=root)
    assert [job.name for job in loaded.jobs if loaded.is_selected(job)] == ["a"]
    assert [job.name for job in loaded.jobs] == ["a", "b"]
    assert [job.name for job in load_jobs(["jobs/sub"], directory=root)] == ["b"]
    assert [job.name for job in load_jobs([root], directory=root)] == ["a", "b"]
    b.write_text("a: 1")
    with pytest.raises(ManifestError):
        load([a], directory=root)


def test_a_manifest_outside_of_jobs_may_be_named(root):
    add(root, "a")
    (root / "extra.yaml").write_text(JOB.replace("NAME", "x"))
    assert [job.name for job in load_jobs([root / "extra.yaml"])] == ["x"]
    assert len(load(["extra.yaml"], directory=root).jobs) == 2


def test_a_project_without_a_jobs_folder_has_its_manifests_beside(tmp_path):
    (tmp_path / "shbatch.yaml").write_text(PROJECT)
    (tmp_path / "a.yaml").write_text(JOB.replace("NAME", "a"))
    assert [job.name for job in load_jobs(directory=tmp_path)] == ["a"]


def test_another_project_inside_is_left_alone(root):
    add(root, "a")
    add(root, "other/b")
    (root / "jobs" / "other" / "shbatch.yaml").write_text(PROJECT.replace("crops", "other"))
    assert [job.name for job in load_jobs(directory=root)] == ["a"]
    assert [job.name for job in load_jobs(directory=root / "jobs" / "other")] == ["b"]
    with pytest.raises(SettingsError, match="different projects"):
        load_jobs(["jobs/a.yaml", "jobs/other/b.yaml"], directory=root)


def test_standard_input(root):
    add(root, "a")
    loaded = load(["-"], directory=root, stdin=JOB.replace("NAME", "piped"))
    assert [job.name for job in loaded.jobs if loaded.is_selected(job)] == ["piped"]
    assert len(loaded.jobs) == 2


def test_files_of_standard_input_are_looked_for_where_one_stands(root):
    piped = JOB.replace('"//VERSION=3\\n"', "{fromFile: x.js}").replace("NAME", "piped")
    (root / "jobs" / "x.js").write_text("//VERSION=3\n")
    (job,) = load(["-"], directory=root / "jobs", stdin=piped).jobs
    assert job.spec["processRequest"]["evalscript"] == "//VERSION=3\n"
    with pytest.raises(ManifestError) as caught:
        load(["-"], directory=root, stdin=piped)
    (problem,) = caught.value.problems
    assert problem.file == "-"
    assert problem.message == f"x.js in {root} cannot be read: No such file or directory"


def test_nothing_there(root):
    with pytest.raises(SettingsError, match="no manifests"):
        load(directory=root)
    with pytest.raises(SettingsError, match="there is no"):
        load(["jobs/nowhere.yaml"], directory=root)
    add(root, "a")
    (root / "jobs" / "empty").mkdir()
    with pytest.raises(SettingsError, match="no manifests"):
        load(["jobs/empty"], directory=root)


def test_every_problem_at_once(root):
    add(root, "a", **{"resolution: 10": "resolution: 15"})
    add(root, "b", "a: [")
    (root / "jobs" / "c.yaml").write_bytes(b"\xff\xfe")
    add(root, "d", colour="red")
    add(root, "e", **{"name: NAME": "name: NAME\ncolour: red"})
    with pytest.raises(ManifestError) as caught:
        load(directory=root)
    assert [(problem.file, problem.code) for problem in caught.value.problems] == [
        ("jobs/a.yaml", "grid-resolution"),
        ("jobs/b.yaml", "yaml-syntax"),
        ("jobs/c.yaml", "file"),
        ("jobs/e.yaml", "unknown-key"),
    ]


def test_targets_of_jobs(root):
    (root / "shbatch.yaml").write_text(
        PROJECT + f"targets: {{eu: {{maxPU: 7, s3: {{{ROLE}}}}}, us: {{s3: {{{ROLE}}}}}}}"
    )
    add(root, "a")
    with pytest.raises(
        ManifestError, match=r"names no target, and the project has several \(eu, us\)"
    ):
        load(directory=root)
    (job,) = load_jobs(directory=root, target="eu")
    assert (job.target, job.max_pu) == ("eu", 7)
    with pytest.raises(SettingsError, match="there is no target 'eux'"):
        load(directory=root, target="eux")
    add(
        root,
        "a",
        **{"name: NAME": "name: NAME\ntarget: [us, eu]\nmaxPU: 3", "bucket/": "${{ target }}/"},
    )
    assert [(job.target, job.max_pu) for job in load_jobs(directory=root)] == [("eu", 3), ("us", 3)]


def test_variables_come_from_everywhere(root):
    (root / "shbatch.yaml").write_text(
        PROJECT
        + "targets: {sandbox: {vars: {b: target}}}\nvars: {a: project, b: project, c: project, d: project}"
    )
    add(
        root,
        "a",
        **{
            "name: NAME": 'name: NAME\ndescription: "${{ vars.a }} ${{ vars.b }} ${{ vars.c }} ${{ vars.d }}"'
        },
    )
    env = {"SHBATCH_VAR_c": "environment", "SHBATCH_VAR_d": "environment"}
    (job,) = load_jobs(directory=root, variables={"d": "argument"}, env=env)
    assert job.description == "project target environment argument"


def test_credentials_are_names_and_unset_ones_are_listed(root):
    s3 = "accessKey: {fromEnv: K}, secretAccessKey: {fromEnv: S}"
    (root / "shbatch.yaml").write_text(PROJECT + f"targets: {{eu: {{s3: {{{s3}, region: r}}}}}}")
    add(root, "a")
    loaded = load(directory=root, env={"K": "very-secret"})
    (job,) = loaded.jobs
    assert job.credentials == {
        "/output/delivery/s3/accessKey": "K",
        "/output/delivery/s3/secretAccessKey": "S",
    }
    assert job.spec["output"]["delivery"]["s3"] == {"url": "s3://bucket/a", "region": "r"}
    assert loaded.unset == {"S": ("a",)}
    assert "very-secret" not in repr(loaded)


def test_defaults_and_their_faults_stand_in_the_project_file(root):
    (root / "shbatch.yaml").write_text(
        PROJECT + "defaults:\n  state: started\n  request:\n    output: {overwrite: maybe}\n"
    )
    add(root, "a")
    with pytest.raises(ManifestError) as caught:
        load(directory=root)
    assert "shbatch.yaml:6:25: /request/output/overwrite:" in str(caught.value)
    add(root, "a", **{"type: raster": "type: raster, overwrite: null"})
    (job,) = load_jobs(directory=root)
    assert job.state == "started"
    assert "overwrite" not in job.spec["output"]


def test_files_of_defaults_are_relative_to_the_project_file(root):
    (root / "script.js").write_text("//VERSION=3\n// top\n")
    (root / "shbatch.yaml").write_text(
        PROJECT + "defaults: {request: {processRequest: {evalscript: {fromFile: script.js}}}}\n"
    )
    add(root, "a", **{'    evalscript: "//VERSION=3\\n"\n': ""})
    (job,) = load_jobs(directory=root)
    assert "// top" in job.spec["processRequest"]["evalscript"]


def test_labels_become_text(root):
    add(root, "a", **{"name: NAME": "name: NAME\nlabels: {year: 2024, on: true, x: y}"})
    assert load_jobs(directory=root)[0].labels == {"year": "2024", "on": "true", "x": "y"}


def test_schemas_ship():
    assert '"Job of shbatch-sync"' in schema_text("job")
    assert load_schema("project") is load_schema("project")
    with pytest.raises(SettingsError):
        schema_text("nothing")


def test_two_jobs_cannot_have_had_one_name(root):
    for name in ("a", "b"):
        add(root, name, JOB + "previousNames: [old]\n")
    with pytest.raises(ManifestError, match="cannot be a previous name: it is that of the job 'a'"):
        load(directory=root, env={})
    add(root, "b", JOB + "previousNames: [a]\n")
    with pytest.raises(
        ManifestError, match="'a' cannot be a previous name: it is that of the job 'a'"
    ):
        load(directory=root, env={})
