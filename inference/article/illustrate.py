"""Pictures for an article's sections: a chart where numbers are given, else what is needed."""

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from inference.article.base import Illustrator, Keeper
from inference.article.chart import draw
from inference.article.needs import needs, spelled
from inference.article.pen import Pen
from inference.article.series import Series, asked, may_chart, tables
from inference.article.source import Source
from inference.article.tongue import Tongue
from inference.article.wording import wording_of
from inference.engines.base import Engine
from inference.sandbox.client import Sandbox
from jobqueue.article import Article, Need, Section, Slot
from jobqueue.pictures import pictures_of
from jobqueue.schema import Job


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
        self._tables = list(tables(source.text, self._wording.chart))
        self._offered: set[str] = set()  # of the person's own
        self._charted: set[int] = set()  # sections that were looked at for numbers
        self._needs: dict[int, Iterator[Need]] = {}  # of a section: those that are left

    async def slot(self, article: Article, at: int, most: int) -> Slot | None:
        """The next place for a picture in a section, which has at most so many. None where its
        text calls for none."""
        if chart := await self._chart(article.sections[at], at):
            return chart
        need = await self.need(article, at, most) if self._tools.illustrator else None
        return await self.fill(need, article) if need else None

    async def need(self, article: Article, at: int, most: int = 1) -> Need | None:
        """The next one of the section: a picture of the person's that it speaks of, by the name of
        its file, else what its text states."""
        section = article.sections[at]
        if own := self._own(section):
            return own
        if at not in self._needs:
            heading = section.heading or article.title
            found = await needs(
                self._pen,
                self._tongue,
                f"picture-{at}",
                heading=heading,
                text=section.text,
                count=most,
            )
            self._needs[at] = iter(found)
        return next(self._needs[at], None)

    async def fill(self, need: Need, article: Article, avoid: Collection[str] = ()) -> Slot | None:
        if self._tools.illustrator is None:
            return None
        return await self._tools.illustrator.fill(
            need,
            own=pictures_of(self._job.attachments),
            taken=[figure.picture.sha256 for figure in article.figures],
            avoid=avoid,
            seed=self._job.sampling.seed or 0,
        )

    def _own(self, section: Section) -> Need | None:
        """Each of them once."""
        for picture in pictures_of(self._job.attachments):
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
