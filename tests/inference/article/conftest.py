"""A worker that writes articles: a real queue, a scripted model, and pictures by name."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Sequence
from contextlib import aclosing

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from inference.article.article_service import ArticleService
from inference.article.section_images import ArticleTools
from inference.engines.scripted import ScriptedEngine
from inference.library.eligibility import SurroundingText
from inference.library.image_library import LibraryReader
from inference.library.image_selector import ImageSelector, MemoryBlobs
from inference.worker import Worker
from jobqueue.article import ArticleFigure, ArticleOrder, ImageRequest, ImageSlot, NoImageReason
from jobqueue.blobs import Blobs
from jobqueue.history import History
from jobqueue.queue import JobQueue
from jobqueue.schema import AnyEvent, Attachment, Finished, Job

Write = Callable[..., Coroutine[None, None, list[AnyEvent]]]


class NamedImages(ImageSelector):
    """Has one picture for each name in `has`, and keeps what it was asked."""

    def __init__(self) -> None:
        super().__init__(LibraryReader(None), MemoryBlobs())
        self.has: dict[str, tuple[str, ...]] = {}  # a name, and hashes of pictures of it
        self.needs: list[ImageRequest] = []
        self.own: list[Attachment] = []
        self.excluded: list[str] = []

    async def fill(
        self,
        need: ImageRequest,
        *,
        own: Sequence[Attachment] = (),
        excluded: Collection[str] = (),
        passage: SurroundingText | None = None,
        seed: int = 0,
    ) -> ImageSlot:
        self.needs.append(need)
        self.own = list(own)
        self.excluded = list(excluded)
        fitting = [sha for name in need.entities for sha in self.has.get(name, ())]
        free = [sha for sha in fitting if sha not in excluded]
        if not free:
            return ImageSlot(need=need, why=NoImageReason.NOTHING)
        return ImageSlot(need=need, figure=figure(free[0], need.caption))


def figure(sha256: str, caption: str) -> ArticleFigure:
    picture = Attachment(sha256=sha256, name="p.png", media_type="image/png", size=1)
    return ArticleFigure(picture=picture, caption=caption)


def article_job(prompt: str, order: ArticleOrder | None = None, **fields: object) -> Job:
    said: dict[str, object] = {
        "id": "a1",
        "channel": "general",
        "user": "ada",
        "user_name": "Ada",
        "server": "guild",
        "reader": "bot-0",
        "capability": "article",
        "prompt": prompt,
        "order": order or ArticleOrder(),
    }
    return Job(**(said | fields))  # type: ignore[arg-type]


@pytest.fixture
def images() -> NamedImages:
    return NamedImages()


@pytest.fixture
def tools(redis: Redis, images: NamedImages) -> ArticleTools:
    return ArticleTools(ScriptedEngine(), Blobs(redis), images)


@pytest_asyncio.fixture
async def worker(queue: JobQueue, redis: Redis, tools: ArticleTools) -> AsyncIterator[Worker]:
    history = History(redis)
    service = ArticleService(history, tools)
    made = Worker(
        queue, history, tools.engine, name="worker-0", system="be brief", article_service=service
    )
    ready = asyncio.Event()
    running = asyncio.create_task(made.run(ready.set))
    async with asyncio.timeout(30):
        await ready.wait()
    yield made
    made.stop()
    async with asyncio.timeout(30):
        await running


@pytest.fixture
def write(redis: Redis, tools: ArticleTools) -> Write:
    """Orders, and takes down all that happens, without a worker in between."""
    service = ArticleService(History(redis), tools)

    async def ordered(
        prompt: str, order: ArticleOrder | None = None, **fields: object
    ) -> list[AnyEvent]:
        attempt = await service.create_attempt(article_job(prompt, order, **fields), 1)
        async with aclosing(attempt.events()) as events:
            return [event async for event in events]

    return ordered


def finished(events: Sequence[AnyEvent]) -> Finished:
    last = events[-1]
    assert isinstance(last, Finished), last
    return last
