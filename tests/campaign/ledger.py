"""A ledger as text in memory, with what happens to files: torn, cut, copied, merged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from shbatch_sync.ledger import Entry, dump, parse
from tests.campaign.dice import Dice
from tests.campaign.timeline import Actor


@dataclass
class Sheet:
    """The text that one or several processes append to."""

    text: str = ""
    entries: list[Entry] = field(default_factory=list)
    parsed: int = 0

    def append(self, text: str) -> None:
        self.text += text if not self.text or self.text.endswith("\n") else f"\n{text}"

    def read(self) -> list[Entry]:
        if self.parsed != len(self.text):
            self.entries, _ = parse(self.text)
            self.parsed = len(self.text)
        return self.entries

    def cut(self, lines: int) -> None:
        """Lose the last lines, as where a runner never saved them."""
        kept = self.text.splitlines()[: -lines or None]
        self.text = "".join(f"{line}\n" for line in kept)
        self.parsed = -1

    def copy(self) -> Sheet:
        return Sheet(self.text)


def merged(base: Sheet, sheets: Sequence[Sheet]) -> Sheet:
    """Return the union of lines, each once, as git's union merge leaves them."""
    lines = dict.fromkeys(base.text.splitlines())
    for sheet in sheets:
        lines.update(dict.fromkeys(sheet.text.splitlines()))
    return Sheet("".join(f"{line}\n" for line in lines))


class Store:
    """The ledger of one process."""

    place = "a sheet"

    def __init__(self, sheet: Sheet, actor: Actor, crashes: float, dice: Dice) -> None:
        self._sheet = sheet
        self._actor = actor
        self._crashes = crashes
        self._dice = dice
        self._number = 0

    def exists(self) -> bool:
        return True

    def begin(self) -> None:
        self._actor.breathe()

    def read(self) -> Sequence[Entry]:
        self._actor.breathe()
        return tuple(self._sheet.read())

    def append(self, *entries: Entry) -> None:
        self._actor.breathe()
        text = "".join(f"{dump(entry)}\n" for entry in entries)
        self._number += 1
        event = f"{self._actor.name}@{self._number}"
        dice = self._dice.of(event)
        if dice.random() < self._crashes and self._dice.strikes(
            f"{event}:torn", str(entries[0].event)
        ):
            self._sheet.append(text[: dice.randrange(len(text))])
            self._actor.die()
        self._sheet.append(text)
