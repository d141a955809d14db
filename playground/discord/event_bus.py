"""What people could see, as it happens."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Self

from playground.discord.json_types import Json

MessageChange = Literal["create", "edit", "delete"]
_MESSAGE_CHANGES: dict[str, MessageChange] = {
    "MESSAGE_CREATE": "create",
    "MESSAGE_UPDATE": "edit",
    "MESSAGE_DELETE": "delete",
}


@dataclass(frozen=True, slots=True)
class DiscordEvent:
    """One change, under the name that Discord's gateway gives it, in Discord's own shape.

    Beside what bots get there are the events of Discord's own client: INTERACTION_CREATE,
    INTERACTION_SUCCESS, INTERACTION_FAILURE, INTERACTION_MODAL_CREATE (only for the person who
    acted) and GUILD_APPLICATION_COMMAND_INDEX_UPDATE.
    """

    name: str
    data: Json
    time: float  # Discord's clock, seconds since 1970
    channel: str | None = None
    guild: str | None = None
    visible_to: str | None = None  # a user's id; None is everybody who may view the channel
    responds_to: str | None = None  # the interaction or message this responds to, where known
    pinged: tuple[str, ...] = ()  # the users who got a notification

    @property
    def message_change(self) -> MessageChange | None:
        """What happened to a message; None where this is about something else."""
        return _MESSAGE_CHANGES.get(self.name)


class Subscription:
    """Everything published from its beginning to its end, in order; iterate over it."""

    def __init__(self, bus: "EventBus") -> None:
        self._bus = bus
        self._queue: asyncio.Queue[DiscordEvent | None] = asyncio.Queue()

    def __enter__(self) -> Self:
        self._bus.attach(self._queue.put_nowait)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bus.detach(self._queue.put_nowait)
        self._queue.put_nowait(None)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> DiscordEvent:
        seen = await self._queue.get()
        if seen is None:
            raise StopAsyncIteration
        return seen


class EventBus:
    """Hands every change to whoever listens: the gateway and the observers."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[DiscordEvent], None]] = []

    def attach(self, listener: Callable[[DiscordEvent], None]) -> None:
        self._listeners.append(listener)

    def detach(self, listener: Callable[[DiscordEvent], None]) -> None:
        self._listeners.remove(listener)

    def publish(self, seen: DiscordEvent) -> None:
        for listener in tuple(self._listeners):
            listener(seen)
