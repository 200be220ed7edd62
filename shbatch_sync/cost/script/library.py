"""What an evalscript finds without declaring it: the language's globals and the service's."""

from __future__ import annotations

import math
from typing import Any

from shbatch_sync.cost.script import array_changes as _array_changes
from shbatch_sync.cost.script.arrays import ARRAY
from shbatch_sync.cost.script.calls import call
from shbatch_sync.cost.script.collections import MAP, SET, new_map, new_set
from shbatch_sync.cost.script.convert import to_number, to_text, truthy
from shbatch_sync.cost.script.dispatch import iterate
from shbatch_sync.cost.script.natives import arg, known
from shbatch_sync.cost.script.numbers import (
    BOOLEAN_METHODS,
    MATH,
    MATH_CONSTANTS,
    NUMBER,
    NUMBER_CONSTANTS,
    NUMBER_METHODS,
    parse_float,
    parse_int,
)
from shbatch_sync.cost.script.objects import FUNCTION, JSON, OBJECT, OBJECT_METHODS
from shbatch_sync.cost.script.regexes import REGEX
from shbatch_sync.cost.script.strings import STRING
from shbatch_sync.cost.script.values import (
    HOLE,
    UNDEFINED,
    Doubt,
    JsArray,
    JsMap,
    JsObject,
    JsRegex,
    JsSet,
    Native,
    Unknown,
    bounded,
    new_error,
)

__all__ = ["METHODS", "OBJECT_METHODS", "globals_of_the_language"]

# Importing this module is what adds its methods to ARRAY.
_REGISTERED = _array_changes

METHODS: dict[str, dict[str, Native]] = {
    "array": ARRAY,
    "boolean": BOOLEAN_METHODS,
    "function": FUNCTION,
    "map": MAP,
    "number": NUMBER_METHODS,
    "regex": REGEX,
    "set": SET,
    "string": STRING,
}

_SAMPLE_TYPES = ("AUTO", "UINT8", "UINT16", "UINT32", "INT8", "INT16", "INT32", "FLOAT32")
_MOSAICKING = ("SIMPLE", "ORBIT", "TILE")
_CLOCK = "it depends on the clock (Date)"
# Helpers of the service (Evalscript V3 docs, utility functions); they draw pixels and change nothing.
_HELPERS = (
    "ColorGradientVisualizer",
    "ColorMapVisualizer",
    "ColorRampVisualizer",
    "DiscreteValueVisualizer",
    "HighlightCompressVisualizer",
    "HighlightCompressVisualizerSingle",
    "Identity",
    "LinearStretch",
    "RampVisualizer",
    "XYZtoRGB",
    "atmosphericCorrection",
    "blueGreenRamp",
    "blueRedRamp",
    "colorBlend",
    "combine",
    "console",
    "decodeL2A",
    "greenRedRamp",
    "greenWhiteRamp",
    "index",
    "inverse",
    "isTrueColor",
    "redBlueRamp",
    "redTemperature",
    "valueInterpolate",
    "valueMap",
    "whiteGreenRamp",
)


def globals_of_the_language() -> dict[str, Any]:
    """Make the globals, fresh for one run."""
    made: dict[str, Any] = {
        "Array": Native("Array", _array, {**_array_members()}, _new_array),
        "Boolean": Native("Boolean", lambda _run, _this, args: _boolean(args)),
        "Infinity": math.inf,
        "JSON": Native("JSON", _not_callable, {**JSON}),
        "Map": Native("Map", _not_callable, {}, new_map),
        "Math": Native("Math", _not_callable, {**MATH, **MATH_CONSTANTS}),
        "NaN": math.nan,
        "Number": Native("Number", _number, {**NUMBER, **NUMBER_CONSTANTS}),
        "Object": Native("Object", _not_callable, {**OBJECT}, _new_object),
        "RegExp": Native("RegExp", _not_callable, {}, _new_regex),
        "Set": Native("Set", _not_callable, {}, new_set),
        "String": Native("String", _string, {"prototype": JsObject({**STRING}, frozen=True)}),
        "Date": Unknown(_CLOCK),
        "isFinite": Native("isFinite", lambda _run, _this, args: math.isfinite(_given(args))),
        "isNaN": Native("isNaN", lambda _run, _this, args: math.isnan(_given(args))),
        "parseFloat": Native("parseFloat", parse_float),
        "parseInt": Native("parseInt", parse_int),
        "Mosaicking": JsObject({name: name for name in _MOSAICKING}),
        "SampleType": JsObject({name: name for name in _SAMPLE_TYPES}),
    }
    for name in ("Error", "TypeError", "RangeError", "SyntaxError", "ReferenceError"):
        made[name] = _error_maker(name)
    made.update({name: Unknown(f"the service's {name} is not followed") for name in _HELPERS})
    return made


