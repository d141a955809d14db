"""`python -m bench vision --shape internvl3.5-8b`: the speed of a model that sees images.

Weights are random, with a real model's shape. Images are noise, each another file, so that nothing
is found in a cache. First comes the library's `generate()`, one question after another; then the
engine's own encoder and loop, alone and beside running text streams. Answers never end early. The
time of an image includes decoding, tiling, the vision tower and the prompt.
"""

import argparse
import asyncio
import io
import json
import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, aclosing
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any, Self

import torch
from PIL import Image as Pillow
from transformers import (
    AutoTokenizer,
    GotOcr2ImageProcessorPil,
    InternVLConfig,
    InternVLForConditionalGeneration,
)

from bench.engine import models
from bench.engine.contender import SAMPLING
from bench.engine.loads import RandomPrompts, TokenTimes
from bench.report import print_table, quantile
from inference.engines.base import Image, Message
from inference.engines.batch_config import BatchConfig
from inference.engines.continuous_batching import ContinuousBatchingLoop
from inference.engines.model_loader import extract_decoder, for_this_device
from inference.engines.vision.encoder import ImageEncoder
from inference.engines.vision.image_tokens import InternVL
from inference.models import resolve

Shape = dict[str, dict[str, Any]]


def _qwen3(hidden: int, intermediate: int, layers: int, heads: int, **more: Any) -> dict[str, Any]:
    return {
        "model_type": "qwen3",
        "hidden_size": hidden,
        "intermediate_size": intermediate,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": 8,
        "head_dim": 128,
        "vocab_size": 151_936,
        "max_position_embeddings": 40_960,
        "rope_parameters": {"rope_type": "default", "rope_theta": 1e6},
        "tie_word_embeddings": True,
        **more,
    }


# config.json of OpenGVLab/InternVL3_5-1B-HF and -8B-HF; both have InternViT-300M, which is the
# library's default. The third fits any machine, to try the benchmark itself.
SHAPES: dict[str, Shape] = {
    "internvl3.5-1b": {"vision": {"attention_bias": True}, "text": _qwen3(1024, 3072, 28, 16)},
    "internvl3.5-8b": {
        "vision": {"attention_bias": True},
        "text": _qwen3(4096, 12_288, 36, 32, tie_word_embeddings=False),
    },
    "tiny": {
        "vision": {
            "attention_bias": True,
            "hidden_size": 64,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "intermediate_size": 128,
        },
        "text": _qwen3(128, 256, 2, 4, num_key_value_heads=2, head_dim=32, vocab_size=4096),
    },
}

CONTEXT_TOKENS = 4096  # the worker's own
QUESTION_TOKENS = 32
ANSWER_TOKENS = 32
AT_ONCE = 16
STREAMS = 32
STREAM_PROMPT = 128
PICTURE_SIZE = 1024, 768
ROUNDS = 5


def run(args: argparse.Namespace) -> None:
    tokenizer = AutoTokenizer.from_pretrained(resolve("eye").folder, local_files_only=True)
    whole = build(SHAPES[args.shape], tokenizer)
    with tempfile.TemporaryDirectory() as folder:
        GotOcr2ImageProcessorPil(
            size={"height": 448, "width": 448}, min_patches=1, max_patches=12
        ).save_pretrained(folder)
        frames = InternVL(Path(folder), tokenizer, whole.config, CONTEXT_TOKENS)
    rows: list[dict[str, Any]] = [{"what": "weights", "GB": _measure_gigabytes(whole)}]
    rows.append(_measure_generate(whole, frames))
    rows += asyncio.run(_measure_ours(whole, frames, args))
    _print_rows(rows)
    about = {"shape": args.shape, "device": models.name_device(whole), "torch": torch.__version__}
    print(json.dumps({**about, "rows": rows}))


def build(shape: Shape, tokenizer: Any) -> Any:
    config = InternVLConfig(
        vision_config={"model_type": "internvl_vision", **shape["vision"]},
        text_config=shape["text"],
        image_token_id=tokenizer.context_image_token_id,
        tie_word_embeddings=shape["text"]["tie_word_embeddings"],
    )
    torch.manual_seed(0)
    torch.set_default_dtype(torch.bfloat16)
    try:
        with torch.device("cuda" if torch.cuda.is_available() else "cpu"):
            model = InternVLForConditionalGeneration(config)
    finally:
        torch.set_default_dtype(torch.float32)
    model.tie_weights()
    return model.eval().requires_grad_(False)


