"""Which ids have been met, at about 16 bytes an id: a list of an account must not grow with the account."""

from __future__ import annotations

from array import array

_FIRST_SIZE = 1024  # a power of two, as every size
_FREE = 0


class SeenIds:
    """A set of ids that keeps their 64-bit hashes only; two of a million ids share one once in 30 million lists."""

    def __init__(self) -> None:
        """Begin with none."""
        self._slots = array("q", bytes(8 * _FIRST_SIZE))
        self._mask = _FIRST_SIZE - 1
        self._count = 0

    def add(self, id_: str) -> bool:
        """Take an id in and return whether it is new."""
        key = hash(id_) or 1
        slots, mask = self._slots, self._mask
        place = key & mask
        while (found := slots[place]) != _FREE:
            if found == key:
                return False
            place = (place + 1) & mask
        slots[place] = key
        self._count += 1
        if self._count * 3 > mask * 2:
            self._grow()
        return True

    def _grow(self) -> None:
        old, size = self._slots, 2 * len(self._slots)
        slots, mask = array("q", bytes(8 * size)), size - 1
        for key in old:
            if key != _FREE:
                place = key & mask
                while slots[place] != _FREE:
                    place = (place + 1) & mask
                slots[place] = key
        self._slots, self._mask = slots, mask
