"""Text of others inside markdown: nothing of it is markup, a mention, a link, or the end of what it stands in."""

from __future__ import annotations

import html
import re

from shbatch_sync.render.escape import no_commands, one_line, printable

_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+.!|~-])")
# A character without width keeps a forge from reading a mention, a reference or an address.
_BREAK = "&#8203;"
_LINK = re.compile(r"(?i)(@|(?<=[a-z]):(?=//)|\bwww(?=\\?\.)|\bGH(?=\\?-))")


def words(text: str, limit: int | None = None) -> str:
    """Return text as it reads, on one line, with nothing in it that markdown or a forge would act on."""
    safe = html.escape(one_line(text, limit), quote=False)
    safe = _SPECIAL.sub(r"\\\1", safe)
    safe = safe.replace("\\#", f"\\#{_BREAK}")
    return _LINK.sub(rf"\1{_BREAK}", safe)


def code(text: str, limit: int | None = None) -> str:
    """Return text as a code span that also holds in a table."""
    line = no_commands(one_line(text, limit)).replace("|", "\\|") or " "
    longest = max((len(run) for run in re.findall(r"`+", line)), default=0)
    fence = "`" * (longest + 1)
    blank = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{blank}{line}{blank}{fence}"


def code_html(text: str) -> str:
    """Return text as code inside HTML."""
    return f"<code>{html.escape(no_commands(one_line(text)))}</code>"


def fenced(text: str, language: str = "") -> str:
    """Return lines as a block that nothing inside them can end."""
    safe = no_commands("\n".join(printable(line) for line in text.split("\n")))
    longest = max((len(run) for run in re.findall(r"`+", safe)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{safe}\n{fence}"
