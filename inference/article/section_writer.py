"""An article's text: its opening and its sections, each streamed as it is written."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial

from inference.article.language import Tongue
from inference.article.llm_client import Pen
from inference.article.outline import Measure, Outline, Part
from inference.article.prompts import wording_of
from inference.article.source import Source
from inference.article.stream_cleaner import Prose, Said
from inference.engines.base import Engine, Message

LEAD_WORDS = 60
OVERHEAD_TOKENS = 450  # of a prompt, beside the text to go by
SOURCE_SHARE = 2  # of the context, at most half is text to go by
_SAMPLE = 2_000  # characters, from which it is told how many make a token


async def room_for(engine: Engine, source: Source, tokens: int) -> int:
    """Characters of the source that fit beside `tokens` of answer."""
    if not source.text:
        return 0
    context = engine.context_tokens
    left = min(context - tokens - OVERHEAD_TOKENS, context // SOURCE_SHARE)
    sample = source.text[:_SAMPLE]
    counted = await engine.count_tokens((Message("user", sample),))
    return max(left, 0) * len(sample) // max(counted, 1)


class Author:
    """Writes the sections of one article, and knows what it has said."""

    def __init__(
        self,
        pen: Pen,
        source: Source,
        outline: Outline,
        *,
        tongue: Tongue,
        measure: Measure,
        room: int,
    ) -> None:
        self._pen = pen
        self._source = source
        self._outline = outline
        self._tongue = tongue
        self._wording = wording_of(tongue)
        self._measure = measure
        self._room = room
        self._said = Said()
        headings = {part.heading for part in outline.parts}
        self._headings = frozenset({outline.title, *headings})

    def lead(self) -> AsyncGenerator[str, None]:
        """More of the text, as it comes."""
        asked = self._wording.lead_asked.format(words=self._wording.counted(LEAD_WORDS))
        lead = Measure(sections=0, paragraphs=1, words=LEAD_WORDS)
        # All of a text to go by would be told here, and nothing be left for the sections.
        return self._write("section-0", self._source.beginning(self._room), asked, lead)

    def part(self, number: int, part: Part) -> AsyncGenerator[str, None]:
        """The section with this number, the lead being 0."""
        wording, measure = self._wording, self._measure
        asked = wording.section_asked.format(
            heading=part.heading,
            about=part.about or part.heading,
            paragraphs=wording.paragraphs[measure.paragraphs - 1],
            words=wording.counted(measure.words),
        )
        about = f"{part.heading} {part.about}"
        self._said.again(part.about)  # the model is not to repeat it
        if focus := self._source.passage(about):
            asked += wording.focus.format(text=focus)
        text = self._source.about(about, self._room)
        return self._write(f"section-{number}", text, asked, measure)

    async def _write(
        self, name: str, text: str, asked: str, measure: Measure
    ) -> AsyncGenerator[str, None]:
        prose = Prose(
            self._headings,
            self._said,
            paragraphs=measure.paragraphs,
            characters=self._wording.characters(measure.most_words),
            given=partial(self._source.gives, tongue=self._tongue),
        )
        messages = self._messages(text, asked)
        most = self._pen.at_most(measure.tokens)
        async with aclosing(self._pen.write(name, messages, max_tokens=most)) as pieces:
            async for piece in pieces:
                if told := prose.take(piece):
                    yield told
                if prose.enough:
                    return
        if told := prose.end(cut=self._pen.cut):
            yield told

    def _messages(self, text: str, asked: str) -> tuple[Message, ...]:
        wording, source = self._wording, self._source
        headings = wording.comma.join(part.heading for part in self._outline.parts)
        article = wording.article.format(
            title=self._outline.title,
            assignment=source.assignment,
            parts=wording.parts.format(headings=headings),
            source=wording.source.format(text=text) if text else "",
        )
        return (
            Message("system", wording.author.format(language=self._tongue.name)),
            Message("user", f"{article}\n\n{asked}"),
        )
