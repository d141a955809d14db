"""Discord's clock, which tests may set forward, and the ids and timestamps that it makes."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime

EPOCH_MS = 1_420_070_400_000
TIME_SHIFT = 22


class Timer:
    """A callback that runs at a time of the clock."""

    def __init__(self, clock: "Clock", due: float, callback: Callable[[], None]) -> None:
        self._clock = clock
        self._due = due
        self._callback = callback
        self._handle: asyncio.TimerHandle | None = None

    def arm(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
        delay = max(0.0, self._due - self._clock.now())
        self._handle = asyncio.get_running_loop().call_later(delay, self._fire)

    def cancel(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
        self._clock.timers.discard(self)

    def _fire(self) -> None:
        self._clock.timers.discard(self)
        self._callback()


class Clock:
    """A clock of seconds since 1970. `advance` sets it forward, and due callbacks run soon."""

    def __init__(self) -> None:
        self._offset = 0.0
        self.timers: set[Timer] = set()

    def now(self) -> float:
        return time.time() + self._offset

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Timer:
        timer = Timer(self, self.now() + seconds, callback)
        self.timers.add(timer)
        timer.arm()
        return timer

    def advance(self, seconds: float) -> None:
        self._offset += seconds
        for timer in tuple(self.timers):
            timer.arm()

    def close(self) -> None:
        for timer in tuple(self.timers):
            timer.cancel()


class Snowflakes:
    """A source of ids: milliseconds since 2015 in the upper bits, strictly increasing."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last = 0

    def next(self) -> str:
        earliest = (int(self._clock.now() * 1000) - EPOCH_MS) << TIME_SHIFT
        self._last = max(self._last + 1, earliest)
        return str(self._last)


def creation_time(snowflake: str) -> float:
    """Return the time of an id, in seconds since 1970."""
    return ((int(snowflake) >> TIME_SHIFT) + EPOCH_MS) / 1000


def format_timestamp(seconds: float) -> str:
    """Format a time as Discord does: ISO 8601 with microseconds and offset."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds")
