from __future__ import annotations

import copy
import subprocess
import sys
from pathlib import Path

import pytest

from shbatch_sync.checks import RULES
from shbatch_sync.checks.area import check_bounds, check_geometry, check_grid
from shbatch_sync.checks.data import check_data, check_evalscript, check_times
from shbatch_sync.checks.delivery import (
    check_credentials,
    check_old_files,
    check_path,
    delivery_place,
    shared_place,
)
from shbatch_sync.checks.outputs import check_features, check_raster, check_responses, check_zarr
from shbatch_sync.checks.script import check_script
from shbatch_sync.store.project import load

EXAMPLES = Path(__file__).parents[1] / "examples" / "manifests" / "invalid"
CRS = "http://www.opengis.net/def/crs/EPSG/0/{}"
SQUARE = [[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]


def body(**parts):
    """Return a request body without a fault; `parts` replace members named by their way, `a__b`."""
    result = copy.deepcopy(
        {
            "processRequest": {
                "input": {
                    "bounds": {"bbox": [14.0, 45.8, 14.2, 46.0]},
                    "data": [{"type": "sentinel-2-l2a"}],
                },
                "output": {"responses": [{"identifier": "a", "format": {"type": "image/tiff"}}]},
                "evalscript": "//VERSION=3\n",
            },
            "input": {"type": "tiling-grid", "id": 0, "resolution": 10},
            "output": {"type": "raster", "delivery": {"s3": {"url": "s3://bucket/key"}}},
        }
    )
    for way, value in parts.items():
        *front, last = way.split("__")
        place = result
        for step in front:
            place = place[step]
        place[last] = value
    return result


def codes(findings):
    return [finding.code for finding in findings]


@pytest.mark.parametrize(
    ("grid", "resolution", "found"),
    [
        (0, 10.0, []),
        (0, 30, ["grid-resolution-doubtful"]),
        (0, 15, ["grid-resolution"]),
        (1, 1.4999, []),
        (3, 0.0002, []),
        (5, 10, ["grid-unknown"]),
    ],
)
def test_grids(grid, resolution, found):
    assert codes(check_grid(body(input__id=grid, input__resolution=resolution))) == found


def test_a_geopackage_has_no_grid_and_may_have_no_bounds():
    gpkg = body(input={"type": "geopackage", "features": {"s3": {"url": "s3://b/a.gpkg"}}})
    assert codes(check_grid(gpkg)) == []
    assert codes(check_bounds(gpkg)) == []
    del gpkg["processRequest"]["input"]["bounds"]
    assert codes(check_bounds(gpkg)) == ["area-everything"]
    assert codes(check_geometry(gpkg)) == []


@pytest.mark.parametrize(
    ("bbox", "crs", "found"),
    [
        ([14, 45, 15, 46], CRS.format(4326), []),
        ([14, 45, 15, 46], CRS.format(32633), ["geometry-units"]),
        ([500000, 5000000, 510000, 5010000], CRS.format(32633), []),
        ([500000, 5000000, 510000, 5010000], CRS.format(4326), ["geometry-range"]),
        ([15, 45, 14, 46], CRS.format(4326), ["bbox"]),
        ([500000, 5000000, 510000, 5010000], CRS.format(31370), ["crs-unlisted"]),
        ([14, 45, 15, 46], "EPSG:4326", ["crs"]),
        ([14, 45, 15, 46], "nothing", ["crs"]),
    ],
)
def test_bounds(bbox, crs, found):
    bounds = {"bbox": bbox, "properties": {"crs": crs}}
    assert codes(check_bounds(body(processRequest__input__bounds=bounds))) == found


@pytest.mark.parametrize(
    ("coordinates", "found"),
    [
        ([SQUARE], []),
        ([[[0, 0], [2, 0], [1, 1], [0, 0]]], []),
        ([[[0, 0], [0, 1], [1, 1], [1, 0], [0, 0]]], []),
        ([[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]], ["geometry-crossing"]),
        ([[[0, 0], [4, 0], [4, 4], [2, 1], [0, 4], [0, 0]]], []),
        ([[[0, 0], [2, 0], [3, 2], [1, 4], [-1, 2], [0, 0]]], []),
        ([[[0, 0], [1, 0], [2, 0], [2, 2], [0, 2], [0, 0]]], []),
        ([[[0, 3], [2, -3], [-3, 1], [3, 1], [-2, -3], [0, 3]]], ["geometry-crossing"]),
        ([[[0, 0], [2, 0], [2, 2], [2, 2], [0, 2], [0, 0]]], []),
        ([[[0.0, 0], [4.5, 0.0], [0.0, 4.5], [0.0, 0]]], []),
        ([SQUARE, [[0.2, 0.2], [0.4, 0.2], [0.4, 0.4], [0.2, 0.2]]], []),
        ([[*SQUARE[:-1]]], ["geometry"]),
        ([[[0, 0], [1, 0], [0, 0]]], ["geometry"]),
        ([[[0, 0, 5], [1, 0, 5], [1, 1, 5], [0, 0, 5]]], ["geometry"]),
        ([[[0, True], [1, 0], [1, 1], [0, True]]], ["geometry"]),
        ([5], ["geometry"]),
        ([], ["geometry"]),
        ("text", ["geometry"]),
        ([[[0, 0], [1, 0], [1, 100], [0, 0]]], ["geometry-range"]),
    ],
)
def test_polygons(coordinates, found):
    bounds = {"geometry": {"type": "Polygon", "coordinates": coordinates}}
    assert codes(check_geometry(body(processRequest__input__bounds=bounds))) == found


def test_a_geometry_let_through_is_left_alone():
    assert (
        codes(check_geometry(body(processRequest__input__bounds={"geometry": {"type": "New"}})))
        == []
    )


def multipolygon(coordinates):
    return body(
        processRequest__input__bounds={
            "geometry": {"type": "MultiPolygon", "coordinates": coordinates}
        }
    )


def test_multipolygons():
    assert codes(check_geometry(multipolygon([[SQUARE]]))) == []
    assert codes(check_geometry(multipolygon([[SQUARE], [SQUARE]]))) == ["geometry-crossing"]
    (finding,) = check_geometry(multipolygon([[SQUARE], [SQUARE[:-1]]]))
    assert finding.message.startswith("polygon 2: the ring is open")
    (finding,) = check_geometry(multipolygon([]))
    assert finding.message == "has no polygon"


def test_complexity():
    def cell(x, y):
        return [[[x, y], [x + 0.01, y], [x + 0.01, y + 0.01], [x, y + 0.01], [x, y]]]

    cells = [cell(x * 0.02, y * 0.02) for x in range(60) for y in range(43)]
    assert codes(check_geometry(multipolygon(cells[:100]))) == []
    assert codes(check_geometry(multipolygon(cells[:400]))) == ["geometry-complex"]
    assert codes(check_geometry(multipolygon(cells))) == ["geometry-refused"]


@pytest.mark.parametrize(
    ("times", "found"),
    [
        ({"from": "2024-05-01T00:00:00Z", "to": "2024-05-01T00:00:00+00:00"}, 0),
        ({"from": "2024-05-01T00:00:00.000Z"}, 0),
        ({}, 0),
        ({"from": "2024-05-01", "to": "2024-05-32T00:00:00Z"}, 2),
        ({"from": "2024-05-01T00:00:00"}, 1),
        ({"from": "2024-05-02T00:00:00+02:00", "to": "2024-05-01T21:59:59Z"}, 1),
        ({"from": 5}, 1),
    ],
)
def test_times(times, found):
    data = [{"type": "sentinel-2-l2a", "dataFilter": {"timeRange": times}}]
    assert codes(check_times(body(processRequest__input__data=data))) == ["time-range"] * found


def test_members_that_were_let_through_are_left_alone():
    data = [
        {"type": "new", "dataFilter": "text", "processing": [1]},
        {"type": "new", "dataFilter": {"timeRange": 5}, "id": "b"},
    ]
    assert codes(check_times(body(processRequest__input__data=data))) == []
    assert codes(check_data(body(processRequest__input__data=data))) == ["fusion-id"]


def test_data():
    one = {"type": "sentinel-1-grd", "id": "a", "processing": {"backCoeff": "GAMMA0_TERRAIN"}}
    two = {"type": "sentinel-2-l2a", "id": "b"}
    assert codes(check_data(body(processRequest__input__data=[one, two]))) == ["terrain-correction"]
    one["processing"]["orthorectify"] = True
    assert codes(check_data(body(processRequest__input__data=[one, two]))) == []
    assert codes(check_data(body(processRequest__input__data=[one, one]))) == ["fusion-id"]


@pytest.mark.parametrize(
    ("script", "found"),
    [
        ("//VERSION=3\nx", 0),
        ("//VERSION=3  \n", 0),
        ("\n//VERSION=3", 1),
        ("// VERSION=3", 1),
        ("return [B04]", 1),
    ],
)
def test_evalscripts(script, found):
    assert len(list(check_evalscript(body(processRequest__evalscript=script)))) == found


ROLE = {"url": "s3://b/k", "iamRoleARN": "r"}
PLAIN = {"url": "s3://b/k"}
KEYS = {"/output/delivery/s3/accessKey": "K", "/output/delivery/s3/secretAccessKey": "S"}
CDSE = "https://sh.dataspace.copernicus.eu"


@pytest.mark.parametrize(
    ("delivery", "credentials", "url", "found"),
    [
        ({"s3": ROLE}, {}, None, []),
        ({"s3": PLAIN}, KEYS, CDSE, []),
        ({"s3": PLAIN}, {}, None, ["credentials"]),
        ({"s3": ROLE}, KEYS, None, ["credentials"]),
        ({"s3": PLAIN}, {"/output/delivery/s3/accessKey": "K"}, None, ["credentials"]),
        ({"s3": PLAIN}, {"/output/delivery/s3/secretAccessKey": "K"}, None, ["credentials"]),
        ({"s3": ROLE}, {}, CDSE, ["credentials-deployment"]),
        ({"gs": PLAIN}, {"/output/delivery/gs/credentials": "G"}, None, []),
        ({"gs": PLAIN}, {"/output/delivery/gs/credentials": "G"}, CDSE, ["credentials-deployment"]),
        ({"gs": PLAIN}, {}, None, ["credentials"]),
    ],
)
def test_credentials(delivery, credentials, url, found):
    request = body(output__delivery=delivery)
    assert codes(check_credentials(request, credentials, url, sandbox=False)) == found


def test_a_sandbox_needs_no_credentials():
    assert codes(check_credentials(body(), {}, None, sandbox=True)) == []


@pytest.mark.parametrize(
    ("url", "outputs", "found"),
    [
        ("s3://bucket/key", 2, []),
        ("s3://bucket/<tileName>/<outputId>.<format>", 2, []),
        ("s3://bucket/<tileId>.<format>", 1, []),
        ("s3://bucket/<requestId>", 1, ["path-tile"]),
        ("s3://bucket/<tileName>", 2, ["path-output"]),
        ("s3://bucket/{tileName}", 1, ["path-placeholder", "path-tile"]),
        ("s3://bucket/ä+b", 1, ["path-characters"]),
    ],
)
def test_paths(url, outputs, found):
    responses = [
        {"identifier": str(number), "format": {"type": "image/tiff"}} for number in range(outputs)
    ]
    request = body(output__delivery__s3__url=url, processRequest__output__responses=responses)
    assert codes(check_path(request)) == found


def test_a_delivery_of_unknown_kind_has_no_url():
    assert delivery_place(body(output__delivery={"pl": {"ref": 1}})) == (("output", "delivery"), "")


@pytest.mark.parametrize(
    ("url", "kind", "place"),
    [
        ("s3://b/k", "raster", ""),
        ("s3://b/<requestId>/<tileName>", "raster", ""),
        ("s3://b/<tileName>/", "raster", "s3://b/<tileName>"),
        ("s3://b/k", "zarr", "s3://b/k"),
    ],
)
def test_shared_places(url, kind, place):
    assert shared_place(body(output__delivery__s3__url=url, output__type=kind)) == place


def test_old_files():
    request = body(output__delivery__s3__url="s3://b/<tileName>")
    assert codes(check_old_files(request, 1, retries=False)) == []
    assert codes(check_old_files(request, 2, retries=False)) == ["delivery-old-files"]
    assert codes(check_old_files(request, 1, retries=True)) == ["delivery-old-files"]
    assert codes(check_old_files(body(), 2, retries=True)) == []
    assert (
        codes(
            check_old_files(
                {**request, "output": {**request["output"], "overwrite": True}}, 2, retries=True
            )
        )
        == []
    )
    zarr = body(output__type="zarr")
    assert "overwrite" not in next(iter(check_old_files(zarr, 2, retries=False))).message


@pytest.mark.parametrize(
    ("identifier", "form", "kind", "found"),
    [
        ("a", "image/tiff", "raster", []),
        ("userdata", "application/json", "raster", []),
        ("userdata", "image/tiff", "raster", ["response-format"]),
        ("a", "application/json", "raster", ["response-format"]),
        ("a", "zarr/array", "raster", ["response-format"]),
        ("a", "zarr/array", "zarr", []),
        ("a", "image/tiff", "zarr", ["response-format"]),
    ],
)
def test_responses(identifier, form, kind, found):
    responses = [{"identifier": identifier, "format": {"type": form}}]
    request = body(output__type=kind, processRequest__output__responses=responses)
    assert codes(check_responses(request)) == found


def test_a_response_given_twice():
    one = {"identifier": "a", "format": {"type": "image/tiff"}}
    assert codes(check_responses(body(processRequest__output__responses=[one, one]))) == [
        "response-twice"
    ]


def test_raster():
    assert codes(check_raster(body(output__createCollection=True, output__collectionId="x"))) == [
        "cog",
        "cog",
    ]
    assert codes(check_raster(body(output__createCollection=True, output__cogOutput=True))) == []
    assert codes(check_raster(body(output__cogParameters={}))) == ["cog-unused"]
    assert codes(check_raster(body(output__type="zarr"))) == []


@pytest.mark.parametrize(
    ("defaults", "found"),
    [
        ({"width": 1, "height": 1}, []),
        ({"resolution": 1}, []),
        ({}, ["feature-size"]),
        ({"width": 1}, ["feature-size"]),
        ({"width": 1, "height": 1, "resolution": 1}, ["feature-size"]),
    ],
)
def test_feature_defaults(defaults, found):
    assert codes(check_features(body(input={"type": "geopackage", "defaults": defaults}))) == found


ARRAY = {"dtype": "<u2", "order": "C", "chunks": [1, 1000, 500], "fill_value": 0}


def zarr(array=ARRAY, overrides=None, **source):
    output = {"type": "zarr", "delivery": {"s3": {"url": "s3://b"}}, "group": {"zarr_format": 2}}
    output |= {"arrayParameters": array} if array is not None else {}
    output |= {"arrayOverrides": overrides} if overrides is not None else {}
    return body(output=output, input={"type": "tiling-grid", "id": 6, "resolution": 100, **source})


@pytest.mark.parametrize(
    ("request_body", "found"),
    [
        (zarr(), []),
        (zarr(id=0, resolution=10), ["zarr-grid", "zarr-chunks"]),
        (zarr(id=99), []),
        (zarr(resolution=7), []),
        (zarr(bufferX=5), ["zarr-chunks"]),
        (zarr(None), ["zarr-array"]),
        (zarr({"order": "C"}), ["zarr-array"]),
        (zarr(None, {"a": ARRAY}), []),
        (zarr(ARRAY, {"b": {}}), ["zarr-override"]),
        (zarr({**ARRAY, "chunks": [2, 1000, 1000]}), ["zarr-chunks"]),
        (zarr(ARRAY, {"a": {"fill_value": -1}}), ["zarr-array"]),
        (zarr({**ARRAY, "fill_value": 70000}), ["zarr-array"]),
        (zarr({**ARRAY, "fill_value": 0.5}), ["zarr-array"]),
        (zarr({**ARRAY, "dtype": "|i1", "fill_value": -128}), []),
        (zarr({**ARRAY, "dtype": "<f4", "fill_value": "NaN"}), []),
        (zarr({**ARRAY, "dtype": "<f4", "fill_value": -9999.5}), []),
        (zarr({**ARRAY, "dtype": "<f4", "fill_value": "none"}), ["zarr-array"]),
        (zarr({**ARRAY, "fill_value": "NaN"}), ["zarr-array"]),
        (zarr({**ARRAY, "dtype": "float16"}), []),
    ],
)
def test_zarr(request_body, found):
    assert codes(check_zarr(request_body)) == found


def test_zarr_of_a_geopackage():
    request = {**zarr(), "input": {"type": "geopackage"}}
    assert codes(check_zarr(request)) == ["zarr-grid"]
    assert codes(check_zarr(body())) == []


def test_every_rule_is_documented():
    for code, rule in RULES.items():
        assert rule.code == code
        assert rule.severity in ("error", "warning")
        assert rule.reason
        assert rule.source


def test_every_error_has_an_example():
    texts = "\n".join(path.read_text() for path in EXAMPLES.glob("*.txt"))
    errors = {code for code, rule in RULES.items() if rule.severity == "error"} - {
        "geometry-refused",
        "package-many",
    }
    assert {code for code in errors if f"[{code}]" not in texts} == set()


MANIFEST = """apiVersion: shbatch-sync/v1
name: NAME
request:
  processRequest:
    input:
      bounds: {bbox: [14.0, 45.8, 14.2, 46.0]}
      data: [{type: sentinel-2-l2a}]
    output: {responses: [{identifier: default, format: {type: image/tiff}}]}
    evalscript: "return [B04]" # COMMENT
  input: {type: tiling-grid, id: 0, resolution: 10}
  output: {type: raster, delivery: {s3: {url: "s3://bucket/<tileName>"}}}
"""


def warnings(root, switches="", comment="", above=""):
    (root / "jobs").mkdir(exist_ok=True)
    (root / "shbatch.yaml").write_text(f"apiVersion: shbatch-sync/v1\nproject: crops\n{switches}\n")
    text = MANIFEST.replace("# COMMENT", comment).replace(
        "    evalscript", above + "    evalscript"
    )
    (root / "jobs" / "a.yaml").write_text(text.replace("NAME", "a"))
    return [(problem.code, problem.severity) for problem in load(directory=root, env={}).problems]


def test_checks_are_switched(tmp_path):
    assert warnings(tmp_path) == [("evalscript-version", "warning")]
    assert warnings(tmp_path, "checks: {evalscript-version: off}") == []
    assert warnings(tmp_path, comment="# shbatch-sync: ignore[evalscript-version]") == []
    assert warnings(tmp_path, comment="# shbatch-sync: ignore[cog, evalscript-version] why") == []
    assert warnings(tmp_path, comment="# shbatch-sync: ignore[cog]") != []
    assert warnings(tmp_path, above="    # shbatch-sync: ignore[evalscript-version]\n") == []
    assert warnings(tmp_path, above="\n# shbatch-sync: ignore-file[evalscript-version]\n\n\n") == []
    assert warnings(tmp_path, above="\n# shbatch-sync: ignore[evalscript-version]\n\n\n") != []


def test_two_jobs_of_one_place(tmp_path):
    warnings(tmp_path)
    (tmp_path / "jobs" / "b.yaml").write_text(
        MANIFEST.replace("NAME", "b").replace("return", "//VERSION=3")
    )
    found = [str(problem) for problem in load(directory=tmp_path, env={}).problems]
    assert (
        "jobs/b.yaml:11:47: /request/output/delivery/s3/url: warning: "
        "'b' delivers to the same place as 'a' (jobs/a.yaml:1) [delivery-shared]"
    ) in found


SCRIPT = "//VERSION=3\nfunction setup() {{ return {{input: ['B04'], output: {output}}}; }}\n"


def scripted(written, **parts):
    return body(processRequest__evalscript=SCRIPT.format(output=written), **parts)


def responses(*identifiers, form="image/tiff"):
    return [{"identifier": name, "format": {"type": form}} for name in identifiers]


@pytest.mark.parametrize(
    ("output", "identifiers", "found"),
    [
        ("[{id: 'a', bands: 1}, {id: 'b', bands: 2}]", ["a", "b"], []),
        ("{id: 'a', bands: 1}", ["a", "userdata"], []),
        ("{bands: 1}", ["default"], []),
        ("{bands: 1}", ["a"], ["response-output"]),
        ("[]", ["a"], ["response-output"]),
        ("{id: Math.random() > 0.5 ? 'a' : 'b', bands: 1}", ["c"], []),
        ("unheardOf()", ["c"], []),
    ],
)
def test_responses_are_outputs_of_the_evalscript(output, identifiers, found):
    sent = scripted(output, processRequest__output__responses=responses(*identifiers))
    assert codes(check_script(sent)) == found


@pytest.mark.parametrize(
    ("sample", "cog", "found"),
    [("INT8", True, ["cog-int8"]), ("INT8", False, []), ("UINT8", True, [])],
)
def test_cloud_optimised_tiffs_are_not_int8(sample, cog, found):
    sent = scripted(f"{{id: 'a', bands: 1, sampleType: '{sample}'}}", output__cogOutput=cog)
    assert codes(check_script(sent)) == found


@pytest.mark.parametrize(
    ("output", "arrays", "found"),
    [
        ("{id: 'a', bands: 1, sampleType: 'UINT16'}", {"dtype": "<u2"}, []),
        ("{id: 'a', bands: 2, sampleType: 'UINT16'}", {"dtype": "<u2"}, ["zarr-bands"]),
        ("{id: 'a', bands: 1, sampleType: 'UINT16'}", {"dtype": "<i2"}, ["zarr-dtype"]),
        ("{id: 'a', bands: 1, sampleType: 'UINT16'}", {"dtype": "<i4"}, []),
        ("{id: 'a', bands: 1, sampleType: 'INT8'}", {"dtype": "|u1"}, ["zarr-dtype"]),
        ("{id: 'a', bands: 1, sampleType: 'FLOAT32'}", {"dtype": "<f8"}, []),
        ("{id: 'a', bands: 1, sampleType: 'FLOAT32'}", {"dtype": "<c16"}, []),
        ("{id: 'a', bands: 1}", {"dtype": "|u1"}, []),
        ("{id: 'b', bands: 2}", {"dtype": "|u1"}, ["response-output"]),
        ("{id: 'a', bands: 1, sampleType: 'UINT8'}", {}, []),
    ],
)
def test_arrays_hold_what_the_evalscript_writes(output, arrays, found):
    sent = scripted(
        output,
        output={"type": "zarr", "arrayParameters": arrays},
        processRequest__output__responses=responses("a", form="zarr/array"),
    )
    assert codes(check_script(sent)) == found


def test_an_override_is_what_an_array_holds():
    sent = scripted(
        "{id: 'a', bands: 1, sampleType: 'FLOAT32'}",
        output={
            "type": "zarr",
            "arrayParameters": {"dtype": "<f4"},
            "arrayOverrides": {"a": {"dtype": "<u2"}},
        },
    )
    [finding] = check_script(sent)
    assert finding.steps == ("output", "arrayOverrides", "a", "dtype")
    sent["output"]["arrayOverrides"] = {"a": {"fill_value": 0}}
    assert codes(check_script(sent)) == []


def test_a_convex_border_needs_no_library():
    script = (
        "import sys\n"
        "from shbatch_sync.checks.area import check_geometry\n"
        "ring = [[0, 0], [2, 0], [3, 2], [1, 4], [-1, 2], [0, 0]]\n"
        "bounds = {'geometry': {'type': 'Polygon', 'coordinates': [ring]}}\n"
        "found = list(check_geometry({'processRequest': {'input': {'bounds': bounds}}}))\n"
        "print(found, 'shapely' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[] False"
