"""What a section is about, of what there are pictures of.

The library says what it has, and only whether a section speaks of it makes it a subject: its
heading does; or two of its sentences; or one, of what belongs to the article's topic. Each subject
is that of the section which says most about it, the topic that of the opening.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from inference.article.claims import sentences
from inference.article.image_requests import spelled
from inference.library.image_library import Subject
from inference.library.normalize import name_of
from jobqueue.article import Article, Need

HEADING = 10  # a name in it counts as much as in so many sentences
LONGEST = 300  # characters of a sentence; what goes on longer has no one subject
TOPIC = 20  # so the opening has it, whatever else is headed by it


@dataclass(frozen=True, slots=True)
class Line:
    text: str
    section: int | None = None  # None: of what the article as a whole is about
    heading: bool = False


def lines_of(article: Article, assignment: str) -> Sequence[Line]:
    """What may name a subject: the assignment first."""
    return [Line(assignment), Line(article.title), *_of_sections(article)]


def subjects_of(lines: Sequence[Line], found: Sequence[Subject], at: int) -> list[Need]:
    """Needs of the section, what it is about most first; each in words of its own text."""
    topics = [each for each in found if _is_topic(each)]
    belonging = [each for each in found if each.shown and (each in topics or not each.doubtful)]
    scored = [(_score(lines, each, topics), each) for each in belonging]
    own = [(scores[at], each) for scores, each in scored if scores and _best(scores) == at]
    own.sort(key=lambda each: -each[0])
    return [_need(lines, each, at) for _, each in own]


def doubted(need: Need, found: Sequence[Subject]) -> bool:
    """Whether a name in it may be another's: the text of one on Florence Nightingale says Florence,
    too."""
    names = set(map(name_of, need.entities))
    return any(each.name in names and each.doubtful and not _is_topic(each) for each in found)


def passing(need: Need, lines: Sequence[Line], found: Sequence[Subject], at: int) -> bool:
    """Whether the section only mentions what it names: once, and it is not of the topic."""
    topics = [each for each in found if _is_topic(each)]
    names = set(map(name_of, need.entities))
    known = [each for each in found if each.name in names]
    return bool(known) and not any(_told(lines, each, topics, at) for each in known)


def _told(lines: Sequence[Line], subject: Subject, topics: Sequence[Subject], at: int) -> bool:
    own = [lines[n] for n in subject.named if lines[n].section == at]
    if any(line.heading for line in own):
        return True
    return len(own) >= (1 if _belongs(subject, topics) else 2)


def _of_sections(article: Article) -> Iterator[Line]:
    for at, section in enumerate(article.sections):
        if section.heading:
            yield Line(section.heading, at, heading=True)
        told = sentences(section.text)
        yield from (Line(each, at) for each in told if len(each) <= LONGEST)


def _is_topic(subject: Subject) -> bool:
    """The assignment names it, or the title where the assignment speaks of nothing like it."""
    return 0 in subject.plainly or (1 in subject.plainly and 0 not in subject.doubtful)


def _score(lines: Sequence[Line], subject: Subject, topics: Sequence[Subject]) -> dict[int, int]:
    """How much each section says of it, of those that are about it."""
    said = dict[int, int]()
    headed = set[int]()
    for at in subject.plainly:
        section = lines[at].section
        if section is not None and lines[at].heading:
            headed.add(section)
        elif section is not None:
            said[section] = said.get(section, 0) + 1
    enough = 1 if _belongs(subject, topics) else 2
    scores = {
        section: times + HEADING * (section in headed)
        for section, times in said.items()
        if section in headed or times >= enough
    }
    if subject in topics and any(lines[at].section == 0 for at in subject.named):
        scores[0] = TOPIC  # of the opening, whatever else is named in it
    return scores


def _belongs(subject: Subject, topics: Sequence[Subject]) -> bool:
    return any(subject.name in topic.around or topic.name in subject.around for topic in topics)


def _best(scores: dict[int, int]) -> int:
    """The first of the highest."""
    return min(scores, key=lambda section: (-scores[section], section))


def _need(lines: Sequence[Line], subject: Subject, at: int) -> Need:
    """The first sentence that names it; so all gates hold against it what the text says. Its name
    alone, where a sentence names others too."""

    def told(numbers: Collection[int]) -> Iterator[str]:
        own = (lines[n] for n in sorted(numbers) if lines[n].section == at)
        return (line.text for line in own if not line.heading)

    name = next(filter(None, (spelled(text, subject.name) for text in told(subject.named))), "")
    caption = next(told(subject.plainly), "") or name or subject.name
    return Need(caption=caption, entities=(name or subject.name,), kind=subject.kind)
