"""Short words for what the tests of this folder do again and again."""

import asyncio
from collections.abc import Callable
from itertools import cycle

from inference.engines.base import Chunk, Engine, Message, Request, Role
from jobqueue.schema import Sampling

ROLES: tuple[Role, Role] = ("user", "assistant")


async def until(condition: Callable[[], bool], *, within_s: float) -> None:
    """For what tells nobody when it happens."""
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


class Asker:
    """Asks an engine one thing after the other."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._asked = 0

    def request(self, *contents: str, **sampling: object) -> Request:
        """Contents alternate between user and assistant and end with the user."""
        self._asked += 1
        return Request(
            id=f"request-{self._asked}",
            channel="general",
            messages=tuple(map(Message, cycle(ROLES), contents)),
            sampling=Sampling(**sampling),  # type: ignore[arg-type]
        )

    async def chunks(self, *contents: str, **sampling: object) -> list[Chunk]:
        request = self.request(*contents, **sampling)
        return [chunk async for chunk in self.engine.generate(request)]


def text_of(chunks: list[Chunk]) -> str:
    return "".join(chunk.text for chunk in chunks)
