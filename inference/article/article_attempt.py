"""`/article`: planned, written section by section, and illustrated where a picture surely fits."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

import msgspec

from inference.agent.errors import NoAnswer
from inference.article.base_attempt import ArticleAttempt
from inference.article.image_requests import spread
from inference.article.outline import MEASURES, Outline, Part, plan
from inference.article.section_writer import Author, room_for
from jobqueue.article import Article, Section, Slot, Stage
from jobqueue.schema import AnyEvent, Delta, Progress


class Writing(ArticleAttempt):
    async def events(self) -> AsyncGenerator[AnyEvent, None]:
        """Raises NoAnswer where the model writes nothing."""
        yield Progress(stage=Stage.PLANNING)
        outline, author = await self._planned()
        async with aclosing(self._written(outline, author)) as events:
            async for event in events:
                yield event
        if self._article is None:
            raise NoAnswer("the model wrote nothing")
        async with aclosing(self.illustrated(self._article)) as progress:
            async for event in progress:
                yield event
        yield self._finished()

    # --- text ---------------------------------------------------------------------------------

    async def _planned(self) -> tuple[Outline, Author]:
        pen, source, tongue = self._pen, self._source, self._tongue
        measure = MEASURES[self._order.length]
        room = await room_for(self._tools.engine, source, measure.tokens)
        at_hand = await self._pictures.at_hand() if self._order.pictures != 0 else ()
        outline = await plan(pen, source, tongue, measure.sections, room, at_hand=at_hand)
        return outline, Author(pen, source, outline, tongue=tongue, measure=measure, room=room)

    async def _written(self, outline: Outline, author: Author) -> AsyncGenerator[AnyEvent, None]:
        parts = (Part(""), *outline.parts)
        for number, part in enumerate(parts):
            yield Progress(stage=Stage.WRITING, done=number, total=len(parts), heading=part.heading)
            section = Section(heading=part.heading, text="")
            before = self._article or Article(
                title=outline.title, sections=(), language=self._tongue.locale
            )
            async with aclosing(author.part(number, part) if number else author.lead()) as told:
                async for text in told:
                    section = msgspec.structs.replace(section, text=section.text + text)
                    yield Delta(text=self._grown(before, section))

    def _grown(self, before: Article, section: Section) -> str:
        """What the Markdown has more than it had."""
        shown = len(self.text)
        sections = (*before.sections, section)
        self._article = msgspec.structs.replace(before, sections=sections)
        return self.text[shown:]

    # --- pictures -----------------------------------------------------------------------------

    async def illustrated(self, article: Article) -> AsyncGenerator[Progress, None]:
        """Places in turn, until there are as many pictures as are wanted."""
        self._article = article
        wanted, sections = self._order.pictures, article.sections
        if wanted == 0:
            return
        most = -(-wanted // len(sections)) if wanted else 1  # of a section
        places = spread(len(sections), wanted) * most
        total = min(len(places), wanted or len(places))
        for done, at in enumerate(places):
            placed = len(article.figures)
            if placed == wanted:
                break
            heading = sections[at].heading or article.title
            yield _illustrating(min(done, total), total, placed, heading)
            slot = await self._pictures.slot(article, at, most)
            # Those that were tried in another's stead are not kept where they stay empty, too.
            if slot is not None and (slot.figure or done < total):
                self._article = article = _with_slot(article, at, slot)
        yield _illustrating(total, total, len(article.figures))


def _illustrating(done: int, total: int, placed: int, heading: str = "") -> Progress:
    return Progress(
        stage=Stage.ILLUSTRATING, done=done, total=total, placed=placed, heading=heading
    )


def _with_slot(article: Article, at: int, slot: Slot) -> Article:
    section = article.sections[at]
    slots = (*section.slots, slot)
    return article.with_section(at, msgspec.structs.replace(section, slots=slots))
