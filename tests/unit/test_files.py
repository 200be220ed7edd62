from __future__ import annotations

import os

import pytest

from shbatch_sync.files import FileRefusedError, TextFile, read_json
from shbatch_sync.geojson import canonical_crs, features, read_area
from shbatch_sync.store.files import MAX_FILE_BYTES, ProjectFiles, manifest_files, relative_names

POLYGON = '{"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]}'


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "project"
    (folder / "jobs" / "sub").mkdir(parents=True)
    return folder


def refusal(root, path, beside="jobs/a.yaml"):
    with pytest.raises(FileRefusedError) as caught:
        ProjectFiles(root).read(path, beside=beside)
    return str(caught.value)


def test_paths_are_relative_to_the_file_they_stand_in(root):
    (root / "jobs" / "sub" / "x.js").write_text("deep")
    (root / "x.js").write_text("top")
    files = ProjectFiles(root)
    assert files.read("sub/x.js", beside="jobs/a.yaml") == TextFile(
        path="jobs/sub/x.js", text="deep"
    )
    assert files.read("../x.js", beside="jobs/a.yaml").path == "x.js"
    assert files.read("x.js", beside="-").text == "top"
    assert files.read(str(root / "x.js"), beside="jobs/a.yaml").path == "x.js"


def test_files_of_standard_input_are_in_the_folder_that_one_stands_in(root, tmp_path):
    (root / "jobs" / "x.js").write_text("here")
    files = ProjectFiles(root, root / "jobs")
    assert files.read("x.js", beside="-") == TextFile(path="jobs/x.js", text="here")
    for read in (files.read, files.package):
        with pytest.raises(FileRefusedError, match=f"^y in {root}/jobs cannot be read: No such"):
            read("y", beside="-")
    with pytest.raises(FileRefusedError, match=f"^x.js in {tmp_path} lies outside the project"):
        ProjectFiles(root, tmp_path).read("x.js", beside="-")


def test_each_file_is_read_once(root):
    (root / "x.js").write_text("one")
    files = ProjectFiles(root)
    first = files.read("x.js", beside="shbatch.yaml")
    (root / "x.js").write_text("two")
    assert files.read("../x.js", beside="jobs/a.yaml") is first


def test_checkouts_of_every_system_read_the_same(root):
    (root / "x.js").write_bytes(b"\xef\xbb\xbfa\r\nb\r\n")
    assert ProjectFiles(root).read("x.js", beside="-").text == "a\nb\n"


def test_links_must_end_inside(root, tmp_path):
    (tmp_path / "secret").write_text("s")
    (root / "jobs" / "out").symlink_to(tmp_path / "secret")
    (root / "jobs" / "in").symlink_to(root / "jobs" / "sub" / "x.js")
    (root / "jobs" / "sub" / "x.js").write_text("x")
    (root / "jobs" / "folder").symlink_to(tmp_path)
    assert refusal(root, "out") == "out lies outside the project"
    assert refusal(root, "folder/secret") == "folder/secret lies outside the project"
    assert refusal(root, "../../secret") == "../../secret lies outside the project"
    assert ProjectFiles(root).read("in", beside="jobs/a.yaml").text == "x"


def test_only_regular_files(root):
    os.mkfifo(root / "jobs" / "pipe")
    assert refusal(root, "pipe") == "pipe is not a regular file"
    assert "cannot be read" in refusal(root, "sub")
    assert refusal(root, "/dev/zero") == "/dev/zero lies outside the project"
    (root / "jobs" / "loop").symlink_to(root / "jobs" / "loop")
    assert "cannot be read" in refusal(root, "loop")
    assert refusal(root, "") == "is no path"
    assert refusal(root, "a\0b") == "is no path"
    assert refusal(root, "sub\\x.js") == "sub\\x.js: write paths with /"


def test_size_and_encoding(root):
    for name, content, message in (
        ("big", b"x" * (MAX_FILE_BYTES + 1), "big is larger than 16 MiB"),
        ("utf16", "a".encode("utf-16"), "utf16 is UTF-16: save it as UTF-8"),
        ("utf32", "a".encode("utf-32"), "utf32 is UTF-32: save it as UTF-8"),
        ("latin", b"a\nb\xe4", "latin is not UTF-8: line 2 has the byte 0xe4: save it as UTF-8"),
        ("nul", b"a\n\n\0", "nul is not text: line 3 has a NUL character"),
    ):
        (root / "jobs" / name).write_bytes(content)
        assert refusal(root, name) == message


