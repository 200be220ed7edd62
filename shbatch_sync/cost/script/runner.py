"""Running a script's top level and its `setup()`, in every way that unknown conditions allow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from shbatch_sync.cost.script import expressions as _expressions
from shbatch_sync.cost.script import statements as _statements
from shbatch_sync.cost.script.calls import call
from shbatch_sync.cost.script.dispatch import Leave, evaluate, inner
from shbatch_sync.cost.script.functions import enter_block
from shbatch_sync.cost.script.library import globals_of_the_language
from shbatch_sync.cost.script.scope import (
    STRICT,
    Binding,
    Run,
    Scope,
    lexical_names,
    text_of,
    var_names,
)
from shbatch_sync.cost.script.values import UNDEFINED, Doubt, JsObject, Thrown, Unknown

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

__all__ = ["Outcome", "outcomes", "parse"]

MAX_RUNS = 32

# Importing these two modules is what registers their handlers.
_REGISTERED = (_expressions, _statements)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one way through a script gives.

    Attributes:
        value: What `setup()` returned; an `Unknown` where it could not be followed.
        doubts: Why it may be wrong.
        conditions: What the branches taken depend on.
    """

    value: Any
    doubts: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()


@lru_cache(maxsize=1)
def _parser() -> Parser:
    import tree_sitter_javascript  # noqa: PLC0415 - 30 ms that most commands do not need
    from tree_sitter import Language, Parser  # noqa: PLC0415

    return Parser(Language(tree_sitter_javascript.language()))


def parse(text: str) -> Node:
    """Parse a script; the root of its syntax tree, which may hold errors."""
    return _parser().parse(text.encode()).root_node


def outcomes(root: Node) -> Iterator[Outcome]:
    """Evaluate a script once for each way its unknown conditions may go, at most `MAX_RUNS` times."""
    answers: list[bool] = []
    for _ in range(MAX_RUNS):
        run = Run(answers=answers)
        value = _setup_value(run, root)
        yield Outcome(value, tuple(run.doubts), tuple(run.conditions))
        answers = run.answers[: run.asked]
        while answers and not answers[-1]:
            answers.pop()
        if not answers:
            return
        answers[-1] = False
    yield Outcome(Unknown("too much depends on what cannot be told"))


def _setup_value(run: Run, root: Node) -> Any:
    scope = Scope(Scope(names={name: Binding(v) for name, v in globals_of_the_language().items()}))
    scope.is_function = True
    _guarded(run, lambda: _run_top(run, root, scope))
    setup = scope.find("setup")
    if setup is None or setup.value is UNDEFINED:
        return Unknown("there is no setup()")
    return _guarded(run, lambda: call(run, setup.value, UNDEFINED, []))


def _run_top(run: Run, root: Node, scope: Scope) -> None:
    nodes = inner(root)
    if nodes and text_of(nodes[0]).strip("'\"; ") == STRICT:
        list(scope.chain())[-1].names[STRICT] = Binding()
    for name in var_names(nodes):
        scope.names.setdefault(name, Binding())
    enter_block(run, scope, nodes)
    for node in nodes:
        answer = _guarded(run, lambda node=node: evaluate(run, node, scope))
        if isinstance(answer, Unknown) and answer.why in run.doubts:
            _forget(scope, node, answer)


def _forget(scope: Scope, node: Node, answer: Unknown) -> None:
    """Make what a statement declares unknown after it could not be followed."""
    names = [name for name, _ in lexical_names([node])] + list(var_names([node]))
    for name in names:
        scope.names[name] = Binding(Unknown(answer.why, harmless=False))


def _guarded(run: Run, body: Any) -> Any:
    """Run a part of the script; whatever stops it becomes a doubt and an unknown value."""
    try:
        return body()
    except Doubt as doubt:
        why = str(doubt)
    except Thrown as thrown:
        why = f"the script throws {_name_of(thrown)}"
    except Leave as leave:
        why = f"`{leave.kind}` stands outside a function"
    except RecursionError:
        why = "it is nested too deeply to be followed"
    except Exception as error:  # noqa: BLE001 - a slip of this reader must cost certainty, not the plan
        why = f"the reader failed ({type(error).__name__})"
    run.doubts[why] = None
    return Unknown(why, harmless=False)


def _name_of(thrown: Thrown) -> str:
    """Say what was thrown."""
    value = thrown.value
    if not isinstance(value, JsObject):
        return value if isinstance(value, str) else "something"
    message = value.props.get("message")
    return f"{value.props.get('name')}: {message if isinstance(message, str) else thrown.why}"
