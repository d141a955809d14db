"""What a picture beside a section has to show: asked from the model, and held against the text.

A name that the text does not say is none that a picture could be about, whatever the model wrote:
examples are repeated, and neighbours of what was meant are remembered. Nor is one that it only
holds its subject against. For want of a better one, the heading is what a picture is wanted for, if
the text names it.
"""

import random
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from inference.article.capitals import capitals
from inference.article.claims import claims
from inference.article.language import Tongue
from inference.article.llm_client import Pen
from inference.article.prompts import wording_of
from inference.engines.base import Message
from jobqueue.article import Kind, Need

MAX_CAPTION = 140
MAX_ENTITIES = 4
MAX_SAID = 4_000  # characters of what the model says of them
MAX_LINES = 30
MAX_TEXT = 1_800  # characters of a section that are shown
TOKENS = 70

_KINDS = {
    Kind.PORTRAIT: re.compile(r"portrait|肖像|人像", re.IGNORECASE),
    Kind.MAP: re.compile(r"\bmap\b|地图", re.IGNORECASE),
    Kind.DRAWING: re.compile(r"drawing|painting|illustration|绘画|插图|图画", re.IGNORECASE),
    Kind.PHOTO: re.compile(r"photo|照片|摄影", re.IGNORECASE),
}
_LABEL = re.compile(
    r"^\W*(?:caption|picture|图片?(?:说明)?|配图)\s*+\d*+\s*+[:：]\s*", re.IGNORECASE
)
_BETWEEN = re.compile(r"[,，、;；/]|\band\b|和")
# What small models write for a name: a topic, of which nothing particular is a picture.
_NO_NAME = re.compile(
    r"none|n/a|history|culture|art|nature|geography|architecture|society|economy|people|city|today"
    r"|历史|文化|艺术|自然|地理|建筑|社会|经济|人们|城市|生活|今天|古代|现代|传统",
    re.IGNORECASE,
)
_NONE = re.compile(r"^\W*(?:none\b|nothing\b|no pictures?\b|都不|没有|无$)", re.IGNORECASE)
_GROUNDED = 0.5  # of a caption's words, so many are in the text


async def needs(
    pen: Pen,
    tongue: Tongue,
    name: str,
    *,
    heading: str,
    text: str,
    count: int = 1,
    subjects: Sequence[Need] = (),
) -> tuple[Need, ...] | None:
    """What is stated, at most `count`, and what the heading is of; nothing where the text names
    nothing that a picture could be of. `subjects` are those that it is known to be about: the model
    is shown them, and may choose one, or another. None where it chose none. `name` is the
    request's."""
    wording = wording_of(tongue)
    example, shown = wording.need_example
    count = min(count, len(shown))

    def asked(text: str, at_hand: Sequence[str]) -> Message:
        named = wording.at_hand.format(subjects=wording.comma.join(at_hand)) if subjects else ""
        return Message("user", wording.need_asked.format(text=text, count=count, at_hand=named))

    messages = (
        Message("system", wording.chooser),
        asked(example, wording.need_subjects),
        Message("assistant", "\n".join(shown[:count])),
        asked(f"{heading}\n\n{text[:MAX_TEXT]}".strip(), _shuffled(subjects, name)),
    )
    most = pen.at_most(TOKENS * count)
    said = await pen.ask(name, messages, temperature=0.0, max_tokens=most, stop=("\n\n",))
    if subjects and _NONE.match(said):
        return None
    known = capitals if tongue.has_capitals_for_names else lambda _: []
    found = tuple(read_needs(said, heading, text, capitals=known))[:count]
    if tongue.has_capitals_for_names:
        found = (*found, *filter(None, [of_heading(heading, text)]))
    return found


