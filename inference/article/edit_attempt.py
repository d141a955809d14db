"""One section of an article is written anew, or gets another picture; all else stays as it is."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial

import msgspec

from inference.article.base_attempt import ArticleAttempt
from inference.article.capitals import capitals
from inference.article.fitting import still_fits
from inference.article.image_requests import needs
from inference.article.outline import Measure
from inference.article.section_writer import room_for
from inference.article.sentence_splitter import pieces
from inference.article.source import Source
from inference.article.stream_cleaner import Prose, Said
from inference.engines.base import Message
from jobqueue.article import Article, Change, Kind, Need, Rework, Section, Slot, Stage, Why
from jobqueue.schema import AnyEvent, Progress

TRIES = 2
FACTORS = {Rework.REWRITE: 1.0, Rework.EXPAND: 2.0, Rework.SHORTEN: 0.5}  # of its length


class Changing(ArticleAttempt):
    async def events(self) -> AsyncGenerator[AnyEvent, None]:
        """Stopped before the end, it leaves the article as it is."""
        change = self._change
        article, section = change.article, change.article.sections[change.section]
        pictured = change.rework is Rework.PICTURE
        stage = Stage.ILLUSTRATING if pictured else Stage.WRITING
        yield Progress(stage=stage, total=1, heading=section.heading or article.title)
        changed = await (self._repictured(section) if pictured else self._reworked(section))
        self._article = article.with_section(change.section, changed)
        yield self._finished()

    @property
    def _change(self) -> Change:
        assert self._order.change is not None  # noqa: S101 — what makes it this kind of attempt
        return self._order.change

    @property
    def _unchanged(self) -> Article:
        return self._change.article

    # --- text ---------------------------------------------------------------------------------

    async def _reworked(self, section: Section) -> Section:
        """A picture that no longer fits the text is looked for anew, and goes where none does."""
        written = msgspec.structs.replace(section, text=await self._anew(section))
        article = self._unchanged.with_section(self._change.section, written)
        for place, slot in enumerate(section.slots):
            if slot.figure and not still_fits(slot, section, written):
                article = await self._refilled(article, place)
        return article.sections[self._change.section]

    async def _refilled(self, article: Article, place: int) -> Article:
        at = self._change.section
        before = article.sections[at].slots[place]
        emptied = msgspec.structs.replace(before, figure=None, why=Why.UNSAID, detail="")
        article = _with_slot(article, at, place, emptied)
        found = await self._pictures.slot(article, at, 1)
        if found and found.figure:
            return _with_slot(article, at, place, found)
        candidates = (*filter(None, [before.figure]), *before.candidates)
        kept = msgspec.structs.replace(emptied, candidates=candidates)
        return _with_slot(article, at, place, kept)

    async def _anew(self, section: Section) -> str:
        """As it is, where the model does not come up with what is wanted."""
        rework = self._change.rework
        for number in range(1, TRIES + 1):
            text = await self._tried(section, number)
            if _is(rework, text, section.text):
                return text
        return _beginning(section.text) if rework is Rework.SHORTEN else section.text

    async def _tried(self, section: Section, number: int) -> str:
        words = round(self._wording.words_in(section.text) * FACTORS[self._change.rework])
        measure = Measure(sections=1, paragraphs=section.text.count("\n\n") + 2, words=words)
        prose = self._prose(section, measure)
        messages = await self._messages(section, measure)
        most = self._pen.at_most(measure.tokens)
        name = f"{self._change.rework}-{self._change.section}-{number}"
        async with aclosing(self._pen.write(name, messages, max_tokens=most)) as written:
            async for piece in written:
                prose.take(piece)
                if prose.enough:
                    break
            else:
                prose.end(cut=self._pen.cut)
        return prose.text

    def _prose(self, section: Section, measure: Measure) -> Prose:
        """Nothing of what the other sections say is said again, and no number made up."""
        said, article = Said(), self._unchanged
        for other in article.sections:
            if other is not section:
                for piece in pieces(other.text, ended=True):
                    said.again(piece.text)
        text = "\n".join((self._source.text, section.text, self._change.wish))
        known = Source(self._source.assignment, text if self._source.text else "")
        return Prose(
            frozenset({article.title, *(each.heading for each in article.sections)}),
            said,
            paragraphs=measure.paragraphs,
            characters=self._wording.characters(measure.most_words),
            given=partial(known.gives, tongue=self._tongue),
        )

    async def _messages(self, section: Section, measure: Measure) -> tuple[Message, ...]:
        wording, source, change = self._wording, self._source, self._change
        room = await room_for(self._tools.engine, source, measure.tokens)
        text = source.about(f"{section.heading} {change.wish} {section.text}", room)
        article = wording.article.format(
            title=self._unchanged.title,
            assignment=source.assignment,
            parts="",
            source=wording.source.format(text=text) if text else "",
        )
        asked = getattr(wording, change.rework).format(
            text=section.text, words=wording.counted(measure.words)
        )
        wish = wording.wish.format(wish=change.wish) if change.wish else ""
        return (
            Message("system", wording.editor.format(language=self._tongue.name)),
            Message("user", f"{article}\n\n{asked}{wish}"),
        )

    # --- pictures -----------------------------------------------------------------------------

    async def _repictured(self, section: Section) -> Section:
        """With another picture at its place; the one that is there stays where no other fits."""
        before = section.slots[self._change.slot] if self._has_slot(section) else None
        need = await self._need(before.need if before else None)
        avoid = [before.figure.picture.sha256] if before and before.figure else []
        slot = await self._pictures.fill(need, self._unchanged, avoid=avoid) if need else None
        if slot is None:
            return section
        if before and before.figure and slot.figure is None:
            slot = msgspec.structs.replace(before, candidates=slot.candidates)
        return _with(section, self._change.slot, slot)

    def _has_slot(self, section: Section) -> bool:
        return self._change.slot < len(section.slots)

    async def _need(self, before: Need | None) -> Need | None:
        change = self._change
        if change.wish:
            return await self._wished(change.wish, before)
        if before is None:
            return await self._pictures.need(change.article, change.section)
        return msgspec.structs.replace(before, kind=None) if before.kind is Kind.CHART else before

    async def _wished(self, wish: str, before: Need | None) -> Need:
        """What a person wants to see is about what they name, else about what it was before."""
        name = f"wish-{self._change.section}"
        found = await needs(self._pen, self._tongue, name, heading="", text=wish)
        stated = found[0] if found else Need(caption=wish, entities=tuple(capitals(wish)))
        entities = stated.entities or (before.entities if before else ())
        return msgspec.structs.replace(stated, caption=wish, entities=entities)


def _with(section: Section, place: int, slot: Slot) -> Section:
    slots = (*section.slots[:place], slot, *section.slots[place + 1 :])
    return msgspec.structs.replace(section, slots=slots)


def _with_slot(article: Article, at: int, place: int, slot: Slot) -> Article:
    return article.with_section(at, _with(article.sections[at], place, slot))


def _is(rework: Rework, text: str, before: str) -> bool:
    if rework is Rework.EXPAND:
        return len(text) > len(before)
    if rework is Rework.SHORTEN:
        return 0 < len(text) < len(before)
    return text not in ("", before)


def _beginning(text: str) -> str:
    """Whole sentences, about half of it, and at least one."""
    kept, half = "", len(text) * FACTORS[Rework.SHORTEN]
    for piece in pieces(text, ended=True):
        if kept and len(kept) + len(piece.text) > half:
            break
        kept += piece.text + piece.space
    return kept.rstrip()
