"""One document of a manifest to the jobs it declares.

    document ─ defaults below ─ schema ─ matrix ─ expressions ─ schema again ─ files, credentials ─ Job

Every step reports all it finds, and the next one runs over what is sound of what the one before refused, so that
everything that is wrong is told at once.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from shbatch_sync.allow import allowed_through
from shbatch_sync.assembly import Draft, assemble
from shbatch_sync.checks.run import check_alone
from shbatch_sync.expressions import MARK, Scope, Unresolved, expand, has_expression
from shbatch_sync.faults import MAX_FAULTS
from shbatch_sync.layers import Layers
from shbatch_sync.matrix import MatrixError, combinations
from shbatch_sync.merge import merge, settle
from shbatch_sync.salvage import MATRIX, Salvaged, meant_by, salvage, wound_of
from shbatch_sync.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from shbatch_sync.document import Document
    from shbatch_sync.errors import Problem
    from shbatch_sync.files import FileReader
    from shbatch_sync.job import Job
    from shbatch_sync.pointer import Steps
    from shbatch_sync.project import Project, Target
    from shbatch_sync.schema import Schema

_NO_NAME = "a job's name cannot be made of itself"
_NO_TARGET = "a job's target cannot be made of itself"
_NO_MATRIX = "this manifest has no matrix"
_TOLD = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What manifests are read with.

    Attributes:
        project: Theirs.
        schema: Of manifests as they are written.
        strict: The same, of manifests whose expressions have been replaced.
        files: Reads what they name.
        variables: Values for `${{ vars.x }}` that replace the project's and the targets'.
        default_target: Of jobs that name none.
        areas: Geometries already read, by path.
    """

    project: Project
    schema: Schema
    strict: Schema
    files: FileReader
    variables: Mapping[str, Any] = field(default_factory=dict)
    default_target: str | None = None
    areas: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """A job and the manifest it was read from.

    Attributes:
        job: The job.
        layers: Where its values stand.
        unsound: Ways within the manifest to values that are wrong, in whose place something harmless stands; such
            a job is only good for being checked.
    """

    job: Job
    layers: Layers
    unsound: tuple[Steps, ...] = ()


def read_manifest(document: Document, context: Context) -> tuple[list[Declaration], list[Problem]]:
    """Return the jobs that `document` declares, and what is wrong with it.

    A document with a problem declares nothing.
    """
    layers = Layers(manifest=document, project=context.project.document)
    merged = _merged(document.data, context.project.defaults)
    reading = _Reading(context=context, layers=layers)
    sound = reading.sound(merged, context.schema)
    if sound is not None:
        reading.dynamic = _may_have_expression(document, context) and has_expression(sound.data)
        reading.read_all(sound, document.source.file)
    if not reading.problems:
        return reading.declarations, []
    found = check_alone(reading.declarations, context.project)
    return [], list(dict.fromkeys([*reading.problems, *found]))


def _merged(data: Any, defaults: Mapping[str, Any]) -> Any:
    if not isinstance(data, dict):
        return data
    matrix = {"matrix": data["matrix"]} if data.get("matrix") is not None else {}
    rest = {key: value for key, value in data.items() if key != "matrix"}
    return {**merge(defaults, rest), **matrix}  # null is a value in a matrix


def _may_have_expression(document: Document, context: Context) -> bool:
    """Return False where a look at the text is enough; an escape might hide the mark."""
    text = document.source.text
    return MARK in text or "\\" in text or has_expression(context.project.defaults)


