"""What comes first: acknowledging people, for which Discord gives three seconds.

Edits can wait. While somebody is being acknowledged no further edit begins, and never more than
some are under way, so that a burst of questions meets a quiet event loop. And those that Discord
counts are spaced: a bot may make 50 requests a second in all, and one that is refused too often
is locked out. What goes by an interaction's token is not counted.
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
        """`share` is this process's part of the bot."""
        self._interval_s = 1 / (PER_S * share)
        self._due = 0.0  # for the next request that is counted, on the monotonic clock
        self._hurried = 0
        self._calm = asyncio.Event()
        self._calm.set()
        self._turns = asyncio.Semaphore(AT_ONCE)

    @contextmanager
    def acknowledgement(self) -> Iterator[None]:
        """Somebody waits to be acknowledged within the block."""
        self._hurried += 1
        self._calm.clear()
        try:
            yield
        finally:
            self._hurried -= 1
            if not self._hurried:
                self._calm.set()

    async def wait_until_idle(self) -> None:
        """Wait until nobody waits to be acknowledged, but not for ever."""
        with suppress(TimeoutError):
            async with asyncio.timeout(LONGEST_S):
                await self._calm.wait()

    @asynccontextmanager
    async def turn(self, *, counted: bool) -> AsyncIterator[None]:
        """One request that can wait, once it is its turn; `counted` by Discord's limit or not."""
        await self.wait_until_idle()
        if counted:
            at = max(self._due, monotonic())
            self._due = at + self._interval_s
            await asyncio.sleep(at - monotonic())
        async with self._turns:
            yield