def test_manifests_of_a_folder(root):
    jobs = root / "jobs"
    for name in ("b.yaml", "a.yml", "sub/c.YAML", ".hidden.yaml", "note.txt", "shbatch.yaml"):
        (jobs / name).write_text("x")
    (jobs / "area.json").write_text(POLYGON)
    (jobs / "job.json").write_text('{"apiVersion": 1}')
    (jobs / "broken.json").symlink_to(jobs / "nowhere")
    for folder in (".git", "other"):
        (jobs / folder).mkdir()
        (jobs / folder / "d.yaml").write_text("x")
    (jobs / "other" / "shbatch.yaml").write_text("x")
    found = [path.relative_to(jobs).as_posix() for path in manifest_files(jobs)]
    assert found == ["a.yml", "b.yaml", "job.json", "sub/c.YAML"]


def test_a_folder_that_cannot_be_listed_is_no_empty_one(root):
    with pytest.raises(FileRefusedError, match="cannot be read"):
        manifest_files(root / "nowhere")


def test_names_of_manifests(root):
    (root / "jobs" / "a.yaml").write_text("x")
    path = root / "jobs" / "a.yaml"
    (root.parent / "link").symlink_to(root)
    assert relative_names([path, root], root) == {"jobs/a.yaml": path, ".": root}
    assert list(relative_names([root.parent / "link" / "jobs" / "a.yaml"], root)) == ["jobs/a.yaml"]
    assert list(relative_names([path], root.parent / "link")) == ["jobs/a.yaml"]
    (root / "jobs" / "out.yaml").symlink_to(root.parent / "b.yaml")
    with pytest.raises(FileRefusedError, match="outside"):
        relative_names([root / "jobs" / "out.yaml"], root)
    with pytest.raises(FileRefusedError, match="outside"):
        relative_names([root.parent / "b.yaml"], root)


def area(text):
    return read_area(TextFile(path="x.geojson", text=text))


def test_areas():
    bare = area(POLYGON)
    feature = '{"type": "Feature", "geometry": ' + POLYGON + "}"
    assert area(feature) == bare
    assert area('{"type": "FeatureCollection", "features": [' + feature + "]}") == bare
    assert area(POLYGON.replace('"type"', '"bbox": [0, 0, 1, 1], "type"')) == bare


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "x.geojson:1:2: not JSON"),
        ('{"a": NaN}', "NaN is no JSON number"),
        ('{"a": 1e999}', "too large"),
        ("[" * 100_000, "too deep"),
        ("[]", "is no GeoJSON"),
        ('{"type": "Feature", "geometry": null}', "is no GeoJSON"),
        ('{"type": "Point", "coordinates": [0, 0]}', "holds a Point"),
        ('{"type": "Polygon"}', "holds a Polygon"),
        ('{"type": "FeatureCollection"}', "is no GeoJSON FeatureCollection"),
        ('{"type": "FeatureCollection", "features": [1]}', "is no GeoJSON FeatureCollection"),
        ('{"type": "FeatureCollection", "features": []}', "has 0 features, an area is one"),
    ],
)
def test_what_is_no_area(text, message):
    with pytest.raises(FileRefusedError, match=message):
        area(text)


@pytest.mark.parametrize(
    ("name", "canonical"),
    [
        ("urn:ogc:def:crs:OGC:1.3:CRS84", "http://www.opengis.net/def/crs/OGC/1.3/CRS84"),
        ("urn:ogc:def:crs:EPSG::3035", "http://www.opengis.net/def/crs/EPSG/0/3035"),
        ("EPSG:3035", "http://www.opengis.net/def/crs/EPSG/0/3035"),
        ("local", "local"),
    ],
)
def test_names_of_crs(name, canonical):
    assert canonical_crs(name) == canonical


def test_json_that_is_no_area():
    assert features(TextFile(path="x", text='{"type": "FeatureCollection", "features": []}')) == []
    assert read_json(TextFile(path="x", text="1")) == 1
