"""What a picture beside a section must show: asked from the model, checked against the text.

A name that the text does not say is none that a picture could be about, whatever the model wrote:
examples are repeated, and neighbours of what was meant are remembered. For want of a better one,
the heading is what a picture is wanted for, if the text names it.
"""

import random
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from inference.article.llm_client import LLMClient
from inference.article.prompts import Language, prompts_for
from inference.engines.base import Message
from inference.library.image_entry import KIND_NAMES
from inference.library.normalize import (
    NameSet,
    capitalized_names,
    find_names,
    mentioned_names,
    terms,
    written_form,
)
from jobqueue.article import ImageKind, ImageRequest

MAX_CAPTION = 140
MAX_ENTITIES = 4
MAX_ANSWER = 4_000  # characters that the model says of them
MAX_LINES = 30
MAX_TEXT = 1_800  # characters of a section that are shown
TOKENS = 70

_LABEL = re.compile(
    r"^\W*(?:caption|picture|图片?(?:说明)?|配图)\s*+\d*+\s*+[:：]\s*", re.IGNORECASE
)
_SEPARATORS = re.compile(r"[,，、;；/]")
_NONE = re.compile(r"^\W*(?:none\b|nothing\b|no pictures?\b|都不|没有|无$)", re.IGNORECASE)
_GROUNDED = 0.5  # of a caption's words, so many are in the text


async def request_images(
    llm: LLMClient,
    language: Language,
    name: str,
    *,
    heading: str,
    text: str,
    count: int = 1,
    subjects: Sequence[ImageRequest] = (),
) -> tuple[ImageRequest, ...] | None:
    """Return at most `count` needs that the model states, and what the heading is of.

    `subjects` are what the text is known to be about: the model may choose one, or another, or
    none, and then the answer is None. `name` is the request's.
    """
    prompts = prompts_for(language)
    example, example_needs = prompts.need_example
    count = min(count, len(example_needs))

    def question(text: str, at_hand: Sequence[str]) -> Message:
        named = prompts.at_hand.format(subjects=prompts.comma.join(at_hand)) if subjects else ""
        return Message("user", prompts.need_question.format(text=text, count=count, at_hand=named))

    messages = (
        Message("system", prompts.chooser),
        question(example, prompts.need_subjects),
        Message("assistant", "\n".join(example_needs[:count])),
        question(f"{heading}\n\n{text[:MAX_TEXT]}".strip(), _shuffle(subjects, name)),
    )
    limit = llm.limit_tokens(TOKENS * count)
    answer = await llm.ask(name, messages, temperature=0.0, max_tokens=limit, stop=("\n\n",))
    if subjects and _NONE.match(answer):
        return None
    if not language.capitalizes_names:
        return tuple(parse_needs(answer, heading, text, names_in=lambda _: []))[:count]
    found = tuple(parse_needs(answer, heading, text))[:count]
    return (*found, *filter(None, [heading_need(heading, text)]))


def parse_needs(
    answer: str, heading: str, text: str, names_in: Callable[[str], list[str]] = capitalized_names
) -> Iterator[ImageRequest]:
    """Yield a need for each line that stands: its caption is about the text, and so are its names.

    `names_in` tells names in a text by how they are written.
    """
    whole = f"{heading}\n{text}"
    in_text = names_in(text)
    for line in islice(filter(None, map(str.strip, answer[:MAX_ANSWER].splitlines())), MAX_LINES):
        caption, *columns = (column.strip() for column in re.split(r"[|｜]", line))
        caption = _LABEL.sub("", caption).strip('*_"“” -')[:MAX_CAPTION]
        stated = _split_names(columns[0]) if columns else []
        entities = [name for name in stated if _is_name_in(whole, name)]
        named = names_in(caption)
        foreign = [name for name in named if not says(whole, name)]
        if not caption or foreign or (stated and not entities) or not is_about(caption, whole):
            continue
        known = [name for name in in_text if says(caption, name)]
        itself = [caption] if not caption.isascii() and caption in text else []
        entities = _without_parts([*itself, *entities, *named, *known])
        yield ImageRequest(
            caption=caption,
            entities=tuple(entities[:MAX_ENTITIES]),
            kind=_kind(columns[1] if len(columns) > 1 else ""),
        )


def heading_need(heading: str, text: str) -> ImageRequest | None:
    """Return what the heading names, where the text is about it."""
    if not heading.isascii() and heading in text:
        return ImageRequest(caption=heading, entities=(heading,))
    named = [name for name in capitalized_names(text) if says(heading, name)]
    return ImageRequest(caption=heading, entities=tuple(named[:MAX_ENTITIES])) if named else None


def is_about(caption: str, text: str) -> bool:
    """Return whether half of a caption's words are in the text."""
    words = [term for term in terms(caption) if len(term) > 3 or not term.isascii()]
    inside = set(terms(text))
    return sum(word in inside for word in words) >= _GROUNDED * len(words)


def says(text: str, name: str) -> bool:
    """Return whether `text` says a name as a whole."""
    return bool(mentioned_names(text, [name]))


def spread(sections: int, pictures: int | None) -> list[int]:
    """Return sections in the order in which they get a picture, far apart at first: those that are
    left over take part where others stay empty. None: each gets one."""
    if pictures is None or pictures >= sections:
        return list(range(sections))
    first = [at * sections // pictures for at in range(pictures)]
    return first + [at for at in range(sections) if at not in first]


def _shuffle(subjects: Sequence[ImageRequest], seed: str) -> list[str]:
    """Put none of them always first, which weak models choose."""
    names = list(dict.fromkeys(subject.entities[0] for subject in subjects))
    random.Random(seed).shuffle(names)
    return names


def _split_names(column: str) -> list[str]:
    plain = (each.strip(" .。*_\"'“”()（）-《》") for each in _SEPARATORS.split(column))
    return [each for each in plain if len(each) > 1 and not _NONE.fullmatch(each)]


def _is_name_in(text: str, name: str) -> bool:
    """Return whether a text says it, and writes it as a name: with a capital, where the script has
    them. Small models state topics, as `history`, of which nothing particular is a picture."""
    found = (written_form(text, each) for each in find_names(text, NameSet.of([name])))
    return any(any(not each[0].islower() for each in form.split()) for form in found)


def _without_parts(names: Sequence[str]) -> list[str]:
    """Leave out those that are a part of one before them."""
    kept: list[str] = []
    for name in names:
        if not any(says(each, name) for each in kept):
            kept.append(name)
    return kept


def _kind(column: str) -> ImageKind | None:
    """Return None where it says several: then it was repeated from the question."""
    found = [kind for kind, names in KIND_NAMES.items() if mentioned_names(column, names)]
    return found[0] if len(found) == 1 else None
