from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from shbatch_sync.cost.evalscript import Output, Setup, Source, read_setup, script_version

NODE = shutil.which("node")
# The service's names that scripts use at their top level, as far as a script needs them to be there.
HARNESS = """
const vm = require('vm'), fs = require('fs');
const scripts = JSON.parse(fs.readFileSync(0, 'utf8'));
const answers = {};
for (const [name, text] of Object.entries(scripts)) {
  const helper = function () { return helper; };
  const names = {SampleType: {}, Mosaicking: {}};
  for (const t of ['AUTO', 'UINT8', 'INT8', 'UINT16', 'INT16', 'FLOAT32']) names.SampleType[t] = t;
  for (const m of ['SIMPLE', 'ORBIT', 'TILE']) names.Mosaicking[m] = m;
  for (const h of ['ColorRampVisualizer', 'ColorGradientVisualizer', 'HighlightCompressVisualizer',
                   'index', 'valueInterpolate', 'colorBlend']) names[h] = helper;
  try {
    answers[name] = JSON.parse(vm.runInNewContext(text + '\\n;JSON.stringify(setup())', names,
                                                  {timeout: 2000}));
  } catch (error) { answers[name] = null; }
}
process.stdout.write(JSON.stringify(answers));
"""


def script(body: str, *, head: str = "//VERSION=3\n") -> str:
    return f"{head}{body}\nfunction evaluatePixel(s) {{ return [1]; }}\n"


def simple(returned: str, before: str = "") -> Setup:
    return read_setup(script(f"{before}\nfunction setup() {{ return {returned}; }}"))


def normal(value: dict) -> tuple:
    """Bring what an engine says into the form of `Setup`."""
    given, common = value["input"], value.get("mosaicking", "SIMPLE")
    given = [given] if isinstance(given, dict) else given
    if all(isinstance(item, str) for item in given):
        given = [{"bands": given}]
    outputs = value["output"]
    return (
        tuple(
            Source(
                datasource=item.get("datasource"),
                bands=tuple(item["bands"]),
                units=_units(item.get("units", ())),
                mosaicking=item.get("mosaicking", common),
            )
            for item in given
        ),
        tuple(
            Output(
                id=item.get("id", "default"),
                bands=item["bands"],
                sample_type=item.get("sampleType", "AUTO"),
            )
            for item in ([outputs] if isinstance(outputs, dict) else outputs)
        ),
    )


def _units(units) -> tuple:
    return (units,) if isinstance(units, str) else tuple(units)


