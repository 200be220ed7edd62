"""All that can happen in a small world, each state once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from tests.model.play import Move, close, moves
from tests.model.protocol import Protocol
from tests.model.world import World


class Walked(NamedTuple):
    """What was found.

    Attributes:
        states: How many different states there are.
        ends: In how many of them nobody is at work any more.
        violation: What is wrong, and how it came to that; None if nothing is.
        whole: Whether all states were seen.
    """

    states: int
    ends: int
    violation: tuple[str, list[str]] | None
    whole: bool


class _Script:
    """Answers as written, then the harmless way; remembers how many ways there were."""

    def __init__(self, answers: tuple[int, ...]) -> None:
        self.answers = answers
        self.widths: list[int] = []
        self.taken: list[int] = []

    def pick(self, options: int, what: str) -> int:
        """Take the next answer."""
        del what
        index = len(self.taken)
        answer = self.answers[index] if index < len(self.answers) else 0
        self.widths.append(options)
        self.taken.append(answer)
        return answer


def outcomes(world: World, move: Move) -> Iterator[tuple[World, tuple[int, ...]]]:
    """Make a move in every way that it can go."""
    todo: list[tuple[int, ...]] = [()]
    while todo:
        script = _Script(todo.pop())
        after = world.clone()
        move(after, script)
        yield after, tuple(script.taken)
        for index in range(len(script.answers), len(script.taken)):
            head = tuple(script.taken[:index])
            todo += [(*head, other) for other in range(1, script.widths[index])]


def walk(
    start: World,
    protocol: Protocol,
    *,
    limit: int = 400_000,
    oracle: Callable[[World], list[str]] = World.violations,
) -> Walked:
    """See every state that can come of a world, until one is wrong or there are too many."""
    first = start.key()
    came: dict[object, tuple[object, str] | None] = {first: None}
    todo = [(first, start)]
    ends = 0
    while todo and len(came) <= limit:
        here, world = todo.pop()
        wrong = oracle(world)
        if not wrong and all(one.over for one in world.appliers):
            ends += 1
            closed = outcomes(world, _closing(protocol))
            wrong = [found for after, _ in closed for found in (*after.found, *oracle(after))]
        if wrong:
            return Walked(len(came), ends, (wrong[0], _path(came, here)), whole=False)
        for key, after, name in _following(world, protocol):
            if key not in came:
                came[key] = (here, name)
                todo.append((key, after))
    return Walked(len(came), ends, None, whole=not todo)


def _following(world: World, protocol: Protocol) -> Iterator[tuple[object, World, str]]:
    if any(not one.over for one in world.appliers):
        for name, move in moves(world, protocol):
            for after, taken in outcomes(world, move):
                odd = "".join(map(str, taken)) if any(taken) else ""
                yield after.key(), after, f"{name} {odd}".strip()


def _closing(protocol: Protocol) -> Move:
    def move(world: World, dice: object) -> None:
        world.found = close(world, protocol, dice)  # type: ignore[arg-type]

    return move


def _path(came: dict[object, tuple[object, str] | None], key: object) -> list[str]:
    path = []
    while (step := came[key]) is not None:
        key, name = step
        path.append(name)
    return path[::-1]
