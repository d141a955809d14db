"""Against a real server: llama.cpp's, in a process of its own, with a small real model."""

import asyncio
import io
import json
import urllib.request
from dataclasses import replace
from pathlib import Path
from typing import Any

import PIL.Image
import pytest

from inference.engines.base import BadRequest, EngineFailed, Image, Message, PromptTooLong, Request
from inference.engines.openai.engine import OpenAIEngine, base_urls
from jobqueue.schema import FinishReason, Sampling
from tests.inference.engines.openai import clip, llamacpp
from tests.inference.engines.openai.conftest import ANY, CALM
from tests.inference.support import Asker, text_of, until

pytestmark = pytest.mark.model

GREEDY: dict[str, Any] = {"temperature": 0.0, "repetition_penalty": 1.0}


def busy_slots(address: str) -> int:
    with urllib.request.urlopen(f"{address}/slots", timeout=10) as response:  # noqa: S310
        return sum(slot["is_processing"] for slot in json.load(response))


async def test_a_real_server_is_asked_counted_continued_and_stopped() -> None:
    async with (
        llamacpp.serving() as (address, _),
        OpenAIEngine(base_urls(address), ANY, patience=CALM) as engine,
    ):
        asker = Asker(engine)
        assert (engine.context_tokens, engine.slots) == (512, 2)
        assert engine.capabilities == {"chat"}

        *_, last = chunks = await asker.chunks("What is the sea?", max_tokens=8, **GREEDY)
        assert last.finish_reason is FinishReason.LENGTH
        assert last.usage is not None
        assert last.usage.completion_tokens == 8
        counted = await engine.count_tokens((Message("user", "What is the sea?"),))
        assert last.usage.prompt_tokens == counted

        whole = text_of(chunks)
        begun = whole[: len(whole) // 2]
        begun = begun[: begun.rindex(" ")]
        rest = await asker.chunks("What is the sea?", begun, max_tokens=4, **GREEDY)
        assert (begun + text_of(rest)).startswith(whole[: len(begun) + 3])

        stop = whole[len(begun) :].split()[0]
        cut = await asker.chunks("What is the sea?", max_tokens=8, stop=(stop,), **GREEDY)
        assert text_of(cut) == whole[: whole.index(stop)]
        assert cut[-1].finish_reason is FinishReason.STOP

        with pytest.raises(PromptTooLong):
            await asker.chunks("word " * 600)

        running = engine.generate(asker.request("Tell a long story.", max_tokens=400))
        await anext(running)
        assert await asyncio.to_thread(busy_slots, address) == 1
        await running.aclose()
        async with asyncio.timeout(20):
            while await asyncio.to_thread(busy_slots, address):  # noqa: ASYNC110
                await asyncio.sleep(0.05)


def picture(colour: str, kind: str = "PNG") -> Image:
    out = io.BytesIO()
    PIL.Image.new("RGB", (300, 200), colour).save(out, kind)
    return Image(out.getvalue(), f"image/{kind.lower()}")


def pictured(text: str, *images: Image) -> Request:
    labelled = tuple(replace(each, label=f"Image-{n}") for n, each in enumerate(images, 1))
    shown = labelled if len(images) > 1 else images
    said = (Message("user", text, shown),)
    return Request("r", "general", said, Sampling(max_tokens=4, temperature=0.0))


async def test_a_real_server_takes_pictures_in_and_bills_each(tmp_path: Path) -> None:
    red, blue = picture("red"), picture("blue", "JPEG")
    async with (
        llamacpp.serving(tower=clip.write(tmp_path / "tower.gguf")) as (address, _),
        OpenAIEngine(base_urls(address), ANY, patience=CALM) as engine,
    ):
        assert engine.capabilities == {"chat", "vision"}
        bills = {}
        for images in ((), (red,), (red, blue)):
            request = pictured("Which is red?", *images)
            *_, last = [chunk async for chunk in engine.generate(request)]
            assert last.usage is not None
            bills[len(images)] = last.usage.prompt_tokens
            assert await engine.count_tokens(request.messages) >= last.usage.prompt_tokens
        assert bills[0] + clip.PATCHES <= bills[1] < bills[0] + 2 * clip.PATCHES
        labels = await engine.count_tokens((Message("user", "Image-1: Image-2: "),))
        assert bills[1] + clip.PATCHES < bills[2] < bills[1] + clip.PATCHES + labels

        broken = Image(b"no picture", "image/png")
        with pytest.raises(BadRequest):
            [chunk async for chunk in engine.generate(pictured("What?", broken))]
        many = pictured("Which?", *[red] * 4)
        with pytest.raises(PromptTooLong):
            [chunk async for chunk in engine.generate(many)]


async def test_a_server_killed_in_an_answer_is_noticed_and_taken_back() -> None:
    async with llamacpp.serving() as (address, process):
        engine = await OpenAIEngine(base_urls(address), ANY, patience=CALM).__aenter__()
        running = engine.generate(Asker(engine).request("Tell a long story.", max_tokens=400))
        await anext(running)
        process.kill()
        with pytest.raises(EngineFailed):
            async for _ in running:
                pass
        await until(lambda: engine.health().phase == "degraded", within_s=20)
    async with llamacpp.serving(int(address.rpartition(":")[2])):
        await until(lambda: engine.health().phase == "ready", within_s=20)
        again = await Asker(engine).chunks("Hi", max_tokens=2)
        assert again[-1].usage is not None
        await engine.__aexit__(None, None, None)