def run_in_node(scripts: dict[str, str]) -> dict:
    if NODE is None:
        pytest.skip("no node")
    done = subprocess.run(
        [NODE, "-e", HARNESS], input=json.dumps(scripts), capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def texts(folder: Path) -> dict[str, str]:
    return {p.name: p.read_bytes().decode("utf-8") for p in sorted(folder.glob("*.js"))}


def test_list_of_names():
    setup = simple('{input: ["B04", "dataMask"], output: {bands: 3}}')
    assert setup == Setup(
        version=3,
        inputs=(Source(bands=("B04", "dataMask")),),
        outputs=(Output(bands=3),),
    )


def test_constants_spreads_arrows_templates_and_shorthand():
    before = """
        const RED = "B04", list = [RED, `B0${4 + 4}`], mosaicking = "ORBIT";
        const out = (id) => ({ id, bands: list.length, sampleType: SampleType.FLOAT32 });
    """
    setup = simple(
        '{input: [{bands: [...list, "dataMask"]}], output: [out("x")], mosaicking}', before
    )
    assert setup.certain
    assert setup.inputs == (Source(bands=("B04", "B08", "dataMask"), mosaicking="ORBIT"),)
    assert setup.outputs == (Output(id="x", bands=2, sample_type="FLOAT32"),)


def test_fusion_with_mosaicking_of_each_source():
    setup = simple(
        """{input: [{datasource: "a", bands: ["B1"], units: "DN", mosaicking: "TILE"},
                    {datasource: "b", bands: ["B2"], units: ["DN"]}],
            output: {bands: 1}, mosaicking: "ORBIT"}"""
    )
    assert setup.inputs == (
        Source(datasource="a", bands=("B1",), units=("DN",), mosaicking="TILE"),
        Source(datasource="b", bands=("B2",), units=("DN",), mosaicking="ORBIT"),
    )


def test_a_condition_on_the_clock_gives_both_answers():
    setup = simple(
        '{input: m > 5 ? ["B1"] : ["B2", "B3"], output: {bands: 1}}',
        "const m = new Date().getMonth();",
    )
    assert not setup.certain
    assert setup.doubts == ("it depends on the clock (Date)",)
    assert {way.inputs[0].bands for way in (setup, *setup.alternatives)} == {("B1",), ("B2", "B3")}


def test_a_condition_that_changes_nothing_is_no_doubt():
    setup = simple(
        '{input: ["B1"], output: {bands: m > 5 ? 1 : 1}}', "const m = new Date().getMonth();"
    )
    assert setup.certain


def test_too_many_conditions_are_given_up():
    setup = simple(
        '{input: [...Array(12).keys()].map((i) => (Math.random() > 0.5 ? "A" : "B") + i), output: {bands: 1}}'
    )
    assert not setup.certain


def test_unknown_names_keep_their_number():
    setup = simple(
        '{input: [{bands: ["a_" + y, "b_" + y]}], output: {bands: 1}}', "const y = Date.now();"
    )
    assert setup.inputs == (Source(bands=(None, None)),)
    assert not setup.certain


@pytest.mark.parametrize(
    ("returned", "before"),
    [
        ("undefined", ""),
        ("5", ""),
        ('{input: "B04", output: {bands: 1}}', ""),
        ("{input: [5], output: {bands: 1}}", ""),
        ('{input: [{bands: "B04"}], output: {bands: 1}}', ""),
        ('{input: ["B04"], output: {bands: "3"}}', ""),
        ('{input: ["B04"], output: {bands: 1.5}}', ""),
        ('{input: ["B04"], output: {bands: 1}, mosaicking: "DAILY"}', ""),
        ('{input: ["B04"], output: {id: 5, bands: 1}}', ""),
        ('{input: ["B04"], output: {bands: 1, get id() { return "x" }}}', ""),
        ('{input: ["B04"], output: {bands: n}}', "const n = notDeclared;"),
        ('{input: ["B04"], output: {bands: 1}}', "throw new Error('no');"),
        ('{input: ["B04"], output: {bands: 1}}', "const a = 1; const a = 2;"),
        ('{input: ["B04"], output: {bands: 1}}', "const a = ;"),
        ('{input: ["B04"], output: {bands: f()}}', "function* f() { yield 1; }"),
        ('{input: ["B04"], output: {bands: (() => { while (true) {} })()}}', ""),
        ('{input: ["B04"], output: {bands: f(1)}}', "function f(n) { return f(n + 1); }"),
        ('{input: ["B" + "x".repeat(1e9)], output: {bands: 1}}', ""),
        ('{input: ["B04"], output: {bands: ' + "(" * 3000 + "1" + ")" * 3000 + "}}", ""),
        (
            '{input: ["B04"], output: {bands: /^(a+)+$/.test("aaaaaaaaaaaaaaaaaaaaaaaaaaaa!") ? 1 : 2}}',
            "",
        ),
    ],
)
def test_what_is_odd_is_never_certain(returned, before):
    assert not simple(returned, before).certain


def test_no_setup_is_not_certain():
    assert not read_setup("//VERSION=3\nconst x = 1;\n").certain
    assert not read_setup("").certain
    assert not read_setup("//VERSION=3\n" + " " * 1_000_001).certain
    assert not read_setup(
        "//VERSION=7\nfunction setup() { return {input: ['A'], output: {bands: 1}} }"
    ).certain


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("//VERSION=3\n", 3),
        ("\ufeff// VERSION = 3 (converted)\r\nlet a", 3),
        ("/* licence */\n\n// a note\n//VERSION=2\n", 2),
        ("let a;\n//VERSION=3\n", None),
        ("return [B04]", None),
    ],
)
def test_version_stands_in_the_first_comments(text, version):
    assert script_version(text) == version


def test_version_1_uses_undeclared_names():
    setup = read_setup("let d = (a, b) => a - b;\nreturn [d(B08, B04), Math.max(B02, 1)];")
    assert setup.version == 1
    assert not setup.certain
    assert setup.inputs == (Source(bands=("B08", "B04", "B02")),)