@dataclass(slots=True, kw_only=True)
class _Reading:
    """The jobs and problems of one document, as they come up.

    Attributes:
        context: What it is read with.
        layers: Where its values stand.
        dynamic: Whether it has expressions.
        lost: Whether its matrix is wrong, so that nothing can be said of values that are made of it.
        declarations: Its jobs.
        problems: What is wrong with it.
    """

    context: Context
    layers: Layers
    dynamic: bool = False
    lost: bool = False
    declarations: list[Declaration] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def sound(
        self, data: Any, schema: Schema, wounds: Sequence[Steps] = (), before: Sequence[Steps] = ()
    ) -> Salvaged | None:
        """Return what is sound of `data`; what is wrong with it becomes problems.

        Args:
            data: A manifest.
            schema: That it is held against.
            wounds: Ways to what is known to be wrong.
            before: Ways to what was wrong in a step before.
        """
        faults = schema.faults(data)
        if faults:
            faults = allowed_through(faults, data)
        told = [fault for fault in faults if fault.steps not in wounds]
        self.problems += [
            self.layers.problem(fault.steps, fault.message, fault.code, key=fault.at_key)
            for fault in told
        ]
        if not faults and not wounds:
            return Salvaged(data=data, unsound=tuple(before))
        if len(self.problems) > MAX_FAULTS:
            return None
        target = next(iter(self.context.project.targets))
        ways = [*wounds, *map(wound_of, told)]
        saved = salvage(data, ways, schema, {("target",): target})
        if saved is None:
            return None
        return replace(saved, unsound=(*before, *saved.unsound, *meant_by(told)))

    def read_all(self, sound: Salvaged, file: str) -> None:
        """Read the jobs of every combination of the matrix."""
        merged = dict(sound.data)
        matrix = merged.pop("matrix", None)
        self.lost = MATRIX in sound.unsound
        rows: Sequence[Mapping[str, Any] | None] = [None]
        try:
            if matrix is not None:
                rows = combinations(matrix, self.matrix_scope(), self.context.files, file)
        except MatrixError as error:
            for one in (error, *error.others):
                self._problem((*MATRIX, *one.steps), str(one), "matrix")
            self.lost = True
        for row in rows:
            self.read(replace(sound, data=merged), row)

    def matrix_scope(self) -> Scope:
        """Return the names that a matrix itself may use."""
        return Scope(
            {"vars": self._variables(None), "project": self.context.project.name},
            {"matrix": "a matrix cannot be made of itself", "name": _NO_NAME, "target": _NO_TARGET},
        )

    def _variables(self, target: Target | None) -> dict[str, Any]:
        own = target.vars if target else {}
        return {**self.context.project.vars, **own, **self.context.variables}

    def read(self, sound: Salvaged, row: Mapping[str, Any] | None) -> None:
        """Read the job of one combination of the matrix, once for each of its targets."""
        for target in self._targets(sound.data, row):
            scope = self._scope(row, target)
            expanded = self._expanded(sound, scope) if self.dynamic else sound
            if expanded is not None:
                self._assemble(expanded, target, scope)

    def _scope(self, row: Mapping[str, Any] | None, target: Target) -> Scope:
        names: dict[str, Any] = {
            "vars": self._variables(target),
            "project": self.context.project.name,
            "target": target.name,
        }
        if row is not None:
            names["matrix"] = row
        return Scope(names, {"matrix": _TOLD if self.lost else _NO_MATRIX})

    def _targets(
        self, merged: Mapping[str, Any], row: Mapping[str, Any] | None
    ) -> Iterator[Target]:
        scope = self.matrix_scope()
        if row is not None:
            scope = Scope({**scope.names, "matrix": row}, scope.absent)
        elif self.lost:
            scope = Scope(scope.names, {**scope.absent, "matrix": _TOLD})
        default = self.context.default_target
        if "target" not in merged and default is None:
            message = f"names no target, and the project has several ({self._known()}): set target or defaultTarget"
            self._problem((), message, "unknown-target")
            return
        named = self._expand(merged.get("target", default), scope, ("target",))
        for name in [named] if isinstance(named, str) else named or ():
            if name in self.context.project.targets:
                yield self.context.project.targets[name]
            else:
                hint = (
                    did_you_mean(str(name), self.context.project.targets)
                    or f" (known: {self._known()})"
                )
                self._problem(("target",), f"there is no target {name!r}{hint}", "unknown-target")

    def _known(self) -> str:
        return ", ".join(self.context.project.targets)

    def _expanded(self, sound: Salvaged, scope: Scope) -> Salvaged | None:
        """Return the manifest with its expressions replaced, or what is sound of it."""
        merged = sound.data
        absent = {**scope.absent, "name": _NO_NAME}
        name = self._expand(merged["name"], Scope(scope.names, absent), ("name",))
        wounds: list[Steps] = [("name",)] if name is None else []
        if name is None:  # nothing can be said of values that are made of it
            name = merged["name"]
            scope.absent = {**scope.absent, "name": _TOLD}
        else:
            scope.names = {**scope.names, "name": name}
        rest = {
            key: value for key, value in merged.items() if key not in ("name", "target", "x-allow")
        }
        unresolved: list[Unresolved] = []
        values = expand(rest, scope, unresolved)
        data = {
            **{key: value for key, value in merged.items() if key not in rest},
            **settle(rest, values, expand(self.context.project.defaults, scope, [])),
            "name": name,
            "target": scope.names["target"],
        }
        self._tell(unresolved)
        wounds += [one.steps for one in unresolved]
        return self.sound(data, self.context.strict, wounds, sound.unsound)

    def _expand(self, value: Any, scope: Scope, steps: Steps) -> Any:
        unresolved: list[Unresolved] = []
        result = expand(value, scope, unresolved, steps)
        self._tell(unresolved)
        return None if unresolved else result

    def _tell(self, unresolved: Sequence[Unresolved]) -> None:
        for one in unresolved:
            if one.message:
                self._problem(one.steps, one.message, "expression")

    def _assemble(self, sound: Salvaged, target: Target, scope: Scope) -> None:
        draft = Draft(data=sound.data, target=target, layers=self.layers, scope=scope)
        job, unsound = assemble(draft, self.context.files, self.context.areas)
        self.problems += draft.problems
        self.declarations.append(
            Declaration(job=job, layers=self.layers, unsound=(*sound.unsound, *unsound))
        )

    def _problem(self, steps: Sequence[str | int], message: str, code: str) -> None:
        self.problems.append(self.layers.problem(tuple(steps), message, code))
