"""Pictures for an article's sections: a chart where numbers are given, else what is needed."""

import asyncio
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from common import tracing
from inference.article.chart import Series, draw_chart, may_chart, request_series, tables
from inference.article.image_requests import request_images
from inference.article.llm_client import LLMClient
from inference.article.prompts import Language, prompts_for
from inference.article.section_topics import SectionTopics, names_at_hand
from inference.article.source import SourceText
from inference.engines.base import Engine
from inference.library.eligibility import SurroundingText
from inference.library.image_selector import ImageSelector
from inference.library.normalize import (
    NameSet,
    find_names,
    is_among,
    mentioned_names,
    name_of,
    terms,
    written_form,
)
from inference.sandbox.client import Sandbox
from jobqueue.article import Article, ImageKind, ImageRequest, ImageSlot, Section
from jobqueue.blobs import Blobs
from jobqueue.history import select_images
from jobqueue.schema import Job

MAX_BARE_TOPIC = 60  # characters of an assignment that leaves open what is to be told
MAX_AT_HAND = 6


@dataclass(frozen=True, slots=True)
class ArticleTools:
    """The tools for an article's images. Without a sandbox there are no charts."""

    engine: Engine
    blobs: Blobs
    selector: ImageSelector
    sandbox: Callable[[], Sandbox | None] = lambda: None  # where it is open now


class SectionImages:
    """The pictures of one attempt at an article."""

    def __init__(
        self, job: Job, tools: ArticleTools, llm: LLMClient, language: Language, source: SourceText
    ) -> None:
        self._job = job
        self._tools = tools
        self._llm = llm
        self._language = language
        self._prompts = prompts_for(language)
        self._source = source
        self._tables = list(tables(source.text, self._prompts.chart))
        self._offered: set[str] = set()  # of the person's own
        self._charted: set[int] = set()  # sections that were looked at for numbers
        self._needs: dict[int, Iterator[ImageRequest]] = {}  # of a section: those that are left
        self._requested: list[tuple[int, ImageRequest]] = []  # of which section

    async def at_hand(self) -> Sequence[str]:
        """Return what there are pictures of that belongs to a bare topic, in the article's writing,
        for an outline to choose from."""
        topic = self._source.assignment
        if self._source.text or len(topic) > MAX_BARE_TOPIC:
            return ()
        is_chinese = self._language.is_chinese
        found = names_at_hand(await self._tools.selector.library(), topic)
        named = (next((n for n in names if n.isascii() != is_chinese), "") for names in found)
        return list(dict.fromkeys(filter(None, named)))[:MAX_AT_HAND]

    async def next_slot(self, article: Article, at: int, limit: int) -> ImageSlot | None:
        """Return the next place for a picture in a section, which has at most `limit`: filled by
        the first need of it that can be met, else empty. None where the text calls for none."""
        if chart := await self._chart(article.sections[at], at):
            return chart
        empty: ImageSlot | None = None
        while need := await self.next_need(article, at, limit):
            slot = await self.fill(need, article, passage=self._passage(article, at))
            if slot.figure:
                return slot
            empty = empty or slot
        return empty

    async def next_need(self, article: Article, at: int, limit: int = 1) -> ImageRequest | None:
        """Return the next need of a section: a picture of the person's that it speaks of, by the
        name of its file, else what its text states, else what it is about. No subject comes
        twice."""
        if own := self._own(article.sections[at]):
            return own
        if at not in self._needs:
            self._needs[at] = iter(await self._find_needs(article, at, limit))
        for need in self._needs[at]:
            if not any(
                each == need or (of != at and _repeats(need, each)) for of, each in self._requested
            ):
                self._requested.append((at, need))
                return need
        return None

    async def fill(
        self,
        need: ImageRequest,
        article: Article,
        *,
        unwanted: Collection[str] = (),
        passage: SurroundingText | None = None,
    ) -> ImageSlot:
        with tracing.start_span("picture") as span:
            slot = await self._tools.selector.fill(
                need,
                own=select_images(self._job.attachments),
                excluded={*(figure.picture.sha256 for figure in article.figures), *unwanted},
                passage=passage,
                seed=self._job.sampling.seed or 0,
            )
            span.set_attributes(tracing.attributes(placed=slot.figure is not None, why=slot.why))
        return slot

    async def _find_needs(self, article: Article, at: int, limit: int) -> Sequence[ImageRequest]:
        """Bare names come last: beside them, what there is a picture of is the better choice."""
        section = article.sections[at]
        library = await self._tools.selector.library()
        topics = SectionTopics(library, article, self._source.assignment)
        subjects = await asyncio.to_thread(topics.needs, at)
        stated = await request_images(
            self._llm,
            self._language,
            f"picture-{at}",
            heading=section.heading or article.title,
            text=section.text,
            count=limit,
            subjects=subjects,
        )
        if stated is None:
            return ()
        own = [need for need in stated if topics.accept(need, at)]
        bare = [need for need in own if is_among(need.caption, need.entities)]
        return (*(need for need in own if need not in bare), *subjects, *bare)

    def _passage(self, article: Article, at: int) -> SurroundingText:
        section = article.sections[at]
        topic = (self._source.assignment, article.title, section.heading)
        return SurroundingText("\n".join(topic), section.text)

    def _own(self, section: Section) -> ImageRequest | None:
        """Offer each of the person's pictures once."""
        text = f"{section.heading}\n{section.text}"
        for picture in select_images(self._job.attachments):
            name = name_of(re.sub(r"[\W_]+", " ", Path(picture.name).stem))
            mention = next(find_names(text, NameSet.of([name])), None)
            if mention and picture.sha256 not in self._offered:
                self._offered.add(picture.sha256)
                found = written_form(text, mention)
                return ImageRequest(caption=found, entities=(found,))
        return None

    async def _chart(self, section: Section, at: int) -> ImageSlot | None:
        sandbox = self._tools.sandbox()
        if sandbox is None or at in self._charted:
            return None
        self._charted.add(at)
        series = self._table_of(section)
        if series is None and may_chart(section.text):
            series = await request_series(self._llm, self._prompts, f"numbers-{at}", section.text)
        return await draw_chart(sandbox, self._tools.blobs, series) if series else None

    def _table_of(self, section: Section) -> Series | None:
        """Take a table of the source that the section speaks of, and none before it."""
        for series in self._tables:
            labels = [label for label, _ in series.points]
            if sum(label in section.text for label in labels) * 2 >= len(labels):
                self._tables.remove(series)
                return series
        return None


def _repeats(need: ImageRequest, requested: ImageRequest) -> bool:
    """Return whether it says nothing that was not requested. A map is of the place, and not the
    same as a view of it."""
    if (need.kind is ImageKind.MAP) != (requested.kind is ImageKind.MAP):
        return False
    if need.kind is ImageKind.MAP:
        return not _names(need).isdisjoint(_names(requested))
    said = {term for each in (requested.caption, *requested.entities) for term in terms(each)}
    return _names(need) <= _names(requested) and set(terms(need.caption)) <= said


def _names(need: ImageRequest) -> frozenset[str]:
    """Return the names that its caption says, else all of them."""
    names = frozenset(map(name_of, need.entities))
    return mentioned_names(need.caption, names) or names
