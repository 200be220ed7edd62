"""Manifests nobody would write: whatever is in them, the answer is a job or a problem, and soon."""

from __future__ import annotations

import json
import os
import time
from dataclasses import replace
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shbatch_sync.checks import CODES, check_declarations
from shbatch_sync.document import Source, parse
from shbatch_sync.errors import Problem
from shbatch_sync.files import FileRefusedError
from shbatch_sync.jobset import jobset_problems
from shbatch_sync.manifest import Context, read_manifest
from shbatch_sync.projectfile import read_project
from shbatch_sync.store.schemas import load_schema, strict_job_schema

EXAMPLES = Path(__file__).parents[1] / "examples" / "manifests"
TEXTS = [
    path.read_bytes().decode("utf-8", "replace")
    for kind in ("valid", "invalid")
    for path in sorted((EXAMPLES / kind).glob("*.yaml"))
]
TOKENS = [
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "- ",
    "? ",
    "&a ",
    "*a",
    "<<: ",
    "!!",
    "|",
    ">",
    "'",
    '"',
    "#",
    "\n",
    "\t",
    "---\n",
    "${{",
    "}}",
    "${{ name }}",
    "${{ vars.x }}",
    "null",
    "~",
    "true",
    "no",
    "010",
    ".nan",
    "1e999",
    "999999999999999999999999999999",
    "-1",
    "fromFile",
    "fromEnv",
    "type",
    "matrix",
    "x-allow",
    "[/request/output]",
    "[/request/*]",
    "dates",
    "features",
    "\u202e",
    "\x85",
    "\ufeff",
    "\U0001f600",
    "\xe9",
    "0x",
    "{}",
    "[]",
    '""',
]
RUNS = int(os.environ.get("SHBATCH_FUZZ", "400"))


class NoFiles:
    def read(self, path, *, beside):
        message = f"{path} is not beside {beside}"
        raise FileRefusedError(message)

    package = read


def context():
    text = "apiVersion: shbatch-sync/v1\nproject: fuzz\ntargets: {eu: {}, us: {}}\ndefaultTarget: eu\nvars: {x: [1]}\n"
    document = parse(Source(file="shbatch.yaml", text=text))[0][0]
    project, _ = read_project(document, Path("shbatch.yaml"), load_schema("project"), CODES)
    return Context(
        project=project,
        schema=load_schema("job"),
        strict=strict_job_schema(),
        files=NoFiles(),
        default_target="eu",
    )


CONTEXT = context()


def judge(text: str) -> list[Problem]:
    documents, problems = parse(Source(file="jobs/a.yaml", text=text))
    declarations = []
    for document in documents:
        found, faults = read_manifest(document, CONTEXT)
        declarations += found
        problems += faults
    return [
        *problems,
        *jobset_problems(declarations),
        *check_declarations(declarations, CONTEXT.project),
    ]


@st.composite
def mutated(draw):
    text = draw(st.sampled_from(TEXTS))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 30)))
        other = draw(st.sampled_from(TEXTS))
        cut = draw(st.integers(0, len(other)))
        piece = draw(
            st.one_of(st.sampled_from(TOKENS), st.just(other[cut : cut + 40]), st.text(max_size=5))
        )
        text = text[:start] + piece + text[end:]
    return text


@settings(
    max_examples=RUNS,
    suppress_health_check=list(HealthCheck),
)
@given(mutated())
def test_mutated_manifests(text):
    begin = time.process_time()  # a busy machine is no hang
    for problem in judge(text):
        assert problem.line >= 1
        assert problem.column >= 1
        assert "\n" not in problem.message
    assert time.process_time() - begin < 2


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=8)
    | st.sampled_from(TOKENS),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


def places(value, steps=()):
    yield steps
    if isinstance(value, dict):
        for key, item in value.items():
            yield from places(item, (*steps, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from places(item, (*steps, index))


DOCUMENTS = [document for text in TEXTS for document in parse(Source(file="a.yaml", text=text))[0]]


@st.composite
def misshapen(draw):
    document = draw(st.sampled_from(DOCUMENTS))
    steps = draw(st.sampled_from(list(places(document.data))))
    return document, steps, draw(JSON)


def replaced(value, steps, new):
    if not steps:
        return new
    if isinstance(value, dict):
        return {**value, steps[0]: replaced(value[steps[0]], steps[1:], new)}
    return [
        replaced(item, steps[1:], new) if index == steps[0] else item
        for index, item in enumerate(value)
    ]


@settings(
    max_examples=RUNS,
    suppress_health_check=list(HealthCheck),
)
@given(misshapen())
def test_values_of_every_shape_in_every_place(case):
    document, steps, new = case
    data = replaced(document.data, steps, new)
    document = replace(document, data=data, source=Source(file="a.yaml", text=json.dumps(data)))
    declarations, problems = read_manifest(document, CONTEXT)
    problems += [*jobset_problems(declarations), *check_declarations(declarations, CONTEXT.project)]
    assert declarations or problems
