"""The small parts: price, delivery, clock, tokens, rate limit, wire."""

from __future__ import annotations

import base64
import json

import pytest

from shbatch_sync.emulator import Options, tokens
from shbatch_sync.emulator.clock import Anchors, http_date, iso
from shbatch_sync.emulator.delivery import Files, errand_of, survey
from shbatch_sync.emulator.grids import GRIDS
from shbatch_sync.emulator.lifecycle import Survey
from shbatch_sync.emulator.limits import RateLimit
from shbatch_sync.emulator.price import estimate
from shbatch_sync.emulator.refusal import Refusal, Violation, error_body

UTM = "http://www.opengis.net/def/crs/EPSG/0/32633"


def priced(body, bounds, **source):
    body["processRequest"]["input"]["bounds"] = bounds
    body["input"] |= source
    return estimate(body, GRIDS)


def test_a_small_area_costs_the_minimum(body, geopackage):
    assert (estimate(body, GRIDS), estimate(geopackage, GRIDS)) == (100.0, 100.0)


def test_the_price_follows_the_area(body):
    # 10 x 10 tiles of 1000² pixels, a third of 1000²/512² each
    square = {"bbox": [400000, 5000000, 500000, 5100000], "properties": {"crs": UTM}}
    assert priced(body, square, id=1) == pytest.approx(100 * 1e6 / 262144 / 3)


def test_a_hole_is_not_paid_for(body):
    outer = [[0, 0], [400000, 0], [400000, 400000], [0, 400000], [0, 0]]
    hole = [[0, 0], [0, 200000], [400000, 200000], [400000, 0], [0, 0]]
    properties = {"properties": {"crs": UTM}}
    whole = priced(
        body, {"geometry": {"type": "Polygon", "coordinates": [outer]}, **properties}, id=1
    )
    half = priced(
        body,
        {"geometry": {"type": "MultiPolygon", "coordinates": [[outer, hole]]}, **properties},
        id=1,
    )
    assert half == pytest.approx(whole / 2)


def test_buffers_cost(body):
    square = {"bbox": [400000, 5000000, 600000, 5200000], "properties": {"crs": UTM}}
    plain = priced(body, square, id=1)
    assert priced(body, square, id=1, bufferX=500) == pytest.approx(2 * plain)


def test_degrees_shrink_towards_the_poles(body):
    south = priced(body, {"bbox": [10, 0, 20, 10]}, id=3, resolution=0.0001)
    north = priced(body, {"bbox": [10, 70, 20, 80]}, id=3, resolution=0.0001)
    assert south > 3 * north > 0


def templated(body, url="s3://bucket/<tileName>/<outputId>.<format>", **output):
    body["output"]["delivery"]["s3"]["url"] = url
    body["output"] |= output
    return errand_of(body)


def test_plain_urls_and_request_ids_are_places_of_their_own(body):
    assert errand_of(body).place is None
    assert templated(body, "s3://bucket/<requestId>/<tileName>.tif").place is None


def test_the_same_outputs_of_the_same_area_are_one_place(body):
    first = templated(body)
    body["processRequest"]["evalscript"] = "return [B04]"
    body["input"]["resolution"] = 60
    assert errand_of(body).place == first.place is not None
    body["processRequest"]["input"]["bounds"] = {"bbox": [1, 2, 3, 4]}
    assert errand_of(body).place != first.place


def test_a_zarr_is_the_place_of_its_url(zarr):
    first = errand_of(zarr)
    zarr["processRequest"]["input"]["bounds"] = {"bbox": [1, 2, 3, 4]}
    zarr["input"]["id"] = 7
    assert errand_of(zarr).place == first.place is not None


def test_features_belong_to_the_place(geopackage):
    first = templated(geopackage)
    geopackage["input"]["features"]["s3"]["url"] = "s3://bucket/other.gpkg"
    assert errand_of(geopackage).place != first.place


ALL = Files(frozenset({"default", "more"}), 1.0)
SOME = Files(frozenset({"default"}), 0.25)
OTHERS = Files(frozenset({"else"}), 1.0)
EXISTING = Survey(error="Output files already exist at the delivery location")


