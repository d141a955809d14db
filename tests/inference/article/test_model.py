"""A real model, small as it is, changes an article."""

import pytest
from redis.asyncio import Redis

from inference.article.article_service import ArticleService
from inference.article.section_images import ArticleTools
from inference.engines.transformers_engine import TransformersEngine
from jobqueue.article import Rework
from jobqueue.blobs import Blobs
from jobqueue.history import History
from jobqueue.schema import Sampling
from tests.inference.article.conftest import NamedImages, article_job
from tests.inference.article.test_edit_attempt import CAVES, changed, order


@pytest.mark.asyncio(loop_scope="session")
async def test_a_small_model_rewrites_a_section(redis: Redis, engine: TransformersEngine) -> None:
    sampling = Sampling(max_tokens=48, temperature=0.0)
    job = article_job("Luoyang", order(Rework.REWRITE), sampling=sampling)
    attempt = await ArticleService(
        History(redis), ArticleTools(engine, Blobs(redis), NamedImages())
    ).create_attempt(job, 1)
    section = changed([event async for event in attempt.events()])
    assert section.text != CAVES
    assert section.text.endswith((".", "!", "?", '"'))
