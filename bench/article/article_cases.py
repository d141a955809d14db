"""Whole articles: is a picture placed beside a text that is about what it shows, and no other?

The texts name things in passing, in negations and comparisons, things of the same name, and what
only another section is about. What a model would state is a part of each, and mostly nothing: then
the section's own words have to do.
"""

from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from pathlib import Path

import msgspec

from inference.article.article_attempt import Writing
from inference.article.section_images import Tools
from inference.engines.base import Chunk, Request
from inference.engines.scripted import ScriptedEngine
from inference.library.image_selector import Keeper, LibraryIllustrator
from inference.library.shelf import Shelf
from jobqueue.article import Article, Order, Section
from jobqueue.schema import ARTICLE, FinishReason, Job


class Part(msgspec.Struct, frozen=True):
    text: str
    heading: str = ""
    right: tuple[str, ...] = ()  # pictures that may stand beside it
    stated: str = ""  # by the model


class Text(msgspec.Struct, frozen=True):
    about: str  # under which it is counted
    assignment: str
    sections: tuple[Part, ...]
    title: str = ""
    trap: str = ""  # what would be wrong

    @property
    def article(self) -> Article:
        sections = (Section(heading=each.heading, text=each.text) for each in self.sections)
        return Article(title=self.title or self.assignment, sections=tuple(sections))


class Stating(ScriptedEngine):
    """Says what a text's sections are said to state."""

    def __init__(self, text: Text) -> None:
        super().__init__()
        self._text = text

    async def generate(self, request: Request) -> AsyncGenerator[Chunk, None]:
        at = int(request.id.rpartition("-")[2])
        yield Chunk(self._text.sections[at].stated, FinishReason.STOP)


def texts(path: Path) -> list[Text]:
    return [msgspec.json.decode(line, type=Text) for line in path.read_bytes().splitlines()]


async def illustrated(text: Text, shelf: Shelf, blobs: Keeper) -> Article:
    tools = Tools(Stating(text), blobs, LibraryIllustrator(shelf, blobs))
    job = Job(
        id="article",
        channel="bench",
        user="you",
        user_name="you",
        server="bench",
        reader="bench",
        capability=ARTICLE,
        prompt=text.assignment,
        order=Order(),
    )
    attempt = Writing(job, 1, tools, parent=None, question_tokens=0)
    async with aclosing(attempt.illustrated(text.article)) as steps:
        async for _ in steps:
            pass
    return (await attempt.cut_short(FinishReason.STOP)).article or text.article


def outcomes(text: Text, article: Article) -> Iterator[tuple[str, str]]:
    """Of each section, what became of it and the picture's path."""
    for part, section in zip(text.sections, article.sections, strict=True):
        placed = [slot.figure.entry for slot in section.slots if slot.figure]
        yield judged(part.right, placed), ", ".join(placed)


def judged(right: Sequence[str], placed: Sequence[str]) -> str:
    if not placed:
        return "missed" if right else "empty"
    return "right" if set(placed) <= set(right) else "wrong"
