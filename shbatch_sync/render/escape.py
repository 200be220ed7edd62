"""Make text of others harmless before a person or a CI system reads it.

Descriptions, names in files and the service's messages are written by people we do not know. A control character
can rewrite a terminal, a bidi mark can show a line in another order than it has, and a line that begins with two
colons is a command to some CI systems.
"""

from __future__ import annotations

import re

_CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)
# GitHub looks for two colons at the start of a line, and like Azure Pipelines for the older form anywhere in it.
_COMMAND = re.compile(r"^(\s*)(::)", re.MULTILINE)
_OLD_COMMAND = re.compile(r"##(?=\[|vso\[)")


def printable(text: str) -> str:
    r"""Return text with every control, bidi and invisible character written as an escape, e.g. `\x1b`."""
    return _CONTROL.sub(lambda match: _escape(match[0]), text)


def one_line(text: str, limit: int | None = None) -> str:
    """Return text on one line, cut to `limit` characters where one is given."""
    line = printable(" ".join(text.split()))
    return line if limit is None or len(line) <= limit else f"{line[: limit - 1]}…"


def no_commands(text: str) -> str:
    r"""Return text in which no line is a CI command; a backslash breaks those that would be."""
    return _OLD_COMMAND.sub(r"#\\#", _COMMAND.sub(r"\1\\\2", text))


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"  # noqa: PLR2004