def _measure_gigabytes(model: Any) -> float:
    held: int = sum(p.numel() * p.element_size() for p in model.parameters())
    return round(held / 1e9, 2)


# --- questions ----------------------------------------------------------------------------------


class NewQuestions:
    """Questions about new images."""

    def __init__(self, frames: InternVL, load: str) -> None:
        self._frames = frames
        self._prompts = RandomPrompts(load)
        self._noise, self._shown = _create_noise(load), count()

    def take(self, pictures: int) -> tuple[Message, list[int]]:
        """Return a message with images, and the prompt's ids."""
        images = tuple(self._picture() for _ in range(pictures))
        ids = [token for image in images for token in self._frames.ids(image, pictures)]
        return Message("user", "", images), [*ids, *self._prompts.take(QUESTION_TOKENS)]

    def _picture(self) -> Image:
        """Return a file with a new comment; encoding a new image would take too long."""
        comment = b"\xff\xfe" + (10).to_bytes(2, "big") + next(self._shown).to_bytes(8, "big")
        return Image(self._noise[:2] + comment + self._noise[2:], "image/jpeg")


def _create_noise(load: str) -> bytes:
    noise = Pillow.frombytes("RGB", (32, 24), random.Random(load).randbytes(32 * 24 * 3))
    written = io.BytesIO()
    noise.resize(PICTURE_SIZE).save(written, "JPEG", quality=85)
    return written.getvalue()


def _measure_generate(model: Any, frames: InternVL) -> dict[str, Any]:
    """Measure `generate()`, one question after another."""
    asked = NewQuestions(frames, "generate")

    def seconds(pictures: int, new: int) -> float:
        message, prompt = asked.take(pictures)
        begun: float = time.perf_counter()
        seen = torch.cat([frames.tiles(image, pictures) for image in message.images])
        ids = torch.tensor([prompt], device=model.device)
        model.generate(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            pixel_values=seen.to(model.device, model.dtype),
            max_new_tokens=new,
            min_new_tokens=new,
            do_sample=False,
            pad_token_id=0,
        ).cpu()
        return time.perf_counter() - begun

    seconds(1, 2)
    return {
        "what": "generate(), one at a time",
        "first_1_ms": _to_ms(median(seconds(1, 1) for _ in range(3))),
        "first_4_ms": _to_ms(median(seconds(4, 1) for _ in range(3))),
        "pictures_s": round(1 / median(seconds(1, ANSWER_TOKENS) for _ in range(3)), 2),
    }


# --- the engine ---------------------------------------------------------------------------------


class VisionEngine:
    """The engine's image encoder and loop, as the worker runs them."""

    def __init__(self, whole: Any, frames: InternVL, args: argparse.Namespace) -> None:
        decoder = for_this_device(extract_decoder(whole))
        slots = 64 if decoder.device.type == "cuda" else 0
        sizes = BatchConfig.for_model(
            decoder, slots=slots, context_tokens=CONTEXT_TOKENS, compiled=args.compiled
        )
        self._eye = ImageEncoder(whole, decoder, frames)
        self.loop = ContinuousBatchingLoop(decoder, sizes=sizes, end_ids=(-1,))
        self._turns = asyncio.Semaphore(sizes.slots)
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self._eye)
        await self._stack.enter_async_context(self.loop)
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._stack.aclose()

    async def ask(self, message: Message, prompt: list[int], new: int) -> TokenTimes:
        answer = TokenTimes(time.perf_counter())
        async with self._eye.encode_prompt((message,), prompt) as tokens:
            await self._read(answer, tokens, new)
        return answer

    async def write(self, prompt: list[int], new: int) -> TokenTimes:
        answer = TokenTimes(time.perf_counter())
        await self._read(answer, prompt, new)
        return answer

    async def _read(self, answer: TokenTimes, tokens: list[int], new: int) -> None:
        async with self._turns, aclosing(self.loop.stream(tokens, SAMPLING, new)) as steps:
            async for ids, _ in steps:
                answer.times += [time.perf_counter()] * len(ids)


