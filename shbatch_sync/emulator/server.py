"""The emulator on a socket, under waitress."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING, Any, Self

from waitress import wasyncore  # type: ignore[import-untyped]
from waitress.channel import ClientDisconnected  # type: ignore[import-untyped]
from waitress.server import create_server  # type: ignore[import-untyped]

from shbatch_sync.emulator.faults import LostConnectionError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from shbatch_sync.emulator.emulator import Emulator

_THREADS = 8


class Server:
    """A server that is already listening.

    Attributes:
        url: Where it listens, without a last slash.
    """

    def __init__(self, emulator: Emulator, host: str, port: int) -> None:
        # Bound here, because waitress leaves threads behind when a port is taken.
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listening = socket.create_server((host, port), family=family)
        bound = listening.getsockname()[1]
        self.url = f"http://[{host}]:{bound}" if ":" in host else f"http://{host}:{bound}"
        self._map: dict[int, Any] = {}
        self._server = create_server(
            _breaking(emulator.app), map=self._map, sockets=[listening], threads=_THREADS
        )
        self._thread = threading.Thread(target=self._server.run, name="emulator", daemon=True)
        self._thread.start()

    def wait(self) -> None:
        """Wait until the server is stopped, by another thread or a signal."""
        while self._thread.is_alive():
            self._thread.join(0.5)

    def stop(self) -> None:
        """Finish the calls in flight, stop listening and end the threads; a second call does nothing."""
        if not self._thread.is_alive():
            return
        self._server.task_dispatcher.shutdown()
        # Connections that clients keep open would keep the loop alive, and only its own thread may close them.
        self._server.trigger.pull_trigger(self._close_all)
        self._thread.join()

    def _close_all(self) -> None:
        wasyncore.close_all(self._map)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def serve(emulator: Emulator, host: str = "127.0.0.1", port: int = 0) -> Server:
    """Serve an emulator in the background; port 0 takes a free one.

    Raises:
        OSError: The port is taken.
    """
    return Server(emulator, host, port)


def _breaking(app: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        try:
            return app(environ, start_response)
        except LostConnectionError as error:
            # The one exception after which waitress closes the connection without a word.
            raise ClientDisconnected from error

    return answer
