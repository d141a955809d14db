"""Numbers of the text become a picture, in the real sandbox."""

from collections.abc import AsyncIterator

import pytest_asyncio
from redis.asyncio import Redis

from inference.article.article_service import ArticleService
from inference.article.section_images import ArticleTools
from inference.engines.scripted import ScriptedEngine
from inference.sandbox.client import Sandbox
from inference.sandbox.config import SandboxConfig
from jobqueue.article import ArticleLength, ArticleOrder, ImageKind
from jobqueue.blobs import Blobs
from jobqueue.history import History
from tests.inference.article.conftest import NamedImages, article_job, finished

TABLE = 'File "ships.csv":\n```\nPort,Ships\nRostock,310\nKiel,1200\nBremen,95\n```'
PROMPT = (
    r"Harbours !plan Title: Harbours\n1. Ships: how many\n2. Ports: which ones "
    "!write Harbours are where land and sea trade with each other. "
    "!write They counted 31 ships in 1990. In 2000 there were 45 ships, and 62 ships in 2010. "
    "!write Rostock is old, Kiel is large and Bremen lies inland. "
    r"!numbers Title: Ships\n1990: 31\n2000: 45\n2010: 62"
)


@pytest_asyncio.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(SandboxConfig(concurrency=1)) as opened:
        yield opened


async def test_charts_are_drawn_from_the_text_and_from_a_table(
    redis: Redis, sandbox: Sandbox
) -> None:
    tools = ArticleTools(ScriptedEngine(), Blobs(redis), NamedImages(), sandbox=lambda: sandbox)
    job = article_job(f"{PROMPT}\n\n{TABLE}", ArticleOrder(length=ArticleLength.SHORT))
    attempt = await ArticleService(History(redis), tools).create_attempt(job, 1)
    article = finished([event async for event in attempt.events()]).article
    assert article is not None
    charts = [s.slots[0].figure for s in article.sections[1:] if s.slots]
    assert [(chart.caption, chart.alt, chart.kind) for chart in charts if chart] == [
        ("Ships", "Ships: 1990 31, 2000 45, 2010 62", ImageKind.CHART),
        ("Ships by Port", "Ships by Port: Rostock 310, Kiel 1,200, Bremen 95", ImageKind.CHART),
    ]
    for chart in filter(None, charts):
        png = await Blobs(redis).get(chart.picture.sha256)
        assert png is not None
        assert png.startswith(b"\x89PNG")
