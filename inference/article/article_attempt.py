"""`/article`: an outline, its sections as a stream, and pictures where they surely fit."""

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator
from contextlib import aclosing

import msgspec

from inference.article.image_requests import spread
from inference.article.llm_client import LLMClient
from inference.article.outline import LENGTHS, Outline, OutlinePart, create_outline
from inference.article.prompts import language_of, prompts_for
from inference.article.section_images import ArticleTools, SectionImages
from inference.article.section_writer import SectionWriter, source_room
from inference.article.source import parse_source
from inference.chat_attempt import NoAnswer
from jobqueue.article import Article, ArticleOrder, ArticleStage, ImageSlot, Section
from jobqueue.schema import AnyEvent, ArticleProgress, Delta, Finished, FinishReason, Job, Turn


class BaseArticleAttempt(ABC):
    """The base of attempts at new articles and at changes. Subclasses provide `events`."""

    def __init__(
        self,
        job: Job,
        attempt: int,
        tools: ArticleTools,
        *,
        parent: str | None,
        question_tokens: int,
    ) -> None:
        """`parent` is the turn that it follows; None leaves it to the queue."""
        self._job = job
        self._order = job.order or ArticleOrder()
        self._tools = tools
        self._parent = parent
        self._question_tokens = question_tokens
        self._llm = LLMClient(job, attempt, tools.engine)
        self._source = parse_source(job.prompt)
        self._language = language_of(job, self._source.assignment)
        self._prompts = prompts_for(self._language)
        self._images = SectionImages(job, tools, self._llm, self._language, self._source)
        self._article: Article | None = None  # as far as it is written

    @property
    def text(self) -> str:
        return self._article.markdown() if self._article and self._article.sections else ""

    @abstractmethod
    def events(self) -> AsyncGenerator[AnyEvent, None]: ...

    async def cut_short(self, reason: FinishReason) -> Finished:
        return self._finished_event(reason)

    def turn(self, finished: Finished) -> Turn:
        job = self._job
        return Turn(
            job=job.id,
            user=job.user,
            user_name=job.user_name,
            prompt=job.prompt,
            answer=finished.text,
            parent=self._parent,
            attachments=job.attachments,
            prompt_tokens=self._question_tokens,
            completion_tokens=len(finished.text.encode()) // 3,  # of the text alone
        )

    def _finished_event(self, reason: FinishReason = FinishReason.STOP) -> Finished:
        return Finished(
            text=self.text,
            reason=reason,
            prompt_tokens=self._llm.prompt_tokens,
            completion_tokens=self._llm.completion_tokens,
            article=self._article,
        )


class ArticleAttempt(BaseArticleAttempt):
    """One attempt at a new article."""

    async def events(self) -> AsyncGenerator[AnyEvent, None]:
        """Raises NoAnswer where the model writes nothing."""
        yield ArticleProgress(stage=ArticleStage.PLANNING)
        outline, writer = await self._plan()
        parts = (OutlinePart(""), *outline.parts)
        for number, part in enumerate(parts):
            yield ArticleProgress(
                stage=ArticleStage.WRITING, done=number, total=len(parts), heading=part.heading
            )
            async with aclosing(self._write_section(outline, writer, number, part)) as deltas:
                async for delta in deltas:
                    yield delta
        if self._article is None:
            raise NoAnswer("the model wrote nothing")
        async with aclosing(self.illustrate(self._article)) as steps:
            async for step in steps:
                yield step
        yield self._finished_event()

    async def _plan(self) -> tuple[Outline, SectionWriter]:
        llm, source, language = self._llm, self._source, self._language
        length = LENGTHS[self._order.length]
        room = await source_room(self._tools.engine, source, length.tokens)
        at_hand = await self._images.at_hand() if self._order.pictures != 0 else ()
        outline = await create_outline(
            llm, source, language, length.sections, room, at_hand=at_hand
        )
        return outline, SectionWriter(
            llm, source, outline, language=language, length=length, room=room
        )

    async def _write_section(
        self, outline: Outline, writer: SectionWriter, number: int, part: OutlinePart
    ) -> AsyncGenerator[Delta, None]:
        """Add a section as it is written, and yield what the article's Markdown has more."""
        section = Section(heading=part.heading, text="")
        before = self._article or Article(
            title=outline.title, sections=(), language=self._language.locale
        )
        pieces = writer.write_section(number, part) if number else writer.write_opening()
        async with aclosing(pieces):
            async for text in pieces:
                section = msgspec.structs.replace(section, text=section.text + text)
                shown = len(self.text)
                self._article = msgspec.structs.replace(
                    before, sections=(*before.sections, section)
                )
                yield Delta(text=self.text[shown:])

    async def illustrate(self, article: Article) -> AsyncGenerator[ArticleProgress, None]:
        """Fill places in turn, until there are as many pictures as are wanted."""
        self._article = article
        wanted, sections = self._order.pictures, article.sections
        if wanted == 0:
            return
        limit = -(-wanted // len(sections)) if wanted else 1  # of a section
        places = spread(len(sections), wanted) * limit
        total = min(len(places), wanted or len(places))
        for done, at in enumerate(places):
            placed = len(article.figures)
            if placed == wanted:
                break
            heading = sections[at].heading or article.title
            yield _progress(min(done, total), total, placed, heading)
            slot = await self._images.next_slot(article, at, limit)
            # Those that were tried in another's stead are not kept where they stay empty, too.
            if slot is not None and (slot.figure or done < total):
                self._article = article = _add_slot(article, at, slot)
        yield _progress(total, total, len(article.figures))


def _progress(done: int, total: int, placed: int, heading: str = "") -> ArticleProgress:
    return ArticleProgress(
        stage=ArticleStage.ILLUSTRATING, done=done, total=total, placed=placed, heading=heading
    )


def _add_slot(article: Article, at: int, slot: ImageSlot) -> Article:
    section = article.sections[at]
    slots = (*section.slots, slot)
    return article.with_section(at, msgspec.structs.replace(section, slots=slots))
