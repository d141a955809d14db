"""Fixtures that every test folder may use."""

import os
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from hypothesis import settings
from redis.asyncio import Redis

from jobqueue.embedded_redis import run_embedded_redis
from jobqueue.queue import JobQueue
from jobqueue.redis_client import connect

# A machine that is busy for a moment has found no counter-example.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

# Workers that tests start open no sandbox, which takes them seconds; who wants one says "true".
os.environ.setdefault("INFERENCE_PROGRAMS", "false")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def redis_url(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """A real server: the embedded one, or COMMONROOM_TEST_REDIS_URL's (which is flushed)."""
    if url := os.environ.get("COMMONROOM_TEST_REDIS_URL"):
        yield url
        return
    async with run_embedded_redis(tmp_path_factory.mktemp("queue")) as url:
        yield url


@pytest_asyncio.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    """A connection to an empty server."""
    client = connect(redis_url)
    await client.flushall()
    yield client
    await client.aclose()


@pytest.fixture
def queue(redis: Redis) -> JobQueue:
    return JobQueue(redis)
