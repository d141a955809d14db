import multiprocessing
from collections.abc import Iterator
from multiprocessing.context import ForkServerContext

import pytest

from bench.redis_server import RedisServer


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A server over TCP, so that a proxy may stand before it."""
    with RedisServer(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture(scope="session")
def processes() -> ForkServerContext:
    """Starts real processes fast: the imports are done once."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.faults.scenario"])
    return context
