"""Discord's ids: milliseconds since 2015 in the upper bits, strictly increasing here."""

from datetime import UTC, datetime

from playground.discord.clock import Clock

EPOCH_MS = 1_420_070_400_000
TIME_SHIFT = 22


class Snowflakes:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last = 0

    def next(self) -> str:
        earliest = (int(self._clock.now() * 1000) - EPOCH_MS) << TIME_SHIFT
        self._last = max(self._last + 1, earliest)
        return str(self._last)


def creation_time(snowflake: str) -> float:
    """Seconds since 1970."""
    return ((int(snowflake) >> TIME_SHIFT) + EPOCH_MS) / 1000


def format_timestamp(seconds: float) -> str:
    """As Discord writes times: ISO 8601 with microseconds and offset."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds")
