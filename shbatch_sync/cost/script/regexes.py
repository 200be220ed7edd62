"""Regular expressions: the part of JavaScript's that Python's read alike, on short texts.

A pattern that could take long (repeated groups, many repetitions) is refused rather than run.
"""

from __future__ import annotations

import re
from typing import Any

from shbatch_sync.cost.script.calls import call
from shbatch_sync.cost.script.convert import to_text
from shbatch_sync.cost.script.natives import Table, arg, known, native
from shbatch_sync.cost.script.values import CALLABLE, UNDEFINED, Doubt, JsArray, JsRegex

REGEX: Table = {}

_MAX_TEXT = 200
_MAX_REPEATS = 3
_REPEATED_GROUP = re.compile(r"(?<!\\)\)[*+{]")
_REPEAT = re.compile(r"(?<!\\)[*+]|(?<!\\)\{\d*,\d*\}")
_FOREIGN = re.compile(
    r"\\[acpPkAZBu1-9]|\(\?<|\[\^?\]|\\x(?![0-9a-fA-F]{2})|(?<!\\)\{(?!\d)"
    r"|\[[^\]]*\[|&&|--|~~|\|\||[*+?}][*+]"
    r"|\(\)|[*?}|(]\)\?"
)


def compiled(regex: JsRegex, text: str) -> re.Pattern[str]:
    """Translate a regular expression that is to be used on `text`.

    Raises:
        Doubt: It means something else in Python, or may take long.
    """
    source = regex.source
    slow = _REPEATED_GROUP.search(source) or len(_REPEAT.findall(source)) > _MAX_REPEATS
    if slow or len(text) > _MAX_TEXT or not (text + source).isascii() or "\r" in text:
        message = "a regular expression is not run, for it might take long"
        raise Doubt(message)
    if _FOREIGN.search(source) or set(regex.flags) - set("gims"):
        message = f"the regular expression /{source}/ is not followed"
        raise Doubt(message)
    flags = re.ASCII
    for letter, flag in (("i", re.IGNORECASE), ("m", re.MULTILINE), ("s", re.DOTALL)):
        flags |= flag if letter in regex.flags else 0
    if "m" not in regex.flags:
        source = re.sub(r"((?:^|[^\\])(?:\\\\)*)\$", r"\1\\Z", source)
    try:
        return re.compile(source, flags)
    except (re.error, OverflowError, RecursionError) as error:
        message = f"the regular expression /{regex.source}/ is not followed"
        raise Doubt(message) from error


def _groups(match: re.Match[str]) -> list[Any]:
    found = [match.group(), *match.groups()]
    return [UNDEFINED if text is None else text for text in found]


@native(REGEX, "test")
def _test(_run: Any, this: Any, args: list[Any]) -> Any:
    known(arg(args, 0))
    return _search(this, to_text(arg(args, 0))) is not None


@native(REGEX, "exec")
def _exec(_run: Any, this: Any, args: list[Any]) -> Any:
    known(arg(args, 0))
    match = _search(this, to_text(arg(args, 0)))
    return None if match is None else JsArray(_groups(match))


def _search(this: Any, text: str) -> re.Match[str] | None:
    if not isinstance(this, JsRegex) or "g" in this.flags:
        # With the flag g these two remember where they stopped.
        message = "a regular expression with the flag g is tested"
        raise Doubt(message)
    return compiled(this, text).search(text)


def find_first(regex: JsRegex, text: str) -> Any:
    """Evaluate `text.match(regex)`."""
    pattern = compiled(regex, text)
    if "g" in regex.flags:
        found = [match.group() for match in pattern.finditer(text)]
        return JsArray(list(found)) if found else None
    match = pattern.search(text)
    return None if match is None else JsArray(_groups(match))


def find_all(regex: JsRegex, text: str) -> list[Any]:
    """List the matches of `text.matchAll(regex)`."""
    return [JsArray(_groups(match)) for match in compiled(regex, text).finditer(text)]


def split_by(regex: JsRegex, text: str) -> list[Any]:
    """Evaluate `text.split(regex)`.

    Raises:
        Doubt: The two languages may differ: the pattern can match nothing, or has groups.
    """
    pattern = compiled(regex, text)
    if pattern.groups or pattern.match(""):
        message = f"splitting by /{regex.source}/ is not followed"
        raise Doubt(message)
    return list(pattern.split(text))


def replace_matches(run: Any, regex: JsRegex, text: str, by: Any) -> str:
    """Evaluate `text.replace(regex, by)`."""
    pattern = compiled(regex, text)
    plain = "" if isinstance(by, CALLABLE) else to_text(by)
    if re.search(r"\$(?!\d(?!\d))", plain):
        message = "a replacement with $ is not followed"
        raise Doubt(message)

    def replacement(match: re.Match[str]) -> str:
        groups = _groups(match)
        if isinstance(by, CALLABLE):
            answer = call(run, by, UNDEFINED, [*groups, float(match.start()), text])
            known(answer)
            return to_text(answer)
        return re.sub(r"\$(\d)", lambda mark: _group(mark, groups), plain)

    return pattern.sub(replacement, text, count=0 if "g" in regex.flags else 1)


def _group(mark: re.Match[str], groups: list[Any]) -> str:
    number = int(mark.group(1))
    if not 1 <= number < len(groups):
        return mark.group()
    return "" if groups[number] is UNDEFINED else str(groups[number])
