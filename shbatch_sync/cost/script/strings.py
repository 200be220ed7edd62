"""Methods of text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from shbatch_sync.cost.script.calls import call
from shbatch_sync.cost.script.convert import to_number, to_text
from shbatch_sync.cost.script.natives import Body, Table, arg, known, native, number, slot
from shbatch_sync.cost.script.regexes import find_all, find_first, replace_matches, split_by
from shbatch_sync.cost.script.values import (
    UNDEFINED,
    Doubt,
    JsArray,
    JsRegex,
    Unknown,
    bounded,
)

STRING: Table = {}

_WHITE = " \t\n\v\f\r\ufeff\u00a0\u2028\u2029\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"


def _method(*names: str) -> Callable[[Body], Body]:
    """Register a method; an unknown argument makes the answer unknown."""

    def register(body: Body) -> Body:
        def guarded(run: Any, this: Any, args: list[Any]) -> Any:
            if not isinstance(this, str) or (not this.isascii() and max(this) > "\uffff"):
                message = f"{names[0]} of something that is no plain text is not followed"
                raise Doubt(message)
            unknown = next((value for value in args if isinstance(value, Unknown)), None)
            return body(run, this, args) if unknown is None else unknown

        return native(STRING, *names)(guarded)

    return register


def _text(args: list[Any], position: int = 0) -> str:
    value = arg(args, position)
    if isinstance(value, JsRegex):
        message = "a regular expression is used where text is wanted"
        raise Doubt(message)
    return to_text(value)


@_method("toUpperCase", "toLocaleUpperCase")
def _upper(_run: Any, this: str, _args: list[Any]) -> Any:
    return this.upper()


@_method("toLowerCase", "toLocaleLowerCase")
def _lower(_run: Any, this: str, _args: list[Any]) -> Any:
    return this.lower()


@_method("trim")
def _trim(_run: Any, this: str, _args: list[Any]) -> Any:
    return this.strip(_WHITE)


@_method("trimStart", "trimLeft")
def _trim_start(_run: Any, this: str, _args: list[Any]) -> Any:
    return this.lstrip(_WHITE)


@_method("trimEnd", "trimRight")
def _trim_end(_run: Any, this: str, _args: list[Any]) -> Any:
    return this.rstrip(_WHITE)


@_method("toString", "valueOf")
def _to_string(_run: Any, this: str, _args: list[Any]) -> Any:
    return this


@_method("concat")
def _concat(_run: Any, this: str, args: list[Any]) -> Any:
    return this + "".join(to_text(value) for value in args)


@_method("charAt")
def _char_at(_run: Any, this: str, args: list[Any]) -> Any:
    place = number(args, 0, 0)
    return this[int(place)] if 0 <= place < len(this) else ""


@_method("at")
def _at(_run: Any, this: str, args: list[Any]) -> Any:
    place = number(args, 0, 0)
    place += len(this) if place < 0 else 0
    return this[int(place)] if 0 <= place < len(this) else UNDEFINED


@_method("charCodeAt")
def _char_code_at(_run: Any, this: str, args: list[Any]) -> Any:
    place = number(args, 0, 0)
    return float(ord(this[int(place)])) if 0 <= place < len(this) else float("nan")


@_method("codePointAt")
def _code_point_at(_run: Any, this: str, args: list[Any]) -> Any:
    place = number(args, 0, 0)
    return float(ord(this[int(place)])) if 0 <= place < len(this) else UNDEFINED


@_method("slice")
def _slice(_run: Any, this: str, args: list[Any]) -> Any:
    size = len(this)
    return this[slot(args, 0, size, 0) : slot(args, 1, size, size)]


@_method("substring")
def _substring(_run: Any, this: str, args: list[Any]) -> Any:
    size = len(this)
    ends = sorted(max(0.0, min(number(args, i, size * i), size)) for i in (0, 1))
    return this[int(ends[0]) : int(ends[1])]


@_method("substr")
def _substr(_run: Any, this: str, args: list[Any]) -> Any:
    start = slot(args, 0, len(this), 0)
    count = max(0.0, min(number(args, 1, len(this)), len(this)))
    return this[start : start + int(count)]


@_method("indexOf")
def _index_of(_run: Any, this: str, args: list[Any]) -> Any:
    start = int(max(0.0, min(number(args, 1, 0), len(this))))
    return float(this.find(_text(args), start))


@_method("lastIndexOf")
def _last_index_of(_run: Any, this: str, args: list[Any]) -> Any:
    if len(args) > 1:
        message = "lastIndexOf with a start is not followed"
        raise Doubt(message)
    return float(this.rfind(_text(args)))


@_method("includes")
def _includes(_run: Any, this: str, args: list[Any]) -> Any:
    start = int(max(0.0, min(number(args, 1, 0), len(this))))
    return _text(args) in this[start:]


@_method("startsWith")
def _starts_with(_run: Any, this: str, args: list[Any]) -> Any:
    start = int(max(0.0, min(number(args, 1, 0), len(this))))
    return this[start:].startswith(_text(args))


@_method("endsWith")
def _ends_with(_run: Any, this: str, args: list[Any]) -> Any:
    end = int(max(0.0, min(number(args, 1, len(this)), len(this))))
    return this[:end].endswith(_text(args))


@_method("repeat")
def _repeat(_run: Any, this: str, args: list[Any]) -> Any:
    times = bounded(number(args, 0, 0))
    bounded(times * len(this))
    return this * times


def _padding(this: str, args: list[Any]) -> str:
    size = bounded(max(0.0, number(args, 0, 0)))
    fill = " " if arg(args, 1) is UNDEFINED else to_text(args[1])
    missing = max(0, size - len(this)) if fill else 0
    return (fill * (missing // max(1, len(fill)) + 1))[:missing]


@_method("padStart")
def _pad_start(_run: Any, this: str, args: list[Any]) -> Any:
    return _padding(this, args) + this


@_method("padEnd")
def _pad_end(_run: Any, this: str, args: list[Any]) -> Any:
    return this + _padding(this, args)


@_method("split")
def _split(_run: Any, this: str, args: list[Any]) -> Any:
    glue = arg(args, 0)
    limit = None if arg(args, 1) is UNDEFINED else bounded(to_number(args[1]))
    if isinstance(glue, JsRegex):
        parts = split_by(glue, this)
    elif glue is UNDEFINED:
        parts = [this]
    else:
        mark = to_text(glue)
        parts = this.split(mark) if mark else list(this)
    return JsArray(list(parts[:limit]))


@_method("replace")
def _replace(run: Any, this: str, args: list[Any]) -> Any:
    pattern = arg(args, 0)
    if isinstance(pattern, JsRegex):
        return replace_matches(run, pattern, this, arg(args, 1))
    return _replace_text(run, this, args, 1)


@_method("replaceAll")
def _replace_all(run: Any, this: str, args: list[Any]) -> Any:
    pattern = arg(args, 0)
    if isinstance(pattern, JsRegex):
        return replace_matches(run, pattern, this, arg(args, 1))
    return _replace_text(run, this, args, -1)


def _replace_text(run: Any, this: str, args: list[Any], times: int) -> str:
    wanted, by = to_text(arg(args, 0)), arg(args, 1)
    if callable_text(by):
        if times != 1 or wanted not in this:
            message = "replaceAll with a function is not followed"
            raise Doubt(message)
        place = float(this.index(wanted))
        answer = call(run, by, UNDEFINED, [wanted, place, this])
        known(answer)
        return this.replace(wanted, to_text(answer), 1)
    replacement = to_text(by)
    if "$" in replacement:
        message = "a replacement with $ is not followed"
        raise Doubt(message)
    made = this.replace(wanted, replacement, times)
    bounded(len(made))
    return made


def callable_text(value: Any) -> bool:
    """Tell whether a replacement is a function rather than text."""
    return (
        not isinstance(value, (str, float, bool)) and value is not None and value is not UNDEFINED
    )


@_method("match")
def _match(_run: Any, this: str, args: list[Any]) -> Any:
    pattern = arg(args, 0)
    if not isinstance(pattern, JsRegex):
        message = "match with text is not followed"
        raise Doubt(message)
    return find_first(pattern, this)


@_method("matchAll")
def _match_all(_run: Any, this: str, args: list[Any]) -> Any:
    pattern = arg(args, 0)
    if not isinstance(pattern, JsRegex):
        message = "matchAll with text is not followed"
        raise Doubt(message)
    return JsArray(find_all(pattern, this), kind="iterator")