async def _measure_ours(
    whole: Any, frames: InternVL, args: argparse.Namespace
) -> list[dict[str, Any]]:
    asked = NewQuestions(frames, "ours")
    async with VisionEngine(whole, frames, args) as engine:
        before = torch.cuda.memory_allocated() if torch.cuda.is_available() else 0
        await engine.ask(*asked.take(1), 2)
        rows = [await _measure_alone(engine, asked), await _measure_at_once(engine, asked)]
        if torch.cuda.is_available():
            peak = torch.cuda.max_memory_allocated() - before
            rows.append({"what": "beside weights and cache, to see", "GB": round(peak / 1e9, 2)})
        rows.append(await _measure_beside_texts(engine, asked, 0, args.new))
        for tokens in args.pieces or [engine.loop.piece_tokens]:
            engine.loop.piece_tokens = tokens
            rows += [
                await _measure_beside_texts(engine, asked, rate, args.new) | {"pieces": tokens}
                for rate in args.per_second
            ]
        return rows


async def _measure_alone(engine: VisionEngine, asked: NewQuestions) -> dict[str, Any]:
    async def first_ms(pictures: int) -> float:
        firsts = [(await engine.ask(*asked.take(pictures), 1)).first_ms for _ in range(ROUNDS)]
        return round(median(firsts), 1)

    one, four = await first_ms(1), await first_ms(4)
    return {"what": "commonroom, alone", "first_1_ms": one, "first_4_ms": four}


async def _measure_at_once(engine: VisionEngine, asked: NewQuestions) -> dict[str, Any]:
    """Measure in a second run."""
    for _ in range(2):
        all_asked = [asked.take(1) for _ in range(AT_ONCE)]
        begun = time.perf_counter()
        answers = await asyncio.gather(*(engine.ask(*each, ANSWER_TOKENS) for each in all_asked))
        seconds = time.perf_counter() - begun
    return {
        "what": f"commonroom, {AT_ONCE} at once",
        "pictures_s": round(AT_ONCE / seconds, 2),
        "first_p50_ms": round(median(each.first_ms for each in answers), 1),
    }


async def _measure_beside_texts(
    engine: VisionEngine, asked: NewQuestions, rate: float, new: int
) -> dict[str, Any]:
    """Measure `STREAMS` texts while `rate` questions about an image arrive per second."""
    prompts = RandomPrompts(f"beside {rate}")
    texts = [
        asyncio.create_task(engine.write(prompts.take(STREAM_PROMPT), new)) for _ in range(STREAMS)
    ]
    writing = asyncio.gather(*texts)
    seen: list[TokenTimes] = []
    async with asyncio.TaskGroup() as questions:
        if rate:
            arriving = questions.create_task(_submit_at_rate(questions, engine, asked, rate, seen))
        answers = await writing
        if rate:
            arriving.cancel()
    gaps = list(_token_gaps(answers))
    row = {
        "what": f"{STREAMS} texts, {rate:g} pictures/s",
        "gap_p50_ms": _to_ms(quantile(gaps, 0.5)),
        "gap_p99_ms": _to_ms(quantile(gaps, 0.99)),
        "gap_max_ms": _to_ms(max(gaps)),
    }
    if seen:
        row |= {"first_p50_ms": round(median(each.first_ms for each in seen), 1)}
    return {**row, "pictures": len(seen)}


async def _submit_at_rate(
    questions: asyncio.TaskGroup,
    engine: VisionEngine,
    asked: NewQuestions,
    rate: float,
    seen: list[TokenTimes],
) -> None:
    async def one() -> None:
        seen.append(await engine.ask(*asked.take(1), ANSWER_TOKENS))

    begun = time.perf_counter()
    for number in count(1):
        await asyncio.sleep(begun + number / rate - time.perf_counter())
        questions.create_task(one())


def _token_gaps(answers: list[TokenTimes]) -> Iterator[float]:
    """Yield the seconds between a stream's tokens, while all streams are decoding."""
    opened = max(answer.times[0] for answer in answers)
    for answer in answers:
        for early, late in zip(answer.times, answer.times[1:], strict=False):
            if early >= opened:
                yield late - early


def _to_ms(seconds: float) -> float:
    return round(seconds * 1000, 1)


def _print_rows(rows: list[dict[str, Any]]) -> None:
    columns = ["what", *dict.fromkeys(key for row in rows for key in row if key != "what")]
    cells = [[row.get(column, "") for column in columns] for row in rows]
    print_table("Speed with images", columns, cells)
