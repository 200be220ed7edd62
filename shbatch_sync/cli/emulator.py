"""`emulator`: the embedded service on a socket, for several processes, other clients and tests."""

from __future__ import annotations

import signal
import threading
from pathlib import Path

import click

from shbatch_sync.cli.output import Output, speaking
from shbatch_sync.errors import ExitCode, SettingsError


@click.command("emulator")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    show_default=True,
    help="0 asks for a free one.",
)
@click.option(
    "--db", type=click.Path(dir_okay=False), help="Keep its state in a file [default: in memory]."
)
@click.option(
    "--speed",
    type=click.FloatRange(min=0, min_open=True),
    default=1.0,
    show_default=True,
    help="Clock factor.",
)
@click.option(
    "--lag",
    type=click.FloatRange(min=0),
    default=0.0,
    show_default=True,
    help="Seconds of its own clock that a list lags.",
)
@click.option(
    "--page-size",
    type=click.IntRange(1, 10_000),
    default=100,
    show_default=True,
    help="Items of a page.",
)
@speaking
def command(
    output: Output, port: int, db: str | None, speed: float, lag: float, page_size: int
) -> int:
    """Serve the embedded emulator on this machine; prints its URL, ends with Ctrl-C."""
    from shbatch_sync.emulator import Emulator, Options, UnusableDatabaseError  # noqa: PLC0415
    from shbatch_sync.emulator.server import serve  # noqa: PLC0415

    place = ":memory:" if db is None else Path(output.directory) / db
    options = Options(speed=speed, lag=lag, page_size=page_size)
    try:
        opened = Emulator(place, options)
    except UnusableDatabaseError as error:
        message = f"--db {error}"
        raise SettingsError(message) from None
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    with opened as emulator, serve(emulator, port=port) as server:
        output.result(server.url)
        output.say("any client id and secret will do; Ctrl-C ends it")
        stopped.wait()
    return ExitCode.OK
