"""What only shows when all jobs of a project lie side by side: names given twice, dependencies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shbatch_sync.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shbatch_sync.errors import Problem
    from shbatch_sync.manifest import Declaration

Key = tuple[str, str]


def jobset_problems(declarations: Sequence[Declaration]) -> list[Problem]:
    """Return what is wrong with the names and dependencies of `declarations`."""
    return [
        *_duplicates(declarations),
        *_renames(declarations),
        *_adoptions(declarations),
        *_dependencies(declarations),
    ]


def _duplicates(declarations: Sequence[Declaration]) -> list[Problem]:
    first: dict[str, Declaration] = {}
    targets: set[Key] = set()
    found: list[Problem] = []
    for one in declarations:
        job = one.job
        other = first.setdefault(job.name, one)
        same_document = other.layers.manifest is one.layers.manifest
        if other is not one and (not same_document or (job.name, job.target) in targets):
            found.append(
                one.layers.problem(
                    ("name",), _twice(one, other, same=same_document), "duplicate-name"
                )
            )
        targets.add((job.name, job.target))
    return list(dict.fromkeys(found))


def _renames(declarations: Sequence[Declaration]) -> list[Problem]:
    """Return the previous names that cannot be: one that is declared, or that two jobs claim."""
    declared = {one.job.name: one for one in declarations}
    claimed: dict[str, str] = {}
    found: list[Problem] = []
    for one in declarations:
        for index, name in enumerate(one.job.previous_names):
            rival = name if name in declared else claimed.setdefault(name, one.job.name)
            if rival != one.job.name:
                message = f"{name!r} cannot be a previous name: it is that of the job {rival!r}"
                found.append(
                    one.layers.problem(("previousNames", index), message, "previous-names")
                )
    return found


def _adoptions(declarations: Sequence[Declaration]) -> list[Problem]:
    """Return the requests that more than one job wants to take over."""
    claimed: dict[str, str] = {}
    found: list[Problem] = []
    for one in declarations:
        adopt = one.job.adopt
        if adopt is None:
            continue
        first = claimed.setdefault(adopt.lower(), one.job.name)
        if first != one.job.name:
            message = f"request {adopt} is taken over by the job {first!r} already"
            found.append(one.layers.problem(("adopt",), message, "adopt"))
    return found


def _twice(one: Declaration, other: Declaration, *, same: bool) -> str:
    if same:
        return (
            f"two combinations of the matrix give the name {one.job.name!r}: use every axis in it"
        )
    file, line, _ = other.layers.place(("name",))
    return f"the name {one.job.name!r} is taken: {file}:{line}"


def _dependencies(declarations: Sequence[Declaration]) -> list[Problem]:
    by_key = {(one.job.name, one.job.target): one for one in declarations}
    elsewhere: dict[str, list[str]] = {}
    for name, target in by_key:
        elsewhere.setdefault(name, []).append(target)
    found: list[Problem] = []
    for one in declarations:
        for index, name in enumerate(one.job.depends_on):
            if (name, one.job.target) not in by_key:
                message = _missing(name, one.job.target, elsewhere)
                found.append(one.layers.problem(("dependsOn", index), message, "depends-on"))
    return found or _cycles(by_key)


def _missing(name: str, target: str, elsewhere: Mapping[str, Sequence[str]]) -> str:
    if name in elsewhere:
        return f"the job {name!r} belongs to target {', '.join(elsewhere[name])}, not to {target}"
    return f"there is no job {name!r}" + did_you_mean(name, elsewhere)


def _cycles(by_key: Mapping[Key, Declaration]) -> list[Problem]:
    done: set[Key] = set()
    found: list[Problem] = []
    for start in by_key:
        cycle = _cycle_from(start, by_key, done)
        if cycle:
            names = " → ".join(name for name, _ in cycle)
            one = by_key[cycle[0]]
            found.append(
                one.layers.problem(("dependsOn",), f"waits for itself: {names}", "depends-on")
            )
    return found


def _cycle_from(start: Key, by_key: Mapping[Key, Declaration], done: set[Key]) -> list[Key]:
    """Walk down from `start` without recursion, for a chain may be as long as the project."""
    way: list[Key] = []
    waiting: set[Key] = set()
    stack: list[tuple[Key, int]] = [(start, 0)]
    while stack:
        key, next_index = stack.pop()
        if next_index == 0:
            if key in done:
                continue
            if key in waiting:
                done.update(way)
                return [*way[way.index(key) :], key]
            way.append(key)
            waiting.add(key)
        needs = by_key[key].job.depends_on
        if next_index < len(needs):
            stack += [(key, next_index + 1), ((needs[next_index], key[1]), 0)]
        else:
            done.add(way.pop())
            waiting.discard(key)
    return []


def unset_variables(
    declarations: Sequence[Declaration], env: Mapping[str, str]
) -> dict[str, tuple[str, ...]]:
    """Return every environment variable that a job needs and `env` lacks, with the names of those jobs."""
    needed: dict[str, dict[str, None]] = {}
    for one in declarations:
        for variable in one.job.credentials.values():
            if not env.get(variable):
                needed.setdefault(variable, {})[one.job.name] = None
    return {variable: tuple(jobs) for variable, jobs in sorted(needed.items())}
