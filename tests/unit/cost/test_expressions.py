"""The reader's arithmetic against what an engine says: right, or in doubt."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shbatch_sync.cost.evalscript import read_setup

_SPEC = importlib.util.spec_from_file_location(
    "expressions", Path(__file__).with_name("expressions.py")
)
assert _SPEC is not None
assert _SPEC.loader is not None
_MODULE = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(_MODULE)
EXPRESSIONS, DOUBTED = _MODULE.EXPRESSIONS, _MODULE.DOUBTED


def told(expression: str) -> tuple[bool, str | None]:
    """Read what JSON.stringify of an expression gives, as the name of a band."""
    setup = read_setup(
        f"//VERSION=3\nconst r = {expression};\n"
        "function setup() { const s = JSON.stringify(r);\n"
        "  return {input: [s === undefined ? 'undefined' : s], output: {bands: 1}}; }"
    )
    bands = setup.inputs[0].bands if setup.inputs else None
    return setup.certain, bands[0] if bands else None


@pytest.mark.parametrize(("expression", "expected"), EXPRESSIONS)
def test_expression(expression, expected):
    assert told(expression) == (True, expected)


@pytest.mark.parametrize("expression", DOUBTED)
def test_what_cannot_be_told_is_said_to_be(expression):
    certain, _ = told(expression)
    assert not certain


def test_recorded_answers_are_what_node_says():
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node")
    program = (
        "const rows = JSON.parse(require('fs').readFileSync(0, 'utf8'));"
        "process.stdout.write(JSON.stringify(rows.map((e) => {"
        "  const v = require('vm').runInNewContext('const r = ' + e + ';\\nJSON.stringify(r)');"
        "  return v === undefined ? 'undefined' : v; })));"
    )
    done = subprocess.run(
        [node, "-e", program],
        input=json.dumps([expression for expression, _ in EXPRESSIONS]),
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == [expected for _, expected in EXPRESSIONS]


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(max_size=60))
def test_any_text_is_read_without_an_error(text):
    setup = read_setup(f"//VERSION=3\n{text}")
    assert setup.version == 3


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_mangled_scripts_never_trip_the_reader(data):
    base = EXPRESSIONS[data.draw(st.integers(0, len(EXPRESSIONS) - 1))][0]
    other = EXPRESSIONS[data.draw(st.integers(0, len(EXPRESSIONS) - 1))][0]
    cut = data.draw(st.integers(0, len(base)))
    setup = read_setup(
        f"//VERSION=3\nconst r = {base[:cut]}{other}{base[cut:]};\n"
        "function setup() { return {input: ['' + r], output: {bands: 1}} }"
    )
    assert not any("the reader failed" in doubt for doubt in setup.doubts)
