"""Puts the questions to a model, and prints each answer with its time. A person judges them."""

import argparse
import asyncio
import json
import os
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import asdict, dataclass
from importlib.resources import files
from statistics import median

import msgspec

from inference.chat_attempt import ChatAttempt, compose
from inference.config import OFFLINE, WorkerSettings, add_choices, from_arguments
from inference.engines import create_engine
from inference.engines.base import Engine
from inference.terminal_chat import Memory
from jobqueue.schema import Delta, Finished, FinishReason, Job, Sampling


class NewcomerQuestion(msgspec.Struct, frozen=True):
    id: str  # its language and number
    question: str
    expected: str  # what a person looks for in the answer


@dataclass(frozen=True, slots=True)
class NewcomerAnswer:
    id: str
    question: str
    expected: str
    answer: str
    reason: FinishReason
    tokens: int
    first_s: float  # to the first text
    seconds: float


def load_questions() -> list[NewcomerQuestion]:
    lines = (files("bench.newcomers") / "questions.jsonl").read_bytes().splitlines()
    return [msgspec.json.decode(line, type=NewcomerQuestion) for line in lines]


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("newcomers", help="forty questions of newcomers, with answers")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="questions whose id begins so, such as zh")
    add_choices(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    settings = from_arguments(arguments)
    os.environ.update(OFFLINE)

    async def measure() -> tuple[str, list[NewcomerAnswer]]:
        answers = []
        async with create_engine(settings.engine, settings) as engine:
            async for answer in ask_all(engine, settings, arguments.seed, arguments.only):
                answers.append(answer)
                print(_format_answer(answer), flush=True)
            return engine.model, answers

    model, answers = asyncio.run(measure())
    print(json.dumps({"model": model, **summarize(answers)}))


async def ask_all(
    engine: Engine, settings: WorkerSettings, seed: int = 1, only: str = ""
) -> AsyncIterator[NewcomerAnswer]:
    """Ask one question after the other, each in a conversation of its own."""
    for question in load_questions():
        if question.id.startswith(only):
            yield await _ask(engine, settings, question, seed)


async def _ask(
    engine: Engine, settings: WorkerSettings, question: NewcomerQuestion, seed: int
) -> NewcomerAnswer:
    job = Job(
        id=question.id,
        channel=question.id,
        user="bench",
        user_name="bench",
        server="bench",
        reader="bench",
        prompt=question.question,
        sampling=Sampling(seed=seed),
    )
    began, first_s, finished = time.perf_counter(), 0.0, None
    prompt = await compose(job, Memory(), engine, system=settings.system_prompt)
    async with aclosing(ChatAttempt(job, 1, prompt, engine).events()) as events:
        async for event in events:
            if isinstance(event, Delta) and not first_s:
                first_s = time.perf_counter() - began
            finished = event if isinstance(event, Finished) else finished
    if finished is None:
        raise RuntimeError(f"{question.id} has no last event")
    return NewcomerAnswer(
        **msgspec.structs.asdict(question),
        answer=finished.text,
        reason=finished.reason,
        tokens=finished.completion_tokens,
        first_s=first_s,
        seconds=time.perf_counter() - began,
    )


def summarize(answers: list[NewcomerAnswer]) -> dict[str, object]:
    return {
        "questions": len(answers),
        "repetitions_cut": sum(each.reason is FinishReason.REPETITION for each in answers),
        "length_limit": sum(each.reason is FinishReason.LENGTH for each in answers),
        "median_first_s": round(median(each.first_s for each in answers), 2),
        "median_s": round(median(each.seconds for each in answers), 1),
        "longest_s": round(max(each.seconds for each in answers), 1),
        "tokens": sum(each.tokens for each in answers),
        "answers": [asdict(each) for each in answers],
    }


def _format_answer(answer: NewcomerAnswer) -> str:
    end = "" if answer.reason is FinishReason.STOP else f", ended: {answer.reason}"
    head = f"## {answer.id}  {answer.question}"
    times = f"({answer.tokens} tokens, {answer.first_s:.1f} and {answer.seconds:.1f} s{end})"
    return f"{head}\n(expected: {answer.expected})\n{answer.answer}\n{times}\n"
