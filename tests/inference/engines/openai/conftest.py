"""A fake server, and an engine that knows it alone."""

from collections.abc import AsyncIterator

import pytest

from inference.engines.openai.engine import OpenAIEngine
from inference.engines.openai.server import ServerOptions
from inference.engines.openai.server_pool import Timeouts
from tests.inference.engines.openai.fake import Fake
from tests.inference.support import Asker

CALM = Timeouts(first_s=30, next_s=30, busy_s=30, check_s=0.05)
HASTY = Timeouts(first_s=0.3, next_s=0.3, busy_s=30, check_s=0.05)
ANY = ServerOptions("", any_model=True)


@pytest.fixture
def fake() -> Fake:
    return Fake()


@pytest.fixture
async def asker(fake: Fake) -> AsyncIterator[Asker]:
    async with fake.serving() as url, OpenAIEngine([url], ANY, patience=CALM) as engine:
        yield Asker(engine)
