"""How a person or the machine asks an apply to end."""

from __future__ import annotations

import threading


class Interrupt:
    """Set by a signal: the call in flight is finished, no other one is begun."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def set(self) -> None:
        """Ask for an end."""
        self._event.set()

    @property
    def requested(self) -> bool:
        """Whether an end was asked for."""
        return self._event.is_set()
