"""Several servers of one model: which one is asked, and what happens when one fails.

A channel stays with one server as long as it is up, so that its prefix cache serves the channel's
next question: each channel ranks the servers by a hash of both names (rendezvous hashing, Thaler
and Ravishankar 1996), and a server that comes or goes moves only the channels that are its own.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from hashlib import blake2b
from typing import Self

from inference.engines.base import CannotLoad, EngineFailed
from inference.engines.openai import http_client
from inference.engines.openai.errors import ServerMisconfigured
from inference.engines.openai.server import ServedModel, Server, ServerOptions


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds of silence after which a server counts as hung."""

    first_s: float = 120.0  # for its own queue and the prefill
    next_s: float = 30.0  # between events
    busy_s: float = 60.0  # how long those that are busy are asked again
    check_s: float = 5.0  # between looks at the servers


class ServerPool:
    def __init__(
        self, urls: Sequence[str], wanted: ServerOptions, *, api_key: str, patience: Timeouts
    ) -> None:
        self._urls = urls
        self._wanted = wanted
        self._api_key = api_key
        self._patience = patience
        self._all: list[Server] = []
        self._stack = AsyncExitStack()
        self.found = False  # whether one was ever up

    async def __aenter__(self) -> Self:
        """Returns when one server is up. Raises CannotLoad when only an operator can help."""
        async with AsyncExitStack() as stack:
            session = await stack.enter_async_context(http_client.session(self._api_key))
            self._all = [Server(url, session, self._wanted) for url in self._urls]
            await self._until_one_is_up()
            stack.push_async_callback(_end, asyncio.create_task(self._watch()))
            self._stack = stack.pop_all()
        self.found = True
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._stack.aclose()

    @property
    def up(self) -> list[Server]:
        return [server for server in self._all if server.trouble is None]

    @property
    def served_models(self) -> list[ServedModel]:
        return [server.served for server in self.up if server.served is not None]

    @property
    def troubles(self) -> str:
        """Return what is wrong with the servers that are down; empty when none is."""
        return "; ".join(f"{s.name}: {s.trouble}" for s in self._all if s.trouble is not None)

    async def candidates(
        self, channel: str, reasons: Mapping[str, str] | None = None
    ) -> AsyncGenerator[Server, None]:
        """Servers to ask for this channel, the next when the last has failed, each one once.

        One that is busy comes again after its rest. Raises EngineFailed when none is left, with
        the `reasons` that the caller notes for each address.
        """
        clock = asyncio.get_running_loop().time
        give_up = clock() + self._patience.busy_s
        failed: set[Server] = set()
        while left := [server for server in self._rank_servers(channel) if server not in failed]:
            server = min(left, key=lambda each: max(each.rests_until - clock(), 0.0))
            if server.rests_until > give_up:
                raise EngineFailed("every server is busy")
            await asyncio.sleep(server.rests_until - clock())
            yield server
            if server.rests_until < clock():
                failed.add(server)
        told = [f"{url}: {reason}" for url, reason in (reasons or {}).items()]
        raise EngineFailed("; ".join(told) or self.troubles)

    def _rank_servers(self, channel: str) -> list[Server]:
        """Return the servers that are up, the channel's own first."""
        return sorted(self.up, key=lambda server: _score(server.url, channel), reverse=True)

    async def _until_one_is_up(self) -> None:
        while True:
            await self._look()
            if self.up:
                return
            if all(isinstance(server.trouble, ServerMisconfigured) for server in self._all):
                raise CannotLoad(self.troubles)
            await asyncio.sleep(self._patience.check_s)

    async def _look(self) -> None:
        async with asyncio.TaskGroup() as looks:
            for server in self._all:
                looks.create_task(server.look())

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._patience.check_s)
            await self._look()


def _score(url: str, channel: str) -> bytes:
    return blake2b(f"{url} {channel}".encode(), digest_size=8).digest()


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])
