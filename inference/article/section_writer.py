"""Writes an article's opening and its sections, each streamed as it is written."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial

from inference.article.llm_client import LLMClient
from inference.article.outline import Outline, OutlinePart, SectionLength
from inference.article.prompts import Language, prompts_for
from inference.article.source import SourceText
from inference.article.stream_cleaner import SentenceMemory, StreamCleaner
from inference.engines.base import Engine, Message

OPENING_WORDS = 60
OVERHEAD_TOKENS = 450  # of a prompt, beside the text to go by
SOURCE_SHARE = 2  # of the context, at most half is text to go by
_SAMPLE = 2_000  # characters, from which it is told how many make a token


async def source_room(engine: Engine, source: SourceText, tokens: int) -> int:
    """Return how many characters of the source fit beside `tokens` of answer."""
    if not source.text:
        return 0
    context = engine.context_tokens
    left = min(context - tokens - OVERHEAD_TOKENS, context // SOURCE_SHARE)
    sample = source.text[:_SAMPLE]
    counted = await engine.count_tokens((Message("user", sample),))
    return max(left, 0) * len(sample) // max(counted, 1)


async def stream_clean(
    llm: LLMClient, cleaner: StreamCleaner, name: str, messages: tuple[Message, ...], limit: int
) -> AsyncGenerator[str, None]:
    """Yield a model's text as it is cleaned, until there is enough of it."""
    async with aclosing(llm.write(name, messages, max_tokens=limit)) as pieces:
        async for piece in pieces:
            if clean := cleaner.feed(piece):
                yield clean
            if cleaner.is_full:
                return
    if clean := cleaner.finish(cut=llm.cut):
        yield clean


class SectionWriter:
    """Writes the sections of one article, and knows what it has said."""

    def __init__(
        self,
        llm: LLMClient,
        source: SourceText,
        outline: Outline,
        *,
        language: Language,
        length: SectionLength,
        room: int,
    ) -> None:
        self._llm = llm
        self._source = source
        self._outline = outline
        self._language = language
        self._prompts = prompts_for(language)
        self._length = length
        self._room = room
        self._memory = SentenceMemory()
        headings = {part.heading for part in outline.parts}
        self._headings = frozenset({outline.title, *headings})

    def write_opening(self) -> AsyncGenerator[str, None]:
        """Yield the opening's text as it comes."""
        words = self._prompts.count_words(OPENING_WORDS)
        request = self._prompts.opening_request.format(words=words)
        length = SectionLength(sections=0, paragraphs=1, words=OPENING_WORDS)
        # All of a text to go by would be told here, and nothing be left for the sections.
        return self._write("section-0", self._source.beginning(self._room), request, length)

    def write_section(self, number: int, part: OutlinePart) -> AsyncGenerator[str, None]:
        """Yield the text of the section with this number, the opening being 0."""
        prompts, length = self._prompts, self._length
        request = prompts.section_request.format(
            heading=part.heading,
            about=part.about or part.heading,
            paragraphs=prompts.paragraphs[length.paragraphs - 1],
            words=prompts.count_words(length.words),
        )
        about = f"{part.heading} {part.about}"
        self._memory.remember(part.about)  # the model is not to repeat it
        if focus := self._source.passage(about):
            request += prompts.focus.format(text=focus)
        text = self._source.about(about, self._room)
        return self._write(f"section-{number}", text, request, length)

    async def _write(
        self, name: str, text: str, request: str, length: SectionLength
    ) -> AsyncGenerator[str, None]:
        cleaner = StreamCleaner(
            self._headings,
            self._memory,
            paragraphs=length.paragraphs,
            characters=self._prompts.characters(length.most_words),
            is_supported=partial(self._source.supports, language=self._language),
        )
        messages = self._messages(text, request)
        limit = self._llm.limit_tokens(length.tokens)
        async with aclosing(stream_clean(self._llm, cleaner, name, messages, limit)) as pieces:
            async for clean in pieces:
                yield clean

    def _messages(self, text: str, request: str) -> tuple[Message, ...]:
        prompts, source = self._prompts, self._source
        headings = prompts.comma.join(part.heading for part in self._outline.parts)
        article = prompts.article.format(
            title=self._outline.title,
            assignment=source.assignment,
            parts=prompts.parts.format(headings=headings),
            source=prompts.source.format(text=text) if text else "",
        )
        return (
            Message("system", prompts.author.format(language=self._language.name)),
            Message("user", f"{article}\n\n{request}"),
        )
