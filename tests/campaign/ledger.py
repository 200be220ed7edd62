"""A ledger as text in memory, with what happens to files: torn, cut, copied, merged; or as objects, like on S3."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from shbatch_sync.errors import LedgerError
from shbatch_sync.ledger_line import Entry, Event, dump, parse
from tests.campaign.dice import Dice
from tests.campaign.schedule import Weather
from tests.campaign.timeline import Actor

NOT_BEGUN = "nobody has begun this ledger"


@lru_cache(maxsize=20_000)
def _entries(line: str) -> tuple[Entry, ...]:
    return tuple(parse(line)[0])


@dataclass
class Sheet:
    """The text that one or several processes append to.

    Attributes:
        begun: Whether there is such a ledger at all.
    """

    text: str = ""
    begun: bool = True
    _whole: list[Entry] = field(default_factory=list)
    _read: int = 0

    def append(self, text: str) -> None:
        self.text += text if not self.text or self.text.endswith("\n") else f"\n{text}"

    def read(self) -> list[Entry]:
        """Return what the lines say; a last one without an end may still be written on."""
        end = self.text.rfind("\n") + 1
        for line in self.text[self._read : end].splitlines():
            self._whole += _entries(line)
        self._read = end
        return [*self._whole, *_entries(self.text[end:])]

    def says(self, event: Event, name: str) -> bool:
        """Say whether a line of an event names a request, or a create call."""
        return any(
            line.event is event and name in {line.request_id, line.nonce} for line in self.read()
        )

    def cut(self, lines: int) -> None:
        """Lose the last lines, as where a runner never saved them."""
        kept = self.text.splitlines()[: -lines or None]
        self.text = "".join(f"{line}\n" for line in kept)
        self._whole, self._read = [], 0

    def copy(self) -> Sheet:
        return Sheet(self.text, self.begun)


def merged(base: Sheet, sheets: Sequence[Sheet]) -> Sheet:
    """Return the union of lines, each once, as git's union merge leaves them."""
    lines = dict.fromkeys(base.text.splitlines())
    for sheet in sheets:
        lines.update(dict.fromkeys(sheet.text.splitlines()))
    begun = base.begun or any(sheet.begun for sheet in sheets)
    return Sheet("".join(f"{line}\n" for line in lines), begun)


class Store:
    """The ledger of one process, in a file."""

    place = "a sheet"
    lost: Sequence[str] = ()

    def __init__(self, sheet: Sheet, actor: Actor, weather: Weather, dice: Dice) -> None:
        self._sheet = sheet
        self._actor = actor
        self._weather = weather
        self._dice = dice
        self._number = 0

    def exists(self) -> bool:
        return self._sheet.begun

    def begin(self) -> None:
        self._actor.breathe()
        self._sheet.begun = True

    def read(self) -> Sequence[Entry]:
        self._actor.breathe()
        return tuple(self._sheet.read())

    def append(self, *entries: Entry) -> None:
        self._actor.breathe()
        if not self._sheet.begun:
            raise LedgerError(NOT_BEGUN)
        text = "".join(f"{dump(entry)}\n" for entry in entries)
        self._number += 1
        event = f"{self._actor.name}@{self._number}"
        what, dice = str(entries[0].event), self._dice.of(event)
        if dice.random() < self._weather.crashes and self._dice.strikes(f"{event}:torn", what):
            self._sheet.append(self._part(text, dice.randrange(len(text))))
            self._actor.die()
        if dice.random() < self._weather.unwritable and self._dice.strikes(f"{event}:full", what):
            if dice.random() < 0.5:
                self._sheet.append(text)
            message = "the disk is full, or the bucket does not answer"
            raise LedgerError(message)
        self._sheet.append(text)

    def _part(self, text: str, size: int) -> str:
        return text[:size]


class Objects(Store):
    """The ledger of one process, each line an object: written whole or not at all, and listed in any order."""

    def read(self) -> Sequence[Entry]:
        lines = list(super().read())
        self._dice.of(f"{self._actor.name} lists {len(lines)}").shuffle(lines)
        return lines

    def _part(self, text: str, size: int) -> str:
        return "".join(text[:size].splitlines(keepends=True)[:-1])
