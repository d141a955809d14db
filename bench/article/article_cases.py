"""Whole articles: is a picture placed beside a text that is about what it shows, and no other?

The texts name things in passing, in negations and comparisons, things of the same name, and what
only another section is about. What a model would state is a part of each, and mostly nothing: then
the section's own words have to do.
"""

from collections import Counter
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing
from pathlib import Path

import msgspec

from inference.article.article_attempt import ArticleAttempt
from inference.article.section_images import ArticleTools
from inference.engines.base import Chunk, Request
from inference.engines.scripted import ScriptedEngine
from inference.library.image_library import LibraryReader
from inference.library.image_selector import ImageSelector, MemoryBlobs
from jobqueue.article import Article, ArticleOrder, Section
from jobqueue.schema import ARTICLE, FinishReason, Job

TEXTS = "texts.jsonl"


class SectionCase(msgspec.Struct, frozen=True):
    text: str
    heading: str = ""
    right: tuple[str, ...] = ()  # pictures that may stand beside it
    stated: str = ""  # by the model


class ArticleCase(msgspec.Struct, frozen=True):
    about: str  # under which it is counted
    assignment: str
    sections: tuple[SectionCase, ...]
    title: str = ""
    trap: str = ""  # what would be wrong

    @property
    def article(self) -> Article:
        sections = (Section(heading=each.heading, text=each.text) for each in self.sections)
        return Article(title=self.title or self.assignment, sections=tuple(sections))


class StatingEngine(ScriptedEngine):
    """States for each section what its case gives."""

    def __init__(self, case: ArticleCase) -> None:
        super().__init__()
        self._case = case

    async def generate(self, request: Request) -> AsyncGenerator[Chunk, None]:
        at = int(request.id.rpartition("-")[2])
        yield Chunk(self._case.sections[at].stated, FinishReason.STOP)


async def illustrate_cases(
    folder: Path, path: Path, *, verbose: bool = False
) -> Mapping[str, Counter[str]]:
    """Return what became of the sections of whole texts, by what they are about."""
    reader, outcomes = LibraryReader(folder), dict[str, Counter[str]]()
    for case in _read_cases(path):
        article = await _illustrate(case, reader)
        for part, (outcome, placed) in zip(case.sections, _judge(case, article), strict=True):
            outcomes.setdefault(case.about, Counter())[outcome] += 1
            if verbose:
                print(f"{outcome:<6} {case.assignment} / {part.heading} | {placed}")
    return outcomes


def _read_cases(path: Path) -> Iterator[ArticleCase]:
    for line in path.read_bytes().splitlines() if path.exists() else []:
        yield msgspec.json.decode(line, type=ArticleCase)


async def _illustrate(case: ArticleCase, reader: LibraryReader) -> Article:
    blobs = MemoryBlobs()
    tools = ArticleTools(StatingEngine(case), blobs, ImageSelector(reader, blobs))
    job = Job(
        id="article",
        channel="bench",
        user="you",
        user_name="you",
        server="bench",
        reader="bench",
        capability=ARTICLE,
        prompt=case.assignment,
        order=ArticleOrder(),
    )
    attempt = ArticleAttempt(job, 1, tools, parent=None, question_tokens=0)
    async with aclosing(attempt.illustrate(case.article)) as steps:
        async for _ in steps:
            pass
    return (await attempt.cut_short(FinishReason.STOP)).article or case.article


def _judge(case: ArticleCase, article: Article) -> Iterator[tuple[str, str]]:
    """Yield what became of each section, and the pictures that it got."""
    for part, section in zip(case.sections, article.sections, strict=True):
        placed = [slot.figure.entry for slot in section.slots if slot.figure]
        yield judge(part.right, placed), ", ".join(placed)


def judge(right: Sequence[str], placed: Sequence[str]) -> str:
    if not placed:
        return "missed" if right else "empty"
    return "right" if set(placed) <= set(right) else "wrong"
