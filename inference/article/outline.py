"""The outline of an article: a title, and sections in their order.

A model writes the plan as lines, which even small ones can, and whatever can be read of it is
taken. Where that is nothing, there is an outline that fits anything.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from inference.article.llm_client import LLMClient
from inference.article.prompts import Language, Prompts, prompts_for
from inference.article.source import SourceText
from inference.engines.base import Message
from jobqueue.article import ArticleLength

TRIES = 2
FIRST_TEMPERATURE = 0.3  # the first one's temperature, where none was chosen
TOKENS_PER_SECTION = 45
MAX_TITLE, MAX_HEADING, MAX_ABOUT = 100, 70, 240

_TITLE = re.compile(r"^\W*(?:title|标题|题目)\W*[:：]\s*(.+)$", re.IGNORECASE)
_ITEM = re.compile(
    r"^\s*(?:#{2,}\s*)?(?:\*\*)?(?:\d{1,2}\s*[.)、:：]|[-*•]|##+|第.{1,2}节[:：]?)\s*(.+)$"
)
_HEAD = re.compile(r"^#\s+(.+)$")
_ORDINAL = re.compile(r"^(?:(?:section|part|chapter)\s+\w+|第.{1,2}[节章部分]+)\s*[:：.-]\s*", re.I)
_DASH = re.compile(r"(?<!\s)\s++[-–—]\s+|[:：]")
_MARKS = re.compile(r"[*_`#\"“”]+")
_INTRODUCTION = {"introduction", "intro", "opening", "引言", "导言", "前言", "简介", "开头"}
_WISH = re.compile(
    r"^(?:please\s+)?(?:write|make|create)\s+(?:me\s+)?(?:an?\s+)?(?:[\w-]+\s+){0,3}?article\s+"
    r"(?:about|on|of)\s+|^请?(?:帮我|给我)?写一?篇?(?:关于|介绍|讲述?)?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class SectionLength:
    """The wanted length of an article's sections."""

    sections: int
    paragraphs: int  # of a section
    words: int  # of a section, in English

    @property
    def tokens(self) -> int:
        """The limit of a section: languages differ, and the last sentence is to have an end."""
        return self.words * 5 // 2 + 40

    @property
    def most_words(self) -> int:
        """The number from which on it ends with the next sentence."""
        return self.words * 5 // 4


LENGTHS = {
    ArticleLength.SHORT: SectionLength(sections=2, paragraphs=1, words=80),
    ArticleLength.MEDIUM: SectionLength(sections=4, paragraphs=2, words=130),
    ArticleLength.LONG: SectionLength(sections=7, paragraphs=3, words=200),
}


@dataclass(frozen=True, slots=True)
class OutlinePart:
    heading: str
    about: str = ""


@dataclass(frozen=True, slots=True)
class Outline:
    title: str
    parts: tuple[OutlinePart, ...]


async def create_outline(
    llm: LLMClient,
    source: SourceText,
    language: Language,
    count: int,
    room: int,
    *,
    at_hand: Sequence[str] = (),
) -> Outline:
    """Ask for an outline twice, and fall back on one that fits anything.

    `room` is the number of the source's characters that a prompt has a place for, `at_hand` what
    there are pictures of.
    """
    prompts = prompts_for(language)
    messages = _messages(prompts, source, count, room, at_hand)
    limit, stop = llm.limit_tokens(40 + TOKENS_PER_SECTION * count), (f"\n{count + 1}.",)
    for number in range(1, TRIES + 1):
        sampling = llm.with_temperature(FIRST_TEMPERATURE) if number == 1 else {}
        name = "plan" if number == 1 else f"plan-{number}"
        answer = await llm.ask(name, messages, max_tokens=limit, stop=stop, **sampling)
        outline = parse_outline(_without_examples(prompts, answer), count)
        if len(outline.parts) >= min(2, count):
            return outline if outline.title else Outline(title_of(source.assignment), outline.parts)
    parts = tuple(OutlinePart(*each) for each in prompts.outline[:count])
    return Outline(title_of(source.assignment), parts)


def parse_outline(text: str, count: int) -> Outline:
    """Read as much of an outline as can be read: no heading twice, at most `count` parts."""
    title, parts = "", dict[str, OutlinePart]()
    for line in text.splitlines():
        if not title and (found := _TITLE.match(line) or _HEAD.match(line)):
            title = _clean(_TITLE.sub(r"\1", found[1]), MAX_TITLE)
        elif found := _ITEM.match(line):
            part = _part(found[1])
            if part.heading and part.heading.casefold() not in _INTRODUCTION | {title.casefold()}:
                parts.setdefault(part.heading.casefold(), part)
    return Outline(title, tuple(parts.values())[:count])


def title_of(assignment: str) -> str:
    """Return what is to be written about, for want of a better title."""
    first = _clean(next(iter(assignment.splitlines()), ""), MAX_TITLE)
    topic = re.sub(r"的文章$", "", _WISH.sub("", first)) or _clean(assignment, MAX_TITLE)
    return topic[:1].upper() + topic[1:]


def _part(line: str) -> OutlinePart:
    line = _ORDINAL.sub("", _MARKS.sub("", line).strip())
    heading, _, about = _DASH.sub("\0", line, count=1).partition("\0")
    if len(heading) > MAX_HEADING:  # a sentence: its beginning is the heading
        heading, about = re.split(r"[,;，；。(（]", line)[0], line
    return OutlinePart(_clean(heading, MAX_HEADING), _clean(about, MAX_ABOUT))


def _clean(text: str, limit: int) -> str:
    plain = " ".join(_MARKS.sub("", text).split()).strip(" .:：。-")
    plain = re.sub(r"^《([^《》]*)》$", r"\1", plain)
    return plain if len(plain) <= limit else plain[:limit].rsplit(" ", 1)[0]


def _messages(
    prompts: Prompts, source: SourceText, count: int, room: int, at_hand: Sequence[str]
) -> tuple[Message, ...]:
    def question(assignment: str, count: int, text: str = "", pictures: str = "") -> Message:
        quoted = prompts.plan_source.format(text=text) if text else ""
        words = prompts.plan_question.format(
            count=count, assignment=assignment, source=quoted, at_hand=pictures
        )
        return Message("user", words)

    named = prompts.plan_at_hand.format(subjects=prompts.comma.join(at_hand)) if at_hand else ""
    examples = (
        (question(topic, planned.count("\n")), Message("assistant", planned))
        for topic, planned in prompts.plan_examples
    )
    return (
        Message("system", prompts.planner),
        *chain.from_iterable(examples),
        question(source.assignment, count, source.overview(room), named),
        Message("assistant", prompts.plan_start),
    )


def _without_examples(prompts: Prompts, answer: str) -> str:
    """Return all of the outline, without what is repeated from the examples. Some engines write on
    after the beginning that they are given, and some begin anew."""
    examples = "\n".join(planned for _, planned in prompts.plan_examples).casefold()
    is_whole = answer.lstrip().startswith(prompts.plan_start)
    whole = answer if is_whole else prompts.plan_start + answer

    def is_repeated(line: str) -> bool:
        words = re.split("[:：]", line, maxsplit=1)[-1].strip().casefold()
        return bool(words) and words in examples

    return "\n".join(line for line in whole.splitlines() if not is_repeated(line))
