"""JavaScript values as Python ones.

undefined is `UNDEFINED`, null is None, booleans are bool, every number is a float, strings are str. Objects are the
classes below. Strings count UTF-16 units in JavaScript; text outside the basic plane is refused where that shows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from tree_sitter import Node

    from shbatch_sync.cost.script.scope import Scope

MAX_LENGTH: Final = 100_000
"""Longest text or array that is built; more is taken for a mistake or an attack."""


_INDEX_DIGITS: Final = 10


class Doubt(Exception):  # noqa: N818 - a signal, no error of ours
    """The reader does not understand something and must not guess."""


class Thrown(Exception):  # noqa: N818 - the script's error
    """The script threw `value`.

    Attributes:
        value: What was thrown; errors are objects with `name` and `message`.
        why: What went wrong, for a person.
    """

    def __init__(self, value: object) -> None:
        self.value = value
        self.why = ""
        super().__init__("the script throws")


class _Undefined:
    """The one value `undefined`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "undefined"


UNDEFINED: Final = _Undefined()


class _Hole:
    """A missing element of an array."""

    __slots__ = ()


HOLE: Final = _Hole()


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value that cannot be told.

    Attributes:
        why: What it depends on, for a person.
        harmless: Whether calling it is known to change nothing of the script's own.
    """

    why: str
    harmless: bool = True


@dataclass(slots=True, eq=False)
class Accessor:
    """A property behind a getter or a setter."""

    getter: Any = None
    setter: Any = None


@dataclass(slots=True, eq=False)
class JsObject:
    """An object: own properties in the order they were made, and a prototype."""

    props: dict[str, Any] = field(default_factory=dict)
    proto: JsObject | None = None
    frozen: bool = False


ERRORS: Final = JsObject({"toString": Unknown("the text of an error")}, frozen=True)
"""The prototype of all errors."""


@dataclass(slots=True, eq=False)
class JsArray:
    """An array; missing elements are `HOLE`. `kind` is `arguments` or `iterator` where it is not one."""

    items: list[Any] = field(default_factory=list)
    frozen: bool = False
    kind: str = ""


@dataclass(slots=True, eq=False)
class JsMap:
    """A Map; keys are compared as JavaScript does, see `identity`."""

    entries: dict[Any, tuple[Any, Any]] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class JsSet:
    """A Set."""

    entries: dict[Any, Any] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class JsRegex:
    """A regular expression: source and flags as written."""

    source: str
    flags: str


@dataclass(slots=True, eq=False)
class Closure:
    """A function of the script.

    Attributes:
        node: Its syntax.
        scope: Where it was made.
        home: The class it is a member of, for `super`.
        own: Properties put on the function itself.
    """

    name: str
    node: Node
    scope: Scope
    arrow: bool = False
    home: JsClass | None = None
    own: JsObject = field(default_factory=JsObject)


@dataclass(slots=True, eq=False)
class JsClass:
    """A class of the script."""

    name: str
    parent: JsClass | None
    scope: Scope
    constructor: Closure | None = None
    fields: list[tuple[str, Any]] = field(default_factory=list)
    prototype: JsObject = field(default_factory=JsObject)
    own: JsObject = field(default_factory=JsObject)


@dataclass(slots=True, eq=False)
class Native:
    """A function of the language: `call(run, this, args)`."""

    name: str
    call: Callable[[Any, Any, list[Any]], Any]
    own: dict[str, Any] = field(default_factory=dict)
    construct: Callable[[Any, list[Any]], Any] | None = None


OBJECTS = (JsObject, JsArray, JsMap, JsSet, JsRegex, Closure, JsClass, Native)
CALLABLE = (Closure, JsClass, Native)
MUTABLE = (JsObject, JsArray, JsMap, JsSet, Closure, JsClass)


def new_error(name: str, message: object, why: str = "") -> Thrown:
    """Make the exception for a script error of class `name`."""
    thrown = Thrown(JsObject({"name": name, "message": message}, proto=ERRORS))
    thrown.why = why
    return thrown


def _engine_error(name: str, why: str) -> Thrown:
    """Make an error that an engine raises itself; what its message says is up to the engine."""
    return new_error(name, Unknown("the wording of an engine's error"), why)


def type_error(why: str) -> Thrown:
    """Make a TypeError of the engine."""
    return _engine_error("TypeError", why)


def reference_error(why: str) -> Thrown:
    """Make a ReferenceError of the engine."""
    return _engine_error("ReferenceError", why)


def range_error(why: str) -> Thrown:
    """Make a RangeError of the engine."""
    return _engine_error("RangeError", why)


def syntax_error(why: str) -> Thrown:
    """Make a SyntaxError of the engine."""
    return _engine_error("SyntaxError", why)


def identity(value: Any) -> Any:
    """Give the key under which a Map or Set keeps `value`."""
    if isinstance(value, bool) or value is None or value is UNDEFINED:
        return ("constant", repr(value))
    if isinstance(value, float):
        return ("number", "NaN" if value != value else value + 0.0)  # noqa: PLR0124 - NaN alone differs from itself
    if isinstance(value, str):
        return ("text", value)
    if isinstance(value, Unknown):
        raise Doubt(value.why)
    return ("object", id(value))


def is_index(key: str) -> bool:
    """Tell whether a property name is an array index as JavaScript orders them first."""
    plain = key.isascii() and key.isdigit() and len(key) < _INDEX_DIGITS
    return plain and (key == "0" or key[0] != "0")


def own_keys(value: JsObject) -> list[str]:
    """List own property names in JavaScript's order: indexes ascending, then as made."""
    names = list(value.props)
    if not any(map(is_index, names)):
        return names
    numbers = sorted((name for name in names if is_index(name)), key=int)
    return numbers + [name for name in names if not is_index(name)]


def filled(items: list[Any]) -> Iterator[tuple[int, Any]]:
    """Walk over the elements that are there."""
    return ((i, item) for i, item in enumerate(items) if item is not HOLE)


def bounded(size: float) -> int:
    """Check the length of something about to be built.

    Raises:
        Doubt: It is not a whole number or beyond `MAX_LENGTH`.
    """
    if not 0 <= size <= MAX_LENGTH or size != int(size):
        message = "something of an unreasonable size is built"
        raise Doubt(message)
    return int(size)
