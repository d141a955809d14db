"""Waiting for what people see, with a bound."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from playground.discord.event_bus import DiscordEvent, Subscription
from playground.discord.user_actions import UserActions

PATIENCE_S = 10.0


class Watch:
    """Everything seen since it was opened, oldest first."""

    def __init__(self, changes: Subscription) -> None:
        self._changes = changes
        self.seen: list[DiscordEvent] = []

    async def until(self, fits: Callable[[DiscordEvent], bool]) -> DiscordEvent:
        """The first seen thing that fits and was not returned before it."""
        async with asyncio.timeout(PATIENCE_S):
            async for seen in self._changes:
                self.seen.append(seen)
                if fits(seen):
                    return seen
        raise AssertionError("the subscription ended")

    async def content(self, text: str) -> DiscordEvent:
        return await self.until(lambda seen: seen.data.get("content") == text)

    async def event(self, name: str) -> DiscordEvent:
        return await self.until(lambda seen: seen.name == name)


@contextmanager
def watching(world: UserActions) -> Iterator[Watch]:
    with world.subscribe() as changes:
        yield Watch(changes)