def test_version_2_hands_its_bands_over():
    setup = read_setup(
        "//VERSION=2\nfunction setup(ds) { setInputComponents([ds.B04, ds.B08]); setOutputComponentCount(2); }"
    )
    assert setup.inputs == (Source(bands=("B04", "B08"), mosaicking=None),)
    assert setup.outputs == (Output(bands=2),)
    assert not setup.certain
    assert read_setup("//VERSION=2\nlet a = 1").inputs is None


def test_setup_without_version_is_read_but_doubted():
    setup = read_setup(script('const setup = () => ({input: ["B1"], output: {bands: 1}})', head=""))
    assert setup.inputs == (Source(bands=("B1",)),)
    assert not setup.certain
    assert setup.version == 1


def test_dropping_scenes_is_noticed():
    body = "function preProcessScenes(c) { return c }\nfunction setup() { return {input: ['A'], output: {bands: 1}} }"
    assert read_setup(script(body)).filters_scenes


def test_corpus_agrees_with_what_is_expected(corpus):
    expected = json.loads((corpus / "evalscripts" / "expected.json").read_text())
    wrong, agreed = [], 0
    for name, text in texts(corpus / "evalscripts").items():
        setup = read_setup(text)
        assert setup.version == expected[name]["version"], name
        same = expected[name]["setup"] is not None and normal(expected[name]["setup"]) == (
            setup.inputs,
            setup.outputs,
        )
        agreed += same and setup.certain
        if setup.certain and not same:
            wrong.append(name)
    resolvable = sum(entry["resolvable"] for entry in expected.values())
    assert wrong == []
    assert agreed >= 0.95 * resolvable


def test_corpus_agrees_with_node(corpus):
    scripts = {n: t for n, t in texts(corpus / "evalscripts").items() if read_setup(t).version == 3}
    answers = run_in_node({name: text.removeprefix("\ufeff") for name, text in scripts.items()})
    agreed = 0
    for name, text in scripts.items():
        setup = read_setup(text)
        ways = [(way.inputs, way.outputs) for way in (setup, *setup.alternatives)]
        same = answers[name] is not None and normal(answers[name]) in ways
        assert same or not setup.certain, name
        agreed += same
    assert agreed >= 0.95 * len(scripts)


def test_helpers_of_the_service_are_known_and_draw_only():
    before = """
        const ramp = [[0, 1]], v = new ColorRampVisualizer(ramp);
        v.option = 1;
        const sum = 1 + valueInterpolate(1, ramp, ramp);
    """
    assert simple('{input: ["B1"], output: {bands: 1}}', before).certain


def test_a_strange_function_might_change_what_it_is_handed():
    setup = simple("{input: list, output: {bands: 1}}", 'const list = ["B1"]; strange(list);')
    assert not setup.certain
    assert setup.inputs == (Source(bands=("B1",)),)


def test_what_a_statement_declares_is_unknown_after_it_failed():
    setup = simple("{input: list, output: {bands: 1}}", "const list = (() => { with ({}) {} })();")
    assert setup.inputs is None
    assert any("with_statement" in doubt for doubt in setup.doubts)


def test_strict_scripts_cannot_make_globals():
    body = '{input: ["B1"], output: {bands: 1}}'
    assert simple(body, "x = 1;").certain
    strict = f"//VERSION=3\n'use strict';\nx = 1;\nfunction setup() {{ return {body} }}\n"
    assert not read_setup(strict).certain


def test_version_1_declarations_are_no_bands():
    setup = read_setup(
        "var f = function (a) { return a; };\nclass C {}\nlet {b} = {b: 1};\nreturn [x => x + B1];"
    )
    assert setup.inputs == (Source(bands=("B1",)),)


def test_what_is_thrown_is_said():
    setup = simple('{input: ["B1"], output: {bands: 1}}', "null.x;")
    assert setup.doubts == ("the script throws TypeError: a member of null or undefined is read",)
    assert "the script throws text" in simple("1", "throw 'text';").doubts
    assert "the script throws something" in simple("1", "throw 5;").doubts


def test_a_jump_out_of_a_function_is_refused():
    assert any("break" in doubt for doubt in simple("1", "break;").doubts)
