"""Reading and writing properties: of the script's objects and of the language's own."""

from __future__ import annotations

from typing import Any

from shbatch_sync.cost.script.calls import call
from shbatch_sync.cost.script.convert import to_number, to_text
from shbatch_sync.cost.script.library import METHODS, OBJECT_METHODS
from shbatch_sync.cost.script.scope import Run
from shbatch_sync.cost.script.values import (
    HOLE,
    UNDEFINED,
    Accessor,
    Closure,
    Doubt,
    JsArray,
    JsClass,
    JsMap,
    JsObject,
    JsRegex,
    JsSet,
    Native,
    Unknown,
    bounded,
    is_index,
    type_error,
)

_MISSING = object()


def get_member(run: Run, owner: Any, key: Any) -> Any:
    """Read `owner[key]`.

    Raises:
        Doubt: It is a member of the language that is not known here.
        Thrown: The owner is null or undefined.
    """
    if isinstance(owner, Unknown):
        return owner
    if owner is None or owner is UNDEFINED:
        message = "a member of null or undefined is read"
        raise type_error(message)
    if isinstance(key, Unknown):
        return key
    name = key if isinstance(key, str) else to_text(key)
    if isinstance(owner, JsObject):
        return _of_object(run, owner, owner, name)
    if isinstance(owner, (Closure, JsClass)):
        found = lookup(run, owner.own, owner, name)
        return found if found is not _MISSING else _of_function(owner, name)
    if isinstance(owner, Native):
        return _of_native(owner, name)
    return _of_builtin(owner, name)


def lookup(run: Run, holder: JsObject, this: Any, name: str) -> Any:
    """Find a property on an object or its prototypes, running getters with `this`."""
    walker: JsObject | None = holder
    while walker is not None:
        if name in walker.props:
            found = walker.props[name]
            if not isinstance(found, Accessor):
                return found
            return UNDEFINED if found.getter is None else call(run, found.getter, this, [])
        walker = walker.proto
    return _MISSING


def _of_object(run: Run, owner: JsObject, this: Any, name: str) -> Any:
    found = lookup(run, owner, this, name)
    if found is _MISSING:
        return OBJECT_METHODS.get(name, UNDEFINED)
    return found


def _of_function(owner: Closure | JsClass, name: str) -> Any:
    if name == "prototype" and isinstance(owner, JsClass):
        return owner.prototype
    if name == "name":
        return owner.name
    method = METHODS["function"].get(name)
    if method is None:
        # What is not there is undefined, but functions have members that are not known here.
        message = f"the member {name} of a function is not followed"
        raise Doubt(message)
    return method


def _of_native(owner: Native, name: str) -> Any:
    if name in owner.own:
        return owner.own[name]
    if name in METHODS["function"]:
        return METHODS["function"][name]
    message = f"{owner.name}.{name} is not followed"
    raise Doubt(message)


def _of_builtin(owner: Any, name: str) -> Any:
    if isinstance(owner, JsArray) and owner.kind == "iterator":
        message = f"{name} of an iterator is not followed"
        raise Doubt(message)
    if isinstance(owner, (str, JsArray)) and (name == "length" or is_index(name)):
        return _of_sequence(owner, name)
    if isinstance(owner, (JsMap, JsSet)) and name == "size":
        return float(len(owner.entries))
    if isinstance(owner, JsArray) and owner.kind:
        message = f"arguments.{name} is not followed"
        raise Doubt(message)
    if isinstance(owner, JsRegex) and name in ("source", "flags"):
        return owner.source if name == "source" else owner.flags
    method = METHODS[kind_of(owner)].get(name)
    if method is None:
        message = f"the member {name} of a {kind_of(owner)} is not followed"
        raise Doubt(message)
    return method


def kind_of(owner: Any) -> str:
    """Name the table of methods that a value has."""
    kinds = {JsArray: "array", str: "string", JsMap: "map", JsSet: "set", JsRegex: "regex"}
    return kinds.get(type(owner), "boolean" if isinstance(owner, bool) else "number")


