"""Pictures for an article's sections: a chart where numbers are given, else what is needed."""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from common import tracing
from inference.article.base import Illustrator, Keeper
from inference.article.chart import draw
from inference.article.claims import claims
from inference.article.image_requests import names, needs, spelled
from inference.article.language import Tongue
from inference.article.llm_client import Pen
from inference.article.prompts import wording_of
from inference.article.section_topics import doubted, lines_of, passing, subjects_of
from inference.article.series import Series, asked, may_chart, tables
from inference.article.source import Source
from inference.engines.base import Engine
from inference.library.normalize import among, mentioned, name_of, terms
from inference.sandbox.client import Sandbox
from jobqueue.article import Article, Kind, Need, Section, Slot
from jobqueue.history_images import select_images
from jobqueue.schema import Job

BARE = 60  # characters of an assignment, at most, that leaves open what is to be told
AT_HAND = 6


@dataclass(frozen=True, slots=True)
class Tools:
    """What an article is made with. Without an illustrator it has charts alone, and without a
    sandbox not even those."""

    engine: Engine
    blobs: Keeper
    illustrator: Illustrator | None = None
    sandbox: Callable[[], Sandbox | None] = lambda: None  # where it is open now


class Pictures:
    """Of one attempt at an article."""

    def __init__(self, job: Job, tools: Tools, pen: Pen, tongue: Tongue, source: Source) -> None:
        self._job = job
        self._tools = tools
        self._pen = pen
        self._tongue = tongue
        self._wording = wording_of(tongue)
        self._source = source
        self._tables = list(tables(source.text, self._wording.chart))
        self._offered: set[str] = set()  # of the person's own
        self._charted: set[int] = set()  # sections that were looked at for numbers
        self._needs: dict[int, Iterator[Need]] = {}  # of a section: those that are left
        self._asked: list[tuple[int, Need]] = []  # of which section

    async def at_hand(self) -> Sequence[str]:
        """What there are pictures of that belongs to the topic, where nothing but a topic says what
        is to be told: in the article's writing, for a plan to choose from."""
        illustrator, source = self._tools.illustrator, self._source
        if illustrator is None or source.text or len(source.assignment) > BARE:
            return ()
        found = await illustrator.belonging(source.assignment)
        chinese = self._tongue.is_chinese
        named = (next((n for n in names if n.isascii() != chinese), "") for names in found)
        return list(dict.fromkeys(filter(None, named)))[:AT_HAND]

    async def slot(self, article: Article, at: int, most: int) -> Slot | None:
        """The next place for a picture in a section, which has at most so many: filled by the first
        need of it that can be met, else empty for want of what the first one names. None where its
        text calls for none."""
        if chart := await self._chart(article.sections[at], at):
            return chart
        empty: Slot | None = None
        while need := await self.need(article, at, most):
            slot = await self.fill(need, article, beside=self._beside(article, at))
            if slot is None or slot.figure:
                return slot
            empty = empty or slot
        return empty

    async def need(self, article: Article, at: int, most: int = 1) -> Need | None:
        """The next one of the section: a picture of the person's that it speaks of, by the name of
        its file, else what its text states, else what it is about. No subject comes twice."""
        if self._tools.illustrator is None:
            return None
        if own := self._own(article.sections[at]):
            return own
        if at not in self._needs:
            self._needs[at] = iter(await self._stated(article, at, most))
        for need in self._needs[at]:
            if not any(
                each == need or (of != at and _repeats(need, each)) for of, each in self._asked
            ):
                self._asked.append((at, need))
                return need
        return None

    async def _stated(self, article: Article, at: int, most: int) -> Sequence[Need]:
        """Bare names last: beside them, what there is a picture of is the better choice."""
        section = article.sections[at]
        lines = lines_of(article, self._source.assignment)
        assert self._tools.illustrator is not None  # noqa: S101 — `need` asks
        named = await self._tools.illustrator.subjects([line.text for line in lines])
        subjects = subjects_of(lines, named, at)
        stated = await needs(
            self._pen,
            self._tongue,
            f"picture-{at}",
            heading=section.heading or article.title,
            text=section.text,
            count=most,
            subjects=subjects,
        )
        if stated is None:
            return ()
        own = [
            need
            for need in stated
            if not self._anothers(need, article, at)
            and not doubted(need, named)
            and not passing(need, lines, named, at)
        ]
        bare = [need for need in own if among(need.caption, need.entities)]
        return (*(need for need in own if need not in bare), *subjects, *bare)

    def _beside(self, article: Article, at: int) -> str:
        section = article.sections[at]
        topic = (self._source.assignment, article.title, section.heading)
        return "\n".join((*topic, claims(section.text)))

    def _anothers(self, need: Need, article: Article, at: int) -> bool:
        """Whether another section is headed by what it names, and neither this one is nor all of
        the article."""
        own = f"{self._source.assignment}\n{article.title}\n{article.sections[at].heading}"
        others = "\n".join(each.heading for each in article.sections)
        return any(names(others, name) and not names(own, name) for name in need.entities)

    async def fill(
        self, need: Need, article: Article, *, avoid: Collection[str] = (), beside: str = ""
    ) -> Slot | None:
        if self._tools.illustrator is None:
            return None
        with tracing.start_span("picture") as span:
            slot = await self._tools.illustrator.fill(
                need,
                own=select_images(self._job.attachments),
                taken=[figure.picture.sha256 for figure in article.figures],
                avoid=avoid,
                beside=beside,
                seed=self._job.sampling.seed or 0,
            )
            if slot is not None:
                placed = tracing.attributes(placed=slot.figure is not None, why=slot.why)
                span.set_attributes(placed)
        return slot

    def _own(self, section: Section) -> Need | None:
        """Each of them once."""
        for picture in select_images(self._job.attachments):
            called = re.sub(r"[\W_]+", " ", Path(picture.name).stem).strip()
            found = spelled(f"{section.heading}\n{section.text}", called)
            if found and picture.sha256 not in self._offered:
                self._offered.add(picture.sha256)
                return Need(caption=found, entities=(found,))
        return None

    async def _chart(self, section: Section, at: int) -> Slot | None:
        sandbox = self._tools.sandbox()
        if sandbox is None or at in self._charted:
            return None
        self._charted.add(at)
        series = self._table_of(section)
        if series is None and may_chart(section.text):
            series = await asked(self._pen, self._wording, f"numbers-{at}", section.text)
        return await draw(sandbox, self._tools.blobs, series) if series else None

    def _table_of(self, section: Section) -> Series | None:
        """A table of the source that the section speaks of, and none before it."""
        for series in self._tables:
            labels = [label for label, _ in series.points]
            if sum(label in section.text for label in labels) * 2 >= len(labels):
                self._tables.remove(series)
                return series
        return None


def _repeats(need: Need, asked: Need) -> bool:
    """Whether it says nothing that was not asked for. A map is of the place, and not the same as a
    view of it."""
    if (need.kind is Kind.MAP) != (asked.kind is Kind.MAP):
        return False
    if need.kind is Kind.MAP:
        return not _names(need).isdisjoint(_names(asked))
    said = {term for each in (asked.caption, *asked.entities) for term in terms(each)}
    return _names(need) <= _names(asked) and set(terms(need.caption)) <= said


def _names(need: Need) -> frozenset[str]:
    """What its caption says of its names, else all of them."""
    names = frozenset(map(name_of, need.entities))
    return mentioned(need.caption, names) or names
