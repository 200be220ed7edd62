"""All checks over all jobs: findings put into place, switched, and silenced by comments."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from shbatch_sync.checks.area import check_bounds, check_geometry, check_grid, crs_of
from shbatch_sync.checks.catalogue import RULES, Finding
from shbatch_sync.checks.data import check_data, check_evalscript, check_times
from shbatch_sync.checks.delivery import (
    check_credentials,
    check_old_files,
    check_path,
    delivery_place,
    shared_place,
)
from shbatch_sync.checks.outputs import check_features, check_raster, check_responses, check_zarr
from shbatch_sync.checks.package import check_package
from shbatch_sync.checks.script import check_script
from shbatch_sync.job import Job, RestartPolicy
from shbatch_sync.pointer import Steps, to_pointer

if TYPE_CHECKING:
    from shbatch_sync.errors import Problem
    from shbatch_sync.manifest import Declaration
    from shbatch_sync.project import Project

_Check = Callable[[Mapping[str, Any]], Iterator[Finding]]
_PROCESS_INPUT: Steps = ("processRequest", "input")
_BOUNDS: Steps = (*_PROCESS_INPUT, "bounds")
_DATA: Steps = (*_PROCESS_INPUT, "data")
_RESPONSES: Steps = ("processRequest", "output", "responses")
_SCRIPT: Steps = ("processRequest", "evalscript")
_DELIVERY: Steps = ("output", "delivery")
_URLS: tuple[Steps, ...] = ((*_DELIVERY, "s3", "url"), (*_DELIVERY, "gs", "url"))
_FEATURES: Steps = ("input", "features")
_OUTPUT, _INPUT, _TYPE = ("output",), ("input",), ("output", "type")
# Check → the parts of the body that it reads.
_BODY_CHECKS: Mapping[_Check, tuple[Steps, ...]] = {
    check_grid: (_INPUT,),
    check_bounds: (_BOUNDS, ("input", "type")),
    check_times: (_DATA,),
    check_data: (_DATA,),
    check_path: (*_URLS, _TYPE, _RESPONSES),
    check_responses: (_RESPONSES, _TYPE),
    check_raster: (_OUTPUT,),
    check_features: (_INPUT,),
    check_zarr: (_OUTPUT, _INPUT, _RESPONSES),
    check_script: (_SCRIPT, _OUTPUT, _RESPONSES),
}
_IGNORE = re.compile(r"#\s*shbatch-sync:\s*ignore(-file)?\[([^\]]*)\]")


def check_declarations(declarations: Sequence[Declaration], project: Project) -> list[Problem]:
    """Return what the checks have to say about `declarations`, as `project` and comments let them."""
    problems = dict.fromkeys(check_alone(declarations, project))
    for one, finding in _meetings(declarations):
        _add(problems, one, finding, project)
    return list(problems)


def check_alone(declarations: Sequence[Declaration], project: Project) -> list[Problem]:
    """Return what the checks have to say about each job by itself; nothing about what is known to be wrong."""
    seen: dict[tuple[Any, ...], list[Finding]] = {}
    problems: dict[Problem, None] = {}
    for one in declarations:
        unsound = [steps[1:] for steps in one.unsound if steps[:1] == ("request",)]
        for finding in _findings(one.job, project, unsound, seen):
            _add(problems, one, finding, project)
        if one.job.local_copy is not None and _are_sound((_INPUT, _BOUNDS), unsound):
            for finding in check_package(one.job.local_copy, one.job.spec):
                _add(problems, one, finding, project, within=())
    return list(problems)


def _findings(
    job: Job,
    project: Project,
    unsound: Sequence[Steps],
    seen: dict[tuple[Any, ...], list[Finding]],
) -> Iterator[Finding]:
    body, target = job.spec, project.targets[job.target]
    for check, parts in _BODY_CHECKS.items():
        if _are_sound(parts, unsound):
            yield from check(body)
    if _are_sound((_DELIVERY, _FEATURES), unsound):
        yield from check_credentials(
            body, job.credentials, target.base_url, sandbox=target.emulator is not None
        )
    if _are_sound((_OUTPUT,), unsound):
        yield from check_old_files(
            body, job.generation, retries=job.restart_policy is not RestartPolicy.NEVER
        )
    # areas and evalscripts are shared by many jobs and slow to look at
    bounds = body["processRequest"]["input"].get("bounds") or {}
    shared: tuple[tuple[Steps, _Check, tuple[Any, ...]], ...] = (
        (_BOUNDS, check_geometry, (id(bounds.get("geometry")), crs_of(bounds))),
        (_SCRIPT, check_evalscript, (body["processRequest"]["evalscript"],)),
    )
    for part, check, key in shared:
        if _are_sound((part,), unsound):
            if key not in seen:
                seen[key] = list(check(body))
            yield from seen[key]


def _are_sound(parts: Sequence[Steps], unsound: Sequence[Steps]) -> bool:
    """Return whether nothing that is wrong lies in any of `parts`, or around it."""
    return not any(
        all(one == other for one, other in zip(part, wrong, strict=False))
        for wrong in unsound
        for part in parts
    )


def _meetings(declarations: Sequence[Declaration]) -> Iterator[tuple[Declaration, Finding]]:
    """Yield jobs that deliver to the same place as another one before them."""
    first: dict[str, Declaration] = {}
    for one in declarations:
        place = shared_place(one.job.spec)
        other = first.setdefault(place, one)
        same = (one.job.name, one.job.target) == (
            other.job.name,
            other.job.target,
        )  # reported as such
        if place and other is not one and not same:
            message = f"{one.job.name!r} delivers to the same place as {other.job.name!r} ({other.job.origin})"
            steps = delivery_place(one.job.spec)[0]
            yield one, Finding(code="delivery-shared", steps=steps, message=message)


def _add(
    problems: dict[Problem, None],
    one: Declaration,
    finding: Finding,
    project: Project,
    within: Steps = ("request",),
) -> None:
    severity = project.checks.get(finding.code, RULES[finding.code].severity)
    if severity == "off":
        return
    steps = (*within, *finding.steps)
    problem = one.layers.problem(steps, finding.message, finding.code, severity=severity)
    if not _is_ignored(problem, one):
        problems[replace(problem, pointer=to_pointer(steps))] = None


def _is_ignored(problem: Problem, one: Declaration) -> bool:
    for document in (one.layers.manifest, one.layers.project):
        source = document.source
        if source.file == problem.file and "shbatch-sync: ignore" in source.text:
            return _ignores(source.text.split("\n"), problem)
    return False


def _ignores(lines: Sequence[str], problem: Problem) -> bool:
    """Return whether a comment on the line, alone on the line above, or for the file names the code."""
    for number, line in enumerate(lines, 1):
        for match in _IGNORE.finditer(line):
            codes = {code.strip() for code in match[2].split(",")}
            above = number == problem.line - 1 and line.lstrip().startswith("#")
            if problem.code in codes and (match[1] or number == problem.line or above):
                return True
    return False
