"""A worker that writes articles: a real queue, a scripted model, and pictures from a shelf."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Sequence
from contextlib import aclosing

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from inference.article.article_service import Press
from inference.article.section_images import Tools
from inference.engines.scripted import ScriptedEngine
from inference.library.image_library import Subject
from inference.worker import Worker
from jobqueue.article import Figure, Need, Order, Slot, Why
from jobqueue.blobs import Blobs
from jobqueue.history import History
from jobqueue.queue import JobQueue
from jobqueue.schema import AnyEvent, Attachment, Finished, Job

Write = Callable[..., Coroutine[None, None, list[AnyEvent]]]


class Shelf:
    """An illustrator that has one picture for each name in `has`, and keeps what it was asked."""

    def __init__(self) -> None:
        self.has: dict[str, tuple[str, ...]] = {}  # a name, and hashes of pictures of it
        self.at_hand: list[tuple[str, ...]] = []
        self.needs: list[Need] = []
        self.own: list[Attachment] = []
        self.avoided: list[str] = []

    async def fill(
        self,
        need: Need,
        *,
        own: Sequence[Attachment],
        taken: Collection[str],
        avoid: Collection[str] = (),
        beside: str = "",
        seed: int = 0,
    ) -> Slot:
        self.needs.append(need)
        self.own = list(own)
        self.avoided = list(avoid)
        fitting = [sha for name in need.entities for sha in self.has.get(name, ())]
        free = [sha for sha in fitting if sha not in {*taken, *avoid}]
        if not free:
            return Slot(need=need, why=Why.NOTHING)
        return Slot(need=need, figure=figure(free[0], need.caption))

    async def subjects(self, lines: Sequence[str]) -> Sequence[Subject]:
        return ()

    async def belonging(self, topic: str) -> Sequence[tuple[str, ...]]:
        return self.at_hand


def figure(sha256: str, caption: str) -> Figure:
    picture = Attachment(sha256=sha256, name="p.png", media_type="image/png", size=1)
    return Figure(picture=picture, caption=caption)


def article_job(prompt: str, order: Order | None = None, **fields: object) -> Job:
    said: dict[str, object] = {
        "id": "a1",
        "channel": "general",
        "user": "ada",
        "user_name": "Ada",
        "server": "guild",
        "reader": "bot-0",
        "capability": "article",
        "prompt": prompt,
        "order": order or Order(),
    }
    return Job(**(said | fields))  # type: ignore[arg-type]


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def tools(redis: Redis, shelf: Shelf) -> Tools:
    return Tools(ScriptedEngine(), Blobs(redis), shelf)


@pytest_asyncio.fixture
async def worker(queue: JobQueue, redis: Redis, tools: Tools) -> AsyncIterator[Worker]:
    history = History(redis)
    press = Press(history, tools)
    made = Worker(queue, history, tools.engine, name="worker-0", system="be brief", press=press)
    ready = asyncio.Event()
    running = asyncio.create_task(made.run(ready.set))
    async with asyncio.timeout(30):
        await ready.wait()
    yield made
    made.stop()
    async with asyncio.timeout(30):
        await running


@pytest.fixture
def write(redis: Redis, tools: Tools) -> Write:
    """Orders, and takes down all that happens, without a worker in between."""
    press = Press(History(redis), tools)

    async def ordered(prompt: str, order: Order | None = None, **fields: object) -> list[AnyEvent]:
        attempt = await press.article(article_job(prompt, order, **fields), 1)
        async with aclosing(attempt.events()) as events:
            return [event async for event in events]

    return ordered


def finished(events: Sequence[AnyEvent]) -> Finished:
    last = events[-1]
    assert isinstance(last, Finished), last
    return last
