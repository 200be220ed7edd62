"""The stream of an apply: JSON lines on stdout, in a file, or both; or nowhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from shbatch_sync.cli.output import json_text
from shbatch_sync.clock import Clock, SystemClock

if TYPE_CHECKING:
    from shbatch_sync.cli.output import Output


class EventStream:
    """Writes one line an event, each with its time, to where it was asked for.

    Args:
        files: Open for writing.
        stdout: Whether to print as well.
        clock: Time, for tests.
    """

    def __init__(
        self, files: list[TextIO], *, stdout: bool = False, clock: Clock | None = None
    ) -> None:
        self._files = files
        self._stdout = stdout
        self._clock = clock or SystemClock()
        self._last: Any = None

    def send(self, *events: dict[str, Any]) -> None:
        """Write events; one that says the same as the one before it, as waiting does for hours, is left out."""
        for event in events:
            if event == self._last:
                continue
            self._last = event
            at = f"{self._clock.now():%Y-%m-%dT%H:%M:%SZ}"
            line = json_text({"type": event["type"], "at": at, **event})
            if self._stdout:
                click.echo(line)
            for file in self._files:
                file.write(f"{line}\n")
                file.flush()


@contextmanager
def event_stream(output: Output, *, stdout: bool, into: str | None) -> Iterator[EventStream]:
    """Open a stream for the length of a `with` block, and begin it with the version of its format."""
    from shbatch_sync.render.events import version  # noqa: PLC0415

    with ExitStack() as stack:
        files: list[TextIO] = []
        if into is not None:
            path = Path(output.directory) / into
            files.append(stack.enter_context(path.open("w", encoding="utf-8")))
        stream = EventStream(files, stdout=stdout)
        stream.send(version())
        yield stream
