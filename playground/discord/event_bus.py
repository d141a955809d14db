"""The events of the local Discord, and the bus that hands them to listeners."""

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
    """One event, with the name and the data that Discord's gateway gives it.

    Discord's own client has more events than bots get: INTERACTION_CREATE, INTERACTION_SUCCESS,
    INTERACTION_FAILURE, INTERACTION_MODAL_CREATE (all for the person who acted) and
    GUILD_APPLICATION_COMMAND_INDEX_UPDATE.
    """

    name: str
    data: Json
    time: float  # Discord's clock, seconds since 1970
    channel: str | None = None
    guild: str | None = None
    visible_to: str | None = None  # a user's id; None is everybody who may view the channel
    responds_to: str | None = None  # the id of an interaction or message, where known
    pinged: tuple[str, ...] = ()  # the users who got a notification

    @property
    def message_change(self) -> MessageChange | None:
        """The change of a message. None for events about anything else."""
        return _MESSAGE_CHANGES.get(self.name)


class Subscription:
    """An iterator over the events between its `__enter__` and its `__exit__`, in order."""

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
        event = await self._queue.get()
        if event is None:
            raise StopAsyncIteration
        return event


class EventBus:
    """Hands each event to its listeners: the gateway and the subscriptions."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[DiscordEvent], None]] = []

    def attach(self, listener: Callable[[DiscordEvent], None]) -> None:
        self._listeners.append(listener)

    def detach(self, listener: Callable[[DiscordEvent], None]) -> None:
        self._listeners.remove(listener)

    def publish(self, event: DiscordEvent) -> None:
        for listener in tuple(self._listeners):
            listener(event)
