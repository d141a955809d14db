"""`python -m bench vision`: the share of questions about images that a model answers correctly.

A set is a folder of images and `*.jsonl` files with one question per line:

    {"picture": "007.png", "question": "How many stars?", "answers": ["3"], "kind": "count"}

An answer is correct if it contains one of the expected ones, word for word; a yes or no must come
first. Case, punctuation and articles do not matter. `exact` counts answers without further words.

`--shape` measures speed instead (see `vision_speed`).
"""

import argparse
import asyncio
import json
import os
import re
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec

from inference.config import OFFLINE, WorkerSettings, add_choices, from_arguments
from inference.engines import create_engine
from inference.engines.base import Engine, Image, Message, Request
from jobqueue.schema import Sampling

SHAPES = ("internvl3.5-1b", "internvl3.5-8b", "tiny")
MAX_TOKENS = 128
AT_ONCE = 16
MEDIA_TYPES = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg"}

_SAME = {"grey": "gray", "violet": "purple", "upper": "top", "lower": "bottom", "middle": "center"}
_NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_SAME |= {word: str(number) for number, word in enumerate(_NUMBERS)}
_SAME |= {"centre": "center"}


class ImageQuestion(msgspec.Struct, frozen=True):
    picture: str  # below the set's folder
    question: str
    answers: tuple[str, ...]
    kind: str = "all"


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("vision", help="questions about pictures, by kind")
    add_choices(parser)
    parser.add_argument(
        "--set", type=Path, metavar="DIR", help="of questions, instead of 240 drawn scenes"
    )
    parser.add_argument("--limit", type=int, help="so many questions at most")
    parser.add_argument("--wrong", action="store_true", help="print what was answered wrongly")
    parser.add_argument("--shape", choices=SHAPES, help="how fast random weights of it see")
    parser.add_argument("--per-second", type=float, nargs="*", default=[1, 4], help="pictures")
    parser.add_argument("--new", type=int, default=400, help="tokens of each text beside them")
    parser.add_argument("--compiled", action="store_true", help="with --shape")
    pieces = (
        "with --shape: tokens of prompts beside texts, each in turn, for the engine's own choice"
    )
    parser.add_argument("--pieces", type=int, nargs="*", help=pieces)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    if args.shape:
        from bench.vision_speed import run as measure  # noqa: PLC0415 — brings torch

        measure(args)
        return
    os.environ.update(OFFLINE)
    settings = from_arguments(args)
    if not args.model and args.engine in (None, "transformers"):
        settings = msgspec.structs.replace(settings, model="eye")
    with tempfile.TemporaryDirectory() as drawn:
        folder = args.set or Path(drawn)
        if not args.set:
            from training.publish import draw_set  # noqa: PLC0415 — no part of what is installed

            draw_set(folder)
        _measure(args, settings, folder)


def _measure(args: argparse.Namespace, settings: WorkerSettings, folder: Path) -> None:
    asked = list(load_questions(folder))[: args.limit]
    engine = create_engine(settings.engine, settings)
    begun = time.monotonic()
    answers = asyncio.run(_answer_all(engine, asked, folder))
    seconds = time.monotonic() - begun
    if args.wrong:
        for each, answer in zip(asked, answers, strict=True):
            if not is_right(each, answer):
                print(f"{each.picture} {each.question} {answer!r} instead of {each.answers}")
    _print_report(engine.model, asked, answers, seconds)


def load_questions(folder: Path) -> Iterator[ImageQuestion]:
    for path in sorted(folder.glob("*.jsonl")):
        for line in path.read_text("utf-8").splitlines():
            if line.strip():
                yield msgspec.json.decode(line, type=ImageQuestion)


async def _answer_all(engine: Engine, asked: list[ImageQuestion], folder: Path) -> list[str]:
    few = asyncio.Semaphore(AT_ONCE)

    async def answer(number: int) -> str:
        async with few:
            return await _answer(engine, asked[number], folder, f"bench.{number}")

    async with engine:
        return await asyncio.gather(*map(answer, range(len(asked))))


async def _answer(engine: Engine, asked: ImageQuestion, folder: Path, name: str) -> str:
    path = folder / asked.picture
    image = Image(path.read_bytes(), MEDIA_TYPES[path.suffix.lower()], "Image-1")
    sampling = Sampling(temperature=0.0, max_tokens=MAX_TOKENS)
    request = Request(name, name, (Message("user", asked.question, (image,)),), sampling)
    return "".join([chunk.text async for chunk in engine.generate(request)]).strip()


def is_right(asked: ImageQuestion, answer: str) -> bool:
    said = split_words(answer)
    return any(_contains(said, split_words(expected)) for expected in asked.answers)


def _contains(said: list[str], expected: list[str]) -> bool:
    if expected in (["yes"], ["no"]):
        return said[:1] == expected
    length = len(expected)
    return any(said[at : at + length] == expected for at in range(len(said) - length + 1))


def split_words(text: str) -> list[str]:
    found = re.findall(r"\w+", text.lower())
    return [_SAME.get(word, word) for word in found if word not in ("a", "an", "the")]


def _print_report(
    model: str, asked: list[ImageQuestion], answers: list[str], seconds: float
) -> None:
    number, correct, exact = Counter[str](), Counter[str](), Counter[str]()
    for each, answer in zip(asked, answers, strict=True):
        number[each.kind] += 1
        correct[each.kind] += is_right(each, answer)
        exact[each.kind] += any(
            split_words(answer) == split_words(expected) for expected in each.answers
        )
    for kind, count in number.items():
        print(f"{kind:<10} {correct[kind] / count:7.1%}  ({correct[kind]} of {count})")
    kinds = {kind: round(correct[kind] / count, 4) for kind, count in number.items()}
    total = max(len(asked), 1)
    figures = {
        "model": model,
        "questions": len(asked),
        "score": round(correct.total() / total, 4),
        "exact": round(exact.total() / total, 4),
        "kinds": kinds,
        "seconds": round(seconds, 1),
    }
    print(json.dumps(figures))
