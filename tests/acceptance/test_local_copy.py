"""A GeoPackage of the project: named, paid for, and changed afterwards."""

from __future__ import annotations

from tests.acceptance.conftest import ROLE, Folder
from tests.geopackages import FIELD, Table, blob, write

GRID = "input: {type: tiling-grid, id: 0, resolution: 10}"
PACKAGE = f'input: {{type: geopackage, features: {{s3: {{url: "s3://in/a.gpkg", iamRoleARN: "{ROLE}"}}}}}}'
EVERYWHERE = "bounds: {bbox: [13, 45, 15, 47]}"


def declare(folder: Folder, more: str = "localCopy: a.gpkg") -> None:
    manifest = folder.job("fields", more=more)
    text = manifest.read_text().replace(GRID, PACKAGE)
    manifest.write_text(text.replace("bounds: {bbox: [14.4, 46.0, 14.6, 46.1]}", EVERYWHERE))


def draw(folder: Folder, *names: str) -> None:
    path = folder.root / "jobs" / "a.gpkg"
    path.unlink(missing_ok=True)
    write(path, Table(rows=[(name, blob(FIELD), 500, 500) for name in names]))


def test_other_areas_are_another_request_and_naming_them_is_none(folder: Folder) -> None:
    declare(folder, more="")
    draw(folder, "a", "b")
    assert folder("apply", "--yes", "--wait").code == 0
    [before] = folder.requests()

    declare(folder)
    planned = folder("plan", "--format", "json").json["changes"]
    assert [(change["action"], change["reason"]) for change in planned] == [("update", "cosmetic")]
    assert folder("apply", "--yes", "--wait").code == 0
    assert folder("plan").out.strip().splitlines()[-1].startswith("Plan: nothing to do")

    draw(folder, "a", "b", "c")
    shown = folder("plan")
    assert '/localCopy:\n        - "unknown"\n        + "sha256:' in shown.out
    assert "--allow replace" in shown.out
    assert folder("apply", "--yes", "--wait").code == 3
    [after] = folder.requests()
    assert after["requestId"] == before["requestId"]

    assert folder("apply", "--yes", "--wait", "--allow", "replace").code == 0
    [paid] = folder.requests()
    assert paid["requestId"] != before["requestId"]
    assert paid["state"] == "done"
    assert folder("plan", "--detailed-exitcode").code == 0
    history = folder("history", "--format", "json").out
    assert history.count('"start"') == 2


def test_the_price_is_counted_before_anything_exists(folder: Folder) -> None:
    declare(folder)
    draw(folder, *(f"n{number}" for number in range(40)))
    [job] = folder("estimate", "--format", "json").json["jobs"]
    assert job["estimate"]["tiles"] == 40
    assert job["estimate"]["pixels"] == 40 * 500 * 500
    limited = folder("plan", "--max-pu", "10000", "--format", "json").json["changes"]
    assert [change["withheld"] for change in limited] == [None, None]
