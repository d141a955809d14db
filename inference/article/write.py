"""An article's text: its opening and its sections, each streamed as it is written."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from inference.article.pen import Pen
from inference.article.plan import Measure, Outline, Part
from inference.article.prose import Prose, Said
from inference.article.source import Source
from inference.article.tongue import Tongue
from inference.article.wording import wording_of
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
        return self._write("section-0", self._outline.title, asked, lead)

    def part(self, number: int, part: Part) -> AsyncGenerator[str, None]:
        """The section with this number, the lead being 0."""
        wording, measure = self._wording, self._measure
        others = [each.heading for each in self._outline.parts if each is not part]
        asked = wording.section_asked.format(
            heading=part.heading,
            about=part.about or part.heading,
            paragraphs=wording.paragraphs[measure.paragraphs - 1],
            words=wording.counted(measure.words),
        )
        if others:
            asked += wording.others.format(headings=wording.comma.join(others))
        return self._write(f"section-{number}", f"{part.heading} {part.about}", asked, measure)

    async def _write(
        self, name: str, about: str, asked: str, measure: Measure
    ) -> AsyncGenerator[str, None]:
        numbers = self._source.numbers if self._source.text else None
        prose = Prose(
            self._headings,
            self._said,
            paragraphs=measure.paragraphs,
            characters=self._wording.characters(measure.most_words),
            numbers=numbers,
        )
        messages = self._messages(about, asked)
        most = self._pen.at_most(measure.tokens)
        async with aclosing(self._pen.write(name, messages, max_tokens=most)) as pieces:
            async for piece in pieces:
                if told := prose.take(piece):
                    yield told
                if prose.enough:
                    return
        if told := prose.end(cut=self._pen.cut):
            yield told

    def _messages(self, about: str, asked: str) -> tuple[Message, ...]:
        wording, source = self._wording, self._source
        text = source.about(about, self._room)
        article = wording.article.format(
            title=self._outline.title,
            assignment=source.assignment,
            source=wording.source.format(text=text) if text else "",
        )
        return (
            Message("system", wording.author.format(language=self._tongue.name)),
            Message("user", f"{article}\n\n{asked}"),
        )