@pytest.mark.parametrize(
    ("output", "files", "found"),
    [
        ({}, None, Survey()),
        ({}, OTHERS, Survey()),
        ({}, ALL, EXISTING),
        ({"overwrite": True}, ALL, Survey()),
        ({"skipExisting": True}, ALL, Survey(skip=1.0)),
        ({"skipExisting": True}, SOME, Survey(skip=0.25)),
        ({"skipExisting": True, "overwrite": True}, ALL, Survey(skip=1.0)),
    ],
)
def test_survey(body, output, files, found):
    assert survey(templated(body, **output), files) == found


def test_a_tile_with_some_outputs_fails_or_is_written_again(body):
    responses = body["processRequest"]["output"]["responses"]
    responses.append({"identifier": "more", "format": {"type": "image/tiff"}})
    assert survey(templated(body, skipExisting=True), SOME) == EXISTING
    assert survey(templated(body, overwrite=True), SOME) == Survey()


@pytest.mark.parametrize(
    ("script", "fine"),
    [
        ("return [B04]", True),
        ("function setup() {} function evaluatePixel() {}", True),
        ("some evalscript", False),
    ],
)
def test_the_analysis_looks_at_the_script(body, script, fine):
    body["processRequest"]["evalscript"] = script
    found = survey(errand_of(body), None)
    assert (found.error is None) is fine


def test_anchors():
    anchors = Anchors(real=100.0, service=5_000_000, speed=60.0)
    assert anchors.now(101.5) == 95_000_000
    slower = anchors.at_speed(1.0, 101.5)
    assert (slower.now(101.5), slower.now(102.5)) == (95_000_000, 96_000_000)
    assert anchors.moved(2.5).now(100.0) == 7_500_000


def test_instants_are_written_as_the_service_does():
    assert iso(1725368293957032) == "2024-09-03T12:58:13.957032Z"
    assert iso(1725368293000000) == "2024-09-03T12:58:13.000000Z"
    assert http_date(1725368293957032) == "Tue, 03 Sep 2024 12:58:13 GMT"


KEY = b"k" * 32


def test_tokens():
    token = tokens.issue(KEY, account="a", client="c", now=1000.0, life=60.0)
    claims = token.split(".")[1]
    assert json.loads(base64.urlsafe_b64decode(claims + "=="))["sub"] == "c"
    assert tokens.account_of(KEY, token, 1059.0) == "a"
    assert tokens.account_of(KEY, token, 1060.0) is None
    assert tokens.account_of(b"x" * 32, token, 1000.0) is None


@pytest.mark.parametrize("payload", ["!!", "", "bm8"])
def test_signed_nonsense_is_no_token(payload):
    text = f"e30.{payload}"
    assert tokens.account_of(KEY, f"{text}.{tokens._sign(KEY, text)}", 0) is None


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "ü.ü.ü"])
def test_nonsense_is_no_token(token):
    assert tokens.account_of(KEY, token, 0) is None


def test_rate_limit():
    limit = RateLimit(2)
    assert [limit.wait_for("a", now) for now in (0.0, 10.0, 20.0, 59.0)] == [0, 0, 40, 1]
    assert limit.wait_for("b", 20.0) == 0
    assert [limit.wait_for("a", now) for now in (60.0, 61.0)] == [0, 9]


def test_error_bodies():
    assert error_body(418, "no") == {
        "error": {
            "status": 418,
            "reason": "I'm a Teapot",
            "message": "no",
            "code": "COMMON_EXCEPTION",
        }
    }
    assert error_body(599, "no")["error"]["reason"] == "Unknown"
    refusal = Refusal(400, "no", violations=(Violation("a->b", "is odd"), Violation("", "all")))
    assert refusal.as_json()["error"]["errors"] == [
        {"parameter": "a->b", "violation": "is odd"},
        {"parameter": "", "violation": "all"},
    ]
    assert [str(one) for one in refusal.violations] == ["`a->b` is odd", "all"]


def test_options_become_microseconds():
    timing = Options(accept_seconds=0.5, charges=0).timing()
    assert (timing.accept, timing.charges, timing.restart) == (500_000, 1, 1_800_000_000)
