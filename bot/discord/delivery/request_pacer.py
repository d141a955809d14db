"""The pace of requests for answers, which can wait while people are acknowledged.

Discord gives three seconds to acknowledge a person. Meanwhile no further edit begins, and never
more than some are under way, so that a burst of questions meets a quiet event loop. Requests that
Discord counts are spaced: a bot may make 50 a second in all, and one that is refused too often is
locked out. Requests by an interaction's token are not counted.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from time import monotonic

AT_ONCE = 128  # requests for answers under way, those that wait for a rate limit included
PER_S = 40.0  # requests that Discord counts; the rest is for all else than answers
LONGEST_S = 3.0  # answers go on after this, however many people come


class RequestPacer:
    def __init__(self, share: float = 1.0) -> None:
        """Allow this process its `share` of the bot's requests."""
        self._interval_s = 1 / (PER_S * share)
        self._due = 0.0  # for the next request that is counted, on the monotonic clock
        self._acknowledgements = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._turns = asyncio.Semaphore(AT_ONCE)

    @contextmanager
    def acknowledgement(self) -> Iterator[None]:
        """Hold back other requests while somebody is acknowledged in the block."""
        self._acknowledgements += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._acknowledgements -= 1
            if not self._acknowledgements:
                self._idle.set()

    async def wait_until_idle(self) -> None:
        """Wait until nobody waits to be acknowledged, for a few seconds at most."""
        with suppress(TimeoutError):
            async with asyncio.timeout(LONGEST_S):
                await self._idle.wait()

    @asynccontextmanager
    async def turn(self, *, counted: bool) -> AsyncIterator[None]:
        """Wait for the turn of one request, which Discord's limit counts or not, and make it in the
        block."""
        await self.wait_until_idle()
        if counted:
            at = max(self._due, monotonic())
            self._due = at + self._interval_s
            await asyncio.sleep(at - monotonic())
        async with self._turns:
            yield