def read_needs(
    said: str, heading: str, text: str, capitals: Callable[[str], list[str]] = capitals
) -> Iterator[Need]:
    """Of the lines that stand: the caption is about the text, and so is a name that is stated.

    `capitals` tells names in a text by how they are written.
    """
    text = claims(text)
    whole = f"{heading}\n{text}"
    in_text = capitals(text)
    for line in islice(filter(None, map(str.strip, said[:MAX_SAID].splitlines())), MAX_LINES):
        caption, *columns = (column.strip() for column in re.split(r"[|｜]", line))
        caption = _LABEL.sub("", caption).strip('*_"“” -')[:MAX_CAPTION]
        stated = list(_entities(columns[0])) if columns else []
        entities = [entity for entity in stated if names(whole, entity)]
        named = [name for name in capitals(caption) if not _NO_NAME.fullmatch(name)]
        strange = [name for name in named if not names(whole, name)]
        if not caption or strange or (stated and not entities) or not is_about(caption, whole):
            continue
        known = [name for name in in_text if names(caption, name)]
        itself = [caption] if not caption.isascii() and caption in text else []
        entities = _each_once([*itself, *entities, *named, *known])
        yield Need(
            caption=caption,
            entities=tuple(entities[:MAX_ENTITIES]),
            kind=_kind(columns[1] if len(columns) > 1 else ""),
        )


def of_heading(heading: str, text: str) -> Need | None:
    """For want of a statement: what the heading names, where the text is about it."""
    text = claims(text)
    if not heading.isascii() and heading in text:
        return Need(caption=heading, entities=(heading,))
    named = [name for name in capitals(text) if names(heading, name)]
    return Need(caption=heading, entities=tuple(named[:MAX_ENTITIES])) if named else None


def is_about(caption: str, text: str) -> bool:
    """Whether half of a caption's words are in the text."""
    words = re.findall(r"[^\W\d_]{4,}", caption) if caption.isascii() else _pairs(caption)
    folded = _folded(text)
    inside = sum(_folded(word) in folded for word in words)
    return inside >= _GROUNDED * len(words)


def names(text: str, entity: str) -> bool:
    """Whether `text` says it, as a word of its own where words have ends."""
    return bool(spelled(text, entity))


def spelled(text: str, entity: str) -> str:
    """How `text` writes a name; empty where it does not."""
    edge = r"\b" if entity.isascii() else ""
    wanted = r"\s+".join(map(re.escape, entity.split()))
    found = re.search(f"{edge}{wanted}{edge}", text, re.IGNORECASE) if wanted else None
    return found[0] if found else ""


def spread(sections: int, pictures: int | None) -> list[int]:
    """Sections in the order in which they get a picture, far apart at first: those that are left
    over take part where others stay empty. None: each gets one."""
    if pictures is None or pictures >= sections:
        return list(range(sections))
    first = [at * sections // pictures for at in range(pictures)]
    return first + [at for at in range(sections) if at not in first]


def _shuffled(subjects: Sequence[Need], seed: str) -> list[str]:
    """None of them is always the first, which weak models choose."""
    names = list(dict.fromkeys(subject.entities[0] for subject in subjects))
    random.Random(seed).shuffle(names)
    return names


def _entities(column: str) -> Iterator[str]:
    for each in _BETWEEN.split(column):
        plain = each.strip(" .。*_\"'“”()（）-《》")
        if len(plain) > 1 and not _NO_NAME.fullmatch(plain):
            yield plain


def _each_once(entities: Sequence[str]) -> list[str]:
    """Without those that are part of one before them."""
    kept: list[str] = []
    for entity in entities:
        if not any(names(each, entity) for each in kept):
            kept.append(entity)
    return kept


def _kind(column: str) -> Kind | None:
    """None where it says several: then it was repeated from the question."""
    found = [kind for kind, pattern in _KINDS.items() if pattern.search(column)]
    return found[0] if len(found) == 1 else None


def _pairs(text: str) -> list[str]:
    """Of characters: what Chinese has for words."""
    plain = re.sub(r"\W", "", text)
    return [plain[at : at + 2] for at in range(len(plain) - 1)]


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())
