"""Rewrites one section of an article or changes its picture; all else stays as it is."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial

import msgspec

from inference.article.article_attempt import BaseArticleAttempt
from inference.article.image_requests import is_about, request_images, says
from inference.article.outline import SectionLength
from inference.article.section_writer import source_room, stream_clean
from inference.article.source import SourceText, numbers_in
from inference.article.stream_cleaner import SentenceMemory, StreamCleaner, pieces
from inference.engines.base import Message
from inference.library.normalize import capitalized_names
from jobqueue.article import (
    Article,
    ArticleStage,
    ImageKind,
    ImageRequest,
    ImageSlot,
    NoImageReason,
    Rework,
    Section,
    SectionChange,
)
from jobqueue.schema import AnyEvent, ArticleProgress

TRIES = 2
FACTORS = {Rework.REWRITE: 1.0, Rework.EXPAND: 2.0, Rework.SHORTEN: 0.5}  # of its length


class EditAttempt(BaseArticleAttempt):
    """One attempt at a change of an article."""

    async def events(self) -> AsyncGenerator[AnyEvent, None]:
        """Leave the article as it is where it is stopped before the end."""
        change = self._change
        article, section = change.article, change.article.sections[change.section]
        is_picture = change.rework is Rework.PICTURE
        stage = ArticleStage.ILLUSTRATING if is_picture else ArticleStage.WRITING
        yield ArticleProgress(stage=stage, total=1, heading=section.heading or article.title)
        changed = await (self._replace_picture(section) if is_picture else self._rework(section))
        self._article = article.with_section(change.section, changed)
        yield self._finished_event()

    @property
    def _change(self) -> SectionChange:
        assert self._order.change is not None  # noqa: S101 — what makes it this kind of attempt
        return self._order.change

    # --- text ---------------------------------------------------------------------------------

    async def _rework(self, section: Section) -> Section:
        """Look for another picture where one no longer fits the text, and take it away for want of
        it."""
        at = self._change.section
        written = msgspec.structs.replace(section, text=await self._rewrite(section))
        article = self._change.article.with_section(at, written)
        for place, slot in enumerate(section.slots):
            if slot.figure and not _still_fits(slot, section, written):
                article = await self._refill(article, place)
        return article.sections[at]

    async def _refill(self, article: Article, place: int) -> Article:
        at = self._change.section
        before = article.sections[at].slots[place]
        emptied = msgspec.structs.replace(before, figure=None, why=NoImageReason.UNSAID, detail="")
        article = _with_slot(article, at, place, emptied)
        found = await self._images.next_slot(article, at, 1)
        if found and found.figure:
            return _with_slot(article, at, place, found)
        candidates = (*filter(None, [before.figure]), *before.candidates)
        kept = msgspec.structs.replace(emptied, candidates=candidates)
        return _with_slot(article, at, place, kept)

    async def _rewrite(self, section: Section) -> str:
        """Return the new text, or the old one where the model does not do what is wanted."""
        rework = self._change.rework
        for number in range(1, TRIES + 1):
            text = await self._write(section, number)
            if _is_done(rework, text, section.text):
                return text
        return _first_half(section.text) if rework is Rework.SHORTEN else section.text

    async def _write(self, section: Section, number: int) -> str:
        words = round(self._prompts.words_in(section.text) * FACTORS[self._change.rework])
        length = SectionLength(sections=1, paragraphs=section.text.count("\n\n") + 2, words=words)
        cleaner = self._cleaner(section, length)
        messages = await self._messages(section, length)
        limit = self._llm.limit_tokens(length.tokens)
        name = f"{self._change.rework}-{self._change.section}-{number}"
        async with aclosing(stream_clean(self._llm, cleaner, name, messages, limit)) as pieces:
            async for _ in pieces:
                pass
        return cleaner.text

    def _cleaner(self, section: Section, length: SectionLength) -> StreamCleaner:
        """Drop what the other sections say, and numbers that are made up."""
        memory, article = SentenceMemory(), self._change.article
        for other in article.sections:
            if other is not section:
                for piece in pieces(other.text, ended=True):
                    memory.remember(piece.text)
        text = "\n".join((self._source.text, section.text, self._change.wish))
        known = SourceText(self._source.assignment, text if self._source.text else "")
        return StreamCleaner(
            frozenset({article.title, *(each.heading for each in article.sections)}),
            memory,
            paragraphs=length.paragraphs,
            characters=self._prompts.characters(length.most_words),
            is_supported=partial(known.supports, language=self._language),
        )

    async def _messages(self, section: Section, length: SectionLength) -> tuple[Message, ...]:
        prompts, source, change = self._prompts, self._source, self._change
        room = await source_room(self._tools.engine, source, length.tokens)
        text = source.about(f"{section.heading} {change.wish} {section.text}", room)
        article = prompts.article.format(
            title=change.article.title,
            assignment=source.assignment,
            parts="",
            source=prompts.source.format(text=text) if text else "",
        )
        request = getattr(prompts, change.rework).format(
            text=section.text, words=prompts.count_words(length.words)
        )
        wish = prompts.wish.format(wish=change.wish) if change.wish else ""
        return (
            Message("system", prompts.editor.format(language=self._language.name)),
            Message("user", f"{article}\n\n{request}{wish}"),
        )

    # --- pictures -----------------------------------------------------------------------------

    async def _replace_picture(self, section: Section) -> Section:
        """Put another picture in its place; the one that is there stays where no other fits."""
        change = self._change
        before = section.slots[change.slot] if change.slot < len(section.slots) else None
        need = await self._need(before.need if before else None)
        if need is None:
            return section
        unwanted = [before.figure.picture.sha256] if before and before.figure else []
        slot = await self._images.fill(need, change.article, unwanted=unwanted)
        if before and before.figure and slot.figure is None:
            slot = msgspec.structs.replace(before, candidates=slot.candidates)
        return _replace_slot(section, change.slot, slot)

    async def _need(self, before: ImageRequest | None) -> ImageRequest | None:
        change = self._change
        if change.wish:
            return await self._need_from_wish(change.wish, before)
        if before is None:
            return await self._images.next_need(change.article, change.section)
        return (
            msgspec.structs.replace(before, kind=None) if before.kind is ImageKind.CHART else before
        )

    async def _need_from_wish(self, wish: str, before: ImageRequest | None) -> ImageRequest:
        """Take what a person names in their wish, else what the picture was about before."""
        name = f"wish-{self._change.section}"
        found = await request_images(self._llm, self._language, name, heading="", text=wish)
        names = tuple(capitalized_names(wish))
        stated = found[0] if found else ImageRequest(caption=wish, entities=names)
        entities = stated.entities or (before.entities if before else ())
        return msgspec.structs.replace(stated, caption=wish, entities=entities)


def _still_fits(slot: ImageSlot, before: Section, after: Section) -> bool:
    """Return whether the text says now what it said before of a picture's need; what it never said,
    a person wanted. A chart's numbers are compared in the same way."""
    old, new = (f"{each.heading}\n{each.text}" for each in (before, after))
    if slot.need.kind is ImageKind.CHART:
        shown = numbers_in(slot.figure.alt) if slot.figure else frozenset[str]()
        return shown & numbers_in(before.text) <= numbers_in(after.text)
    if not slot.need.entities:
        return is_about(slot.need.caption, new) or not is_about(slot.need.caption, old)
    return all(says(new, name) for name in slot.need.entities if says(old, name))


def _replace_slot(section: Section, place: int, slot: ImageSlot) -> Section:
    slots = (*section.slots[:place], slot, *section.slots[place + 1 :])
    return msgspec.structs.replace(section, slots=slots)


def _with_slot(article: Article, at: int, place: int, slot: ImageSlot) -> Article:
    return article.with_section(at, _replace_slot(article.sections[at], place, slot))


def _is_done(rework: Rework, text: str, before: str) -> bool:
    if rework is Rework.EXPAND:
        return len(text) > len(before)
    if rework is Rework.SHORTEN:
        return 0 < len(text) < len(before)
    return text not in ("", before)


def _first_half(text: str) -> str:
    """Return whole sentences, about half of the text, and at least one."""
    kept, half = "", len(text) * FACTORS[Rework.SHORTEN]
    for piece in pieces(text, ended=True):
        if kept and len(kept) + len(piece.text) > half:
            break
        kept += piece.text + piece.space
    return kept.rstrip()