def _array_members() -> dict[str, Any]:
    prototype = JsObject({**ARRAY}, frozen=True)
    return {
        "from": Native("from", _from),
        "isArray": Native("isArray", _is_array),
        "of": Native("of", lambda _run, _this, args: JsArray(list(args))),
        "prototype": prototype,
    }


def _not_callable(_run: Any, _this: Any, _args: list[Any]) -> Any:
    message = "a global that is not a plain function is called"
    raise Doubt(message)


def _given(args: list[Any]) -> float:
    known(arg(args, 0))
    return to_number(arg(args, 0))


def _boolean(args: list[Any]) -> Any:
    known(arg(args, 0))
    return truthy(arg(args, 0))


def _number(_run: Any, _this: Any, args: list[Any]) -> Any:
    if args and isinstance(args[0], Unknown):
        return args[0]
    return to_number(args[0]) if args else 0.0


def _string(_run: Any, _this: Any, args: list[Any]) -> Any:
    if args and isinstance(args[0], Unknown):
        return args[0]
    return to_text(args[0]) if args else ""


def _array(run: Any, _this: Any, args: list[Any]) -> Any:
    return _new_array(run, args)


def _new_array(_run: Any, args: list[Any]) -> Any:
    if len(args) == 1 and isinstance(args[0], Unknown):
        return args[0]
    if len(args) == 1 and isinstance(args[0], float):
        return JsArray([HOLE] * bounded(args[0]))
    return JsArray(list(args))


def _is_array(_run: Any, _this: Any, args: list[Any]) -> Any:
    known(arg(args, 0))
    found = arg(args, 0)
    return isinstance(found, JsArray) and not found.kind


def _from(run: Any, _this: Any, args: list[Any]) -> Any:
    source, change = arg(args, 0), arg(args, 1)
    if isinstance(source, Unknown):
        return source
    if isinstance(source, JsObject):
        size = source.props.get("length", UNDEFINED)
        if isinstance(size, Unknown):
            return size
        if set(source.props) != {"length"} or not isinstance(size, float):
            message = "Array.from an object with elements"
            raise Doubt(message)
        items: list[Any] = [UNDEFINED] * bounded(size)
    elif isinstance(source, (str, JsArray, JsMap, JsSet)):
        items = iterate(source)
    else:
        message = "Array.from something that is no list"
        raise Doubt(message)
    if change is UNDEFINED:
        return JsArray(items)
    return JsArray(
        [call(run, change, arg(args, 2), [item, float(i)]) for i, item in enumerate(items)]
    )


def _new_object(_run: Any, args: list[Any]) -> Any:
    if args:
        message = "new Object of something is not followed"
        raise Doubt(message)
    return JsObject()


def _new_regex(_run: Any, args: list[Any]) -> Any:
    known(arg(args, 0), arg(args, 1))
    source, flags = arg(args, 0), arg(args, 1)
    if not isinstance(source, str):
        message = "RegExp of something that is no text"
        raise Doubt(message)
    return JsRegex(source, "" if flags is UNDEFINED else to_text(flags))


def _error_maker(name: str) -> Native:
    def make(_run: Any, args: list[Any]) -> Any:
        message = "" if arg(args, 0) is UNDEFINED else args[0]
        return new_error(name, message).value

    return Native(name, lambda run, _this, args: make(run, args), {}, make)
