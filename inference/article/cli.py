"""`python -m inference article TOPIC`: an article in the terminal, without a queue.

For an operator who wants to know how a model writes, and how long it takes.
"""

import argparse
import asyncio
import contextlib
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

from common.redact import redact
from inference.article.article_service import ArticleService
from inference.article.section_images import ArticleTools
from inference.config import OFFLINE, WorkerSettings, add_choices, from_arguments
from inference.engines import create_engine
from inference.engines.base import BadRequest, EngineFailed
from inference.library import create_selector
from inference.library.image_selector import MemoryBlobs
from inference.sandbox.client import Sandbox
from inference.sandbox.config import SandboxConfig
from inference.sandbox.result import SandboxUnavailable
from inference.terminal_chat import Memory
from jobqueue.article import Article, ArticleLength, ArticleOrder
from jobqueue.schema import ARTICLE, ArticleProgress, Delta, Finished, Job, Sampling


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser("article", help="write an article in the terminal")
    add_choices(parser)
    parser.add_argument("topic", help="or an instruction")
    parser.add_argument("--source", type=Path, help="a text file that it goes by")
    parser.add_argument(
        "--length", choices=list(ArticleLength), default=ArticleLength.SHORT, type=ArticleLength
    )
    parser.add_argument("--language", default="", help="as en-US or zh-CN; empty: the topic's")
    parser.add_argument("--seed", type=int, help="the same article again")
    parser.set_defaults(run=run_article)


def run_article(arguments: argparse.Namespace) -> int:
    settings = from_arguments(arguments)
    os.environ.update(OFFLINE)
    try:
        asyncio.run(_run(arguments, settings))
    except (BadRequest, EngineFailed) as error:
        print(f"No article: {redact(str(error))}", file=sys.stderr)
        return 1
    return 0


async def _run(arguments: argparse.Namespace, settings: WorkerSettings) -> None:
    engine = create_engine(settings.engine, settings)
    async with engine, _sandbox(settings) as sandbox:
        began = time.monotonic()
        blobs = MemoryBlobs()
        tools = ArticleTools(
            engine, blobs, create_selector(settings, blobs, engine), sandbox=lambda: sandbox
        )
        finished = await _print_events(tools, _job(arguments))
        print(f"\n\n{_account(finished, time.monotonic() - began)}", file=sys.stderr)


async def _print_events(tools: ArticleTools, job: Job) -> Finished:
    attempt = await ArticleService(Memory(), tools).create_attempt(job, 1)
    async with aclosing(attempt.events()) as events:
        async for event in events:
            match event:
                case Delta(text=text):
                    print(text, end="", flush=True)
                case ArticleProgress(stage=stage, done=done, total=total):
                    print(f"\n[{stage} {done}/{total}]", file=sys.stderr, flush=True)
                case Finished():
                    return event
    raise EngineFailed("the article ended without a last word")


def _job(arguments: argparse.Namespace) -> Job:
    source = arguments.source and arguments.source.read_text(encoding="utf-8")
    return Job(
        id="article",
        channel="terminal",
        user="you",
        user_name="you",
        server="terminal",
        reader="terminal",
        capability=ARTICLE,
        prompt=f"{arguments.topic}\n\n{_quote_file(arguments.source, source)}".strip(),
        sampling=Sampling(seed=arguments.seed),
        order=ArticleOrder(length=arguments.length, language=arguments.language),
    )


def _quote_file(path: Path | None, text: str | None) -> str:
    """Quote a file as the bot does."""
    fence = "`" * 8
    return f'File "{path.name}":\n{fence}\n{text}\n{fence}' if path else ""


def _account(finished: Finished, seconds: float) -> str:
    article = finished.article or Article(title="", sections=())
    words = f"{len(finished.text.split())} words, {len(finished.text)} characters"
    slots = [slot for section in article.sections for slot in section.slots]
    empty = [slot for slot in slots if not slot.figure]
    lines = [f"{words}, {finished.completion_tokens} tokens, {seconds:.1f} s"]
    lines += [f"picture: {figure.caption}" for figure in article.figures]
    for slot in empty:
        names = ", ".join(slot.need.entities)
        lines.append(f"no picture: {slot.need.caption} ({names}): {slot.why} {slot.detail}")
    return "\n".join(lines)


@contextlib.asynccontextmanager
async def _sandbox(settings: WorkerSettings) -> AsyncIterator[Sandbox | None]:
    """Open a sandbox; None where programs are not to be run, or cannot."""
    async with contextlib.AsyncExitStack() as stack:
        sandbox = None
        if settings.programs:
            with contextlib.suppress(SandboxUnavailable):
                sandbox = await stack.enter_async_context(Sandbox(SandboxConfig()))
        yield sandbox