def _of_sequence(owner: str | JsArray, name: str) -> Any:
    items: Any = utf16(owner) if isinstance(owner, str) else owner.items
    if name == "length":
        return float(len(items))
    position = int(name)
    found = items[position] if position < len(items) else UNDEFINED
    return UNDEFINED if found is HOLE else found


def utf16(text: str) -> str:
    """Give a text whose units JavaScript counts as Python does.

    Raises:
        Doubt: It holds characters that JavaScript counts twice.
    """
    if not text.isascii() and max(text) > "\uffff":
        message = "the length of a text with characters outside the basic plane is used"
        raise Doubt(message)
    return text


def set_member(run: Run, owner: Any, key: Any, value: Any) -> None:
    """Write `owner[key] = value`.

    Raises:
        Doubt: It cannot be told what is written to.
        Thrown: The owner is null or undefined.
    """
    if owner is None or owner is UNDEFINED:
        message = "a member of null or undefined is written"
        raise type_error(message)
    if isinstance(owner, Unknown) and owner.harmless:
        return
    name = to_text(key)
    if isinstance(owner, JsArray):
        _set_item(owner, name, value)
    elif isinstance(owner, (JsObject, Closure, JsClass)):
        _set_property(run, owner, name, value)
    else:
        message = "a member is written to something that is no plain object"
        raise Doubt(message)


def _set_property(run: Run, owner: JsObject | Closure | JsClass, name: str, value: Any) -> None:
    holder = owner if isinstance(owner, JsObject) else owner.own
    if holder.frozen or name == "__proto__":
        message = f"{name} of a frozen object is written"
        raise Doubt(message)
    walker: JsObject | None = holder
    while walker is not None:
        found = walker.props.get(name)
        if isinstance(found, Accessor):
            _run_setter(run, found, owner, name, value)
            return
        walker = walker.proto
    holder.props[name] = value


def _run_setter(run: Run, found: Accessor, owner: Any, name: str, value: Any) -> None:
    if found.setter is None:
        message = f"{name} has a getter only and is written"
        raise Doubt(message)
    call(run, found.setter, owner, [value])


def _set_item(owner: JsArray, name: str, value: Any) -> None:
    if owner.frozen or owner.kind or not (name == "length" or is_index(name)):
        message = f"{name} of an array is written"
        raise Doubt(message)
    size = bounded(to_number(value)) if name == "length" else int(name) + 1
    owner.items.extend([HOLE] * (bounded(size) - len(owner.items)))
    if name == "length":
        del owner.items[size:]
    else:
        owner.items[size - 1] = value


def delete_member(owner: Any, key: Any) -> bool:
    """Evaluate `delete owner[key]`.

    Raises:
        Doubt: The owner is no plain object.
    """
    if not isinstance(owner, JsObject) or owner.frozen:
        message = "something that is no plain object's member is deleted"
        raise Doubt(message)
    owner.props.pop(to_text(key), None)
    return True


def has_member(owner: Any, key: Any) -> bool:
    """Evaluate `key in owner`.

    Raises:
        Doubt: The owner is neither a plain object nor an array.
    """
    name = to_text(key)
    if isinstance(owner, JsArray):
        return name == "length" or (
            is_index(name) and int(name) < len(owner.items) and owner.items[int(name)] is not HOLE
        )
    if isinstance(owner, JsObject):
        walker: JsObject | None = owner
        while walker is not None:
            if name in walker.props:
                return True
            walker = walker.proto
        return name in OBJECT_METHODS
    message = "`in` is used on something that is no plain object"
    raise Doubt(message)


def lookup_super(run: Run, home: JsClass, this: Any, key: Any) -> Any:
    """Read `super.key` in a member of class `home`.

    Raises:
        Doubt: The class extends nothing.
    """
    if home.parent is None:
        message = "super is used in a class that extends nothing"
        raise Doubt(message)
    holder = home.parent.own if isinstance(this, JsClass) else home.parent.prototype
    found = lookup(run, holder, this, to_text(key))
    return UNDEFINED if found is _MISSING else found
