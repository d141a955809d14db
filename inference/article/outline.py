"""What an article is to be made of: a title, and sections in their order.

A model writes the plan as lines, which even small ones can, and whatever can be read of it is
taken. Where that is nothing, there is an outline that fits anything.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from inference.article.language import Tongue
from inference.article.llm_client import Pen
from inference.article.prompts import Wording, wording_of
from inference.article.source import Source
from inference.engines.base import Message
from jobqueue.article import Length

TRIES = 2
CALM = 0.3  # the first one's temperature, where none was chosen
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
class Measure:
    """How long it is to be."""

    sections: int
    paragraphs: int  # of a section
    words: int  # of a section, in English

    @property
    def tokens(self) -> int:
        """At most, of a section: languages differ, and the last sentence is to have an end."""
        return self.words * 5 // 2 + 40

    @property
    def most_words(self) -> int:
        """From which on it ends with the next sentence."""
        return self.words * 5 // 4


MEASURES = {
    Length.SHORT: Measure(sections=2, paragraphs=1, words=80),
    Length.MEDIUM: Measure(sections=4, paragraphs=2, words=130),
    Length.LONG: Measure(sections=7, paragraphs=3, words=200),
}


@dataclass(frozen=True, slots=True)
class Part:
    heading: str
    about: str = ""


@dataclass(frozen=True, slots=True)
class Outline:
    title: str
    parts: tuple[Part, ...]


async def plan(
    pen: Pen,
    source: Source,
    tongue: Tongue,
    count: int,
    room: int,
    *,
    at_hand: Sequence[str] = (),
) -> Outline:
    """`room` is the number of the source's characters that a prompt has a place for, `at_hand` what
    there are pictures of."""
    wording = wording_of(tongue)
    messages = _asked(wording, source, count, room, at_hand)
    most, stop = pen.at_most(40 + TOKENS_PER_SECTION * count), (f"\n{count + 1}.",)
    for number in range(1, TRIES + 1):
        how = pen.calmly(CALM) if number == 1 else {}
        said = await pen.ask(_name(number), messages, max_tokens=most, stop=stop, **how)
        read = read_outline(_own(wording, said), count)
        if len(read.parts) >= min(2, count):
            return read if read.title else Outline(title_of(source.assignment), read.parts)
    parts = tuple(Part(*each) for each in wording.outline[:count])
    return Outline(title_of(source.assignment), parts)


def read_outline(text: str, count: int) -> Outline:
    """As much of a plan as can be read: no heading twice, at most `count` parts."""
    title, parts = "", dict[str, Part]()
    for line in text.splitlines():
        if not title and (found := _TITLE.match(line) or _HEAD.match(line)):
            title = _clean(_TITLE.sub(r"\1", found[1]), MAX_TITLE)
        elif found := _ITEM.match(line):
            part = _part(found[1])
            if part.heading and part.heading.casefold() not in _INTRODUCTION | {title.casefold()}:
                parts.setdefault(part.heading.casefold(), part)
    return Outline(title, tuple(parts.values())[:count])


def title_of(assignment: str) -> str:
    """For want of a better one: what is to be written about."""
    first = _clean(next(iter(assignment.splitlines()), ""), MAX_TITLE)
    topic = re.sub(r"的文章$", "", _WISH.sub("", first)) or _clean(assignment, MAX_TITLE)
    return topic[:1].upper() + topic[1:]


def _part(line: str) -> Part:
    line = _ORDINAL.sub("", _MARKS.sub("", line).strip())
    heading, _, about = _DASH.sub("\0", line, count=1).partition("\0")
    if len(heading) > MAX_HEADING:  # a sentence: its beginning is the heading
        heading, about = re.split(r"[,;，；。(（]", line)[0], line
    return Part(_clean(heading, MAX_HEADING), _clean(about, MAX_ABOUT))


def _clean(text: str, most: int) -> str:
    plain = " ".join(_MARKS.sub("", text).split()).strip(" .:：。-")
    plain = re.sub(r"^《([^《》]*)》$", r"\1", plain)
    return plain if len(plain) <= most else plain[:most].rsplit(" ", 1)[0]


def _asked(
    wording: Wording, source: Source, count: int, room: int, at_hand: Sequence[str]
) -> tuple[Message, ...]:
    def asked(assignment: str, count: int, text: str = "", pictures: str = "") -> Message:
        told = wording.plan_source.format(text=text) if text else ""
        words = wording.plan_asked.format(
            count=count, assignment=assignment, source=told, at_hand=pictures
        )
        return Message("user", words)

    named = wording.plan_at_hand.format(subjects=wording.comma.join(at_hand)) if at_hand else ""

    shown = (
        (asked(topic, planned.count("\n")), Message("assistant", planned))
        for topic, planned in wording.plan_examples
    )
    return (
        Message("system", wording.planner),
        *chain.from_iterable(shown),
        asked(source.assignment, count, source.overview(room), named),
        Message("assistant", wording.plan_begun),
    )


def _own(wording: Wording, said: str) -> str:
    """All of the plan, without what is repeated from the examples. Some engines write on after the
    beginning that they are given, and some begin anew."""
    examples = "\n".join(planned for _, planned in wording.plan_examples).casefold()
    whole = said if said.lstrip().startswith(wording.plan_begun) else wording.plan_begun + said

    def repeated(line: str) -> bool:
        told = re.split("[:：]", line, maxsplit=1)[-1].strip().casefold()
        return bool(told) and told in examples

    return "\n".join(line for line in whole.splitlines() if not repeated(line))


def _name(number: int) -> str:
    return "plan" if number == 1 else f"plan-{number}"
