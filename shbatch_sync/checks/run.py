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
    delivery_url,
    shared_place,
)
from shbatch_sync.checks.outputs import check_features, check_raster, check_responses, check_zarr
from shbatch_sync.job import Job, RestartPolicy
from shbatch_sync.pointer import to_pointer

if TYPE_CHECKING:
    from shbatch_sync.errors import Problem
    from shbatch_sync.manifest import Declaration
    from shbatch_sync.project import Project

_BODY_CHECKS: tuple[Callable[[Mapping[str, Any]], Iterator[Finding]], ...] = (
    check_grid,
    check_bounds,
    check_times,
    check_data,
    check_path,
    check_responses,
    check_raster,
    check_features,
    check_zarr,
)
_IGNORE = re.compile(r"#\s*shbatch-sync:\s*ignore(-file)?\[([^\]]*)\]")


def check_declarations(declarations: Sequence[Declaration], project: Project) -> list[Problem]:
    """Return what the checks have to say about `declarations`, as `project` and comments let them."""
    geometries: dict[tuple[int, str], list[Finding]] = {}
    scripts: dict[str, list[Finding]] = {}
    problems: dict[Problem, None] = {}
    for one in declarations:
        for finding in _findings(one.job, project, geometries, scripts):
            _add(problems, one, finding, project)
    for one, finding in _meetings(declarations):
        _add(problems, one, finding, project)
    return list(problems)


def _findings(
    job: Job,
    project: Project,
    geometries: dict[tuple[int, str], list[Finding]],
    scripts: dict[str, list[Finding]],
) -> Iterator[Finding]:
    body, target = job.spec, project.targets[job.target]
    for check in _BODY_CHECKS:
        yield from check(body)
    yield from check_credentials(
        body, job.credentials, target.base_url, sandbox=target.emulator is not None
    )
    yield from check_old_files(
        body, job.generation, retries=job.restart_policy is not RestartPolicy.NEVER
    )
    # areas and evalscripts are shared by many jobs and slow to look at
    bounds = body["processRequest"]["input"].get("bounds") or {}
    area = id(bounds.get("geometry")), crs_of(bounds)
    if area not in geometries:
        geometries[area] = list(check_geometry(body))
    yield from geometries[area]
    script = body["processRequest"]["evalscript"]
    if script not in scripts:
        scripts[script] = list(check_evalscript(body))
    yield from scripts[script]


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
            steps = delivery_url(one.job.spec)[0]
            yield one, Finding(code="delivery-shared", steps=steps, message=message)


def _add(
    problems: dict[Problem, None], one: Declaration, finding: Finding, project: Project
) -> None:
    severity = project.checks.get(finding.code, RULES[finding.code].severity)
    if severity == "off":
        return
    steps = ("request", *finding.steps)
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
