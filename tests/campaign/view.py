"""What one of the service's replicas shows: new requests late, and for a while what was true before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tests.campaign.dice import Dice
from tests.campaign.schedule import Weather

REPLICAS = 3


@dataclass
class Past:
    """What was true of a request, from an instant to the last one at which somebody looked."""

    task: dict[str, Any]
    since: float
    until: float


class View:
    """What reads show of the truth.

    Attributes:
        born: Request id → when it was created by a call.
    """

    def __init__(self, weather: Weather, dice: Dice, clock: Callable[[], float]) -> None:
        self._weather = weather
        self._dice = dice
        self._clock = clock
        self.born: dict[str, float] = {}
        self._past: dict[str, list[Past]] = defaultdict(list)
        self._lags: dict[tuple[str, int, str], float] = {}

    def lists(self, id_: str, replica: int) -> bool:
        """Say whether a list of a replica shows a request yet."""
        return self._seen(id_, replica, self._weather.lag)

    def finds(self, id_: str, replica: int) -> bool:
        """Say whether a replica knows a request by its id yet."""
        return self._seen(id_, replica, self._weather.get_lag)

    def _seen(self, id_: str, replica: int, longest: float) -> bool:
        born = self.born.get(id_)
        if born is None or longest <= 0:
            return True
        # Many are seen at once, many only at the very end.
        share = min(1.0, max(0.0, 2.0 * self._share(id_, replica, f"{longest}") - 0.5))
        return self._clock() >= born + longest * share

    def _share(self, id_: str, replica: int, of: str) -> float:
        key = (id_, replica, of)
        if key not in self._lags:
            self._lags[key] = self._dice.of(f"lag {id_} {replica} {of}").random()
        return self._lags[key]

    # --- what was true before ---------------------------------------------------------------------------------

    def note(self, task: dict[str, Any], *, called: bool = False) -> None:
        """Remember what is true now, since when; a call changes it now, the service at the time it gives."""
        past, now = self._past[task["id"]], self._clock()
        if past and past[-1].task == task:
            past[-1].until = now
            return
        changed = datetime.fromisoformat(task["lastUpdated"]).timestamp()
        since = now if called or not past else max(past[-1].until, changed)
        past.append(Past(task, since, now))

    def shown(self, task: dict[str, Any], replica: int) -> dict[str, Any]:
        """Return a task as a replica shows it: never older than it lags, so what was true only earlier is passed over."""
        if self._weather.stale <= 0:
            return task
        self.note(task)
        seen = self._clock() - self._weather.stale * self._share(task["id"], replica, "stale")
        past = self._past[task["id"]]
        begun = sum(one.since <= seen for one in past)
        return next((one.task for one in past[max(begun - 1, 0) :] if one.until >= seen), task)

    def thinned(self, page: dict[str, Any], replica: int) -> dict[str, Any]:
        """Return a page of a list as a replica shows it."""
        tasks = [
            self.shown(task, replica) for task in page["data"] if self.lists(task["id"], replica)
        ]
        return {**page, "data": tasks}
