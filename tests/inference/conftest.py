"""A small real model, and an engine that serves it."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from inference import ocr
from inference.engines.transformers_engine import TransformersEngine
from inference.models import ModelFiles, ModelMissing, pull, resolve

SMALL = "SmolLM2-135M-Instruct"


@pytest.fixture(scope="session")
def smollm2() -> ModelFiles:
    """SmolLM2-135M, brought here when it is not on this machine yet."""
    try:
        return resolve(SMALL)
    except ModelMissing:
        return pull(SMALL)


@pytest.fixture(scope="session")
def reader() -> None:
    """Of text in pictures: loaded here, where nobody waits for an answer."""
    ocr._reader()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def engine(smollm2: ModelFiles) -> AsyncIterator[TransformersEngine]:
    """Shared: tests that use it run in the session's loop."""
    made = TransformersEngine(model=SMALL, folder=smollm2.folder, slots=4, context_tokens=512)
    async with made:
        yield made
