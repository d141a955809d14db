"""The order in which people's files are read: by turns, counting the time that files took.

A person has one file read at a time. Of those who wait, the one whose files took the least time
lately is next. Who took none keeps a place of their own, so a small file never waits for the long
ones of somebody else.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count

AT_ONCE = 3  # files
FOR_NEWCOMERS = 2  # of these, for people whose files took hardly any time lately
NEWCOMER_S = 1.5  # of reading
MAX_WAITING = 8  # files of one person
MAX_WAITING_ALL = 60  # each is held in memory
HALF_LIFE_S = 60.0  # after which half of the time that somebody took is forgotten


class TooManyWait(Exception):
    """The file cannot wait: too many do, of this person or of all."""


@dataclass
class _Person:
    waiting: deque[asyncio.Future[None]] = field(default_factory=deque)
    reading: bool = False
    taken_s: float = 0.0  # as of `as_of`; it decays
    as_of: float = 0.0

    @property
    def waits(self) -> bool:
        """Return whether a file waits whose task was not cancelled meanwhile."""
        return any(not turn.done() for turn in self.waiting)

    def recent_seconds(self, now: float) -> float:
        self.taken_s *= 0.5 ** ((now - self.as_of) / HALF_LIFE_S)
        self.as_of = now
        return self.taken_s


class Turns:
    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._people: dict[str, _Person] = {}
        self._reading = 0
        self._nobodies = count()

    @asynccontextmanager
    async def turn(self, who: str) -> AsyncIterator[None]:
        """Wait for this person's turn, and charge the time that it takes. Nobody in particular
        (an empty name) is somebody else each time.

        Raises:
            TooManyWait: at once, instead of waiting.
        """
        person = self._people.setdefault(who or f"nobody {next(self._nobodies)}", _Person())
        await self._wait(person)
        started = self._clock()
        try:
            yield
        finally:
            now = self._clock()
            person.taken_s = person.recent_seconds(now) + now - started
            person.reading = False
            self._reading -= 1
            self._give_turns()
            self._forget(now)

    async def _wait(self, person: _Person) -> None:
        everybody = sum(len(each.waiting) for each in self._people.values())
        if len(person.waiting) >= MAX_WAITING or everybody >= MAX_WAITING_ALL:
            raise TooManyWait
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        person.waiting.append(turn)
        self._give_turns()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                person.waiting.remove(turn)
            else:  # it came at the same moment
                person.reading = False
                self._reading -= 1
            self._give_turns()
            raise

    def _give_turns(self) -> None:
        while (person := self._next()) is not None:
            person.reading = True
            self._reading += 1
            turn = next(turn for turn in person.waiting if not turn.done())
            person.waiting.remove(turn)
            turn.set_result(None)

    def _next(self) -> _Person | None:
        """Return who reads next, if there is a place for them."""
        now = self._clock()
        ready = [each for each in self._people.values() if each.waits and not each.reading]
        person = min(ready, key=lambda each: each.recent_seconds(now), default=None)
        if person is None:
            return None
        newcomer = person.recent_seconds(now) < NEWCOMER_S
        return person if self._reading < AT_ONCE - (0 if newcomer else FOR_NEWCOMERS) else None

    def _forget(self, now: float) -> None:
        """Let go of people whose time is as good as forgotten."""
        gone = [
            who
            for who, person in self._people.items()
            if not person.waiting and not person.reading and person.recent_seconds(now) < 0.01
        ]
        for who in gone:
            del self._people[who]
