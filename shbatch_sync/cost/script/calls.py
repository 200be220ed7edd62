"""Calling functions: the script's own, the language's, and unknown ones."""

from __future__ import annotations

from typing import Any

from shbatch_sync.cost.script.dispatch import run_body
from shbatch_sync.cost.script.scope import MAX_DEPTH, Binding, Run, Scope
from shbatch_sync.cost.script.values import (
    MUTABLE,
    Closure,
    Doubt,
    JsArray,
    Native,
    Unknown,
    type_error,
)


def call(run: Run, function: Any, this: Any, args: list[Any]) -> Any:
    """Call a function.

    Raises:
        Doubt: It is unknown and might change something.
        Thrown: It throws, or is none.
    """
    if isinstance(function, Unknown):
        return call_unknown(function, args)
    if isinstance(function, Native):
        return function.call(run, this, args)
    if not isinstance(function, Closure):
        message = "something that is not a function is called"
        raise type_error(message)
    return _call_closure(run, function, this, args)


def call_unknown(function: Unknown, args: list[Any]) -> Unknown:
    """Call what is not known: the answer is as little known.

    Raises:
        Doubt: It could change an object that it is handed.
    """
    if not function.harmless and any(isinstance(arg, MUTABLE) for arg in args):
        raise Doubt(function.why)
    return function


def _call_closure(run: Run, function: Closure, this: Any, args: list[Any]) -> Any:
    if run.depth >= MAX_DEPTH:
        message = "functions are nested too deeply to be followed"
        raise Doubt(message)
    scope = Scope(function.scope, is_function=True, home=function.home, args=args)
    if not function.arrow:
        scope.this = [this]
        scope.names["arguments"] = Binding(JsArray(list(args), kind="arguments"))
    run.depth += 1
    try:
        return run_body(run, function.node, scope)
    finally:
        run.depth -= 1
