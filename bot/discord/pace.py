"""What comes first: acknowledging people, for which Discord gives three seconds.

Edits can wait. While somebody is being acknowledged no further edit begins, and never more than
some are under way, so that a burst of questions meets a quiet event loop.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

AT_ONCE = 128  # requests for answers under way, those that wait for a rate limit included
LONGEST_S = 1.0  # answers go on after this, however many people come


class Pace:
    def __init__(self) -> None:
        self._hurried = 0
        self._calm = asyncio.Event()
        self._calm.set()
        self._turns = asyncio.Semaphore(AT_ONCE)

    @contextmanager
    def acknowledging(self) -> Iterator[None]:
        """Somebody waits to be acknowledged within the block."""
        self._hurried += 1
        self._calm.clear()
        try:
            yield
        finally:
            self._hurried -= 1
            if not self._hurried:
                self._calm.set()

    async def calm(self) -> None:
        """Wait until nobody waits to be acknowledged, but not for ever."""
        with suppress(TimeoutError):
            async with asyncio.timeout(LONGEST_S):
                await self._calm.wait()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """One request that can wait, once it is its turn."""
        await self.calm()
        async with self._turns:
            yield
