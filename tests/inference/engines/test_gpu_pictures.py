"""Pictures on a CUDA device: beside running streams, through captured graphs and fused products."""

import asyncio
import atexit
import shutil
import tempfile
from collections.abc import AsyncIterator
from functools import cache
from pathlib import Path

import pytest
import pytest_asyncio
import torch

from bench.vision import ImageQuestion, load_questions
from inference.engines.base import Image, Message, Request
from inference.engines.continuous_batching import ContinuousBatchingLoop
from inference.engines.transformers_engine import TransformersEngine
from inference.models import resolve
from jobqueue.schema import Sampling
from training.publish import draw_set

pytestmark = [
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
    pytest.mark.asyncio(loop_scope="module"),
]

TEXTS = 8
WRONG_ON_CPU = ("004.png", "046.png")
GREETING = "I see no picture. Show me one of simple shapes or digits."


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def eye() -> AsyncIterator[TransformersEngine]:
    async with TransformersEngine(model="eye", folder=resolve("eye").folder, slots=32) as engine:
        yield engine


@cache
def _drawn() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="scenes-"))
    atexit.register(shutil.rmtree, folder)
    draw_set(folder)
    return folder


def asked(number: int) -> list[ImageQuestion]:
    """Of the drawn set, what the eye answers rightly on a CPU: all but descriptions and two."""
    right = (each for each in load_questions(_drawn()) if each.picture not in WRONG_ON_CPU)
    return [each for each in right if each.kind != "describe"][:number]


async def said(engine: TransformersEngine, name: str, *messages: Message) -> str:
    request = Request(name, name, messages, Sampling(temperature=0.0))
    return "".join([chunk.text async for chunk in engine.generate(request)])


def about(each: ImageQuestion) -> Message:
    image = Image((_drawn() / each.picture).read_bytes(), "image/png", "Image-1")
    return Message("user", each.question, (image,))


async def test_graphs_are_in_use(eye: TransformersEngine) -> None:
    assert eye._ready is not None
    assert isinstance(eye._ready.loop, ContinuousBatchingLoop)
    config = eye._ready.loop._manager.continuous_batching_config
    assert config.cuda_graph_booleans[1]
    assert config.max_blocks_per_request > 0


async def test_answers_are_those_of_a_processor_beside_streams(eye: TransformersEngine) -> None:
    """Everything at once: more questions than slots, and texts all the while."""
    seen = asyncio.Event()

    async def write(stream: int) -> set[str]:
        texts = set()
        while not seen.is_set():
            texts.add(await said(eye, f"text {stream}", Message("user", "How many hearts?")))
        return texts

    streams = [asyncio.create_task(write(stream)) for stream in range(TEXTS)]
    all_asked = asked(120)
    answers = await asyncio.gather(*(said(eye, each.picture, about(each)) for each in all_asked))
    seen.set()
    assert [a.rstrip(".") for a in answers] == [each.answers[0] for each in all_asked]
    assert set().union(*await asyncio.gather(*streams)) == {GREETING}


async def test_a_follow_up_finds_its_picture_again(eye: TransformersEngine) -> None:
    [each] = [each for each in load_questions(_drawn()) if each.picture == "000.png"]
    answer = await said(eye, "first", about(each))
    again = await said(
        eye, "second", about(each), Message("assistant", answer), Message("user", each.question)
    )
    assert again == answer == each.answers[0]
