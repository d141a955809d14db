"""The topics of each section, of those that the library has pictures of.

No list of words tells whether *Florence* in a text is the city: *Florence Nightingale*, *the Treaty
of Nanjing* and 洛阳铲 are others. How the text uses a name does: what stands beside it, in capitals
or always the same; whether the assignment or a heading says it by itself; and what else a sentence
names. Where in doubt, it is another's, and a picture is lost rather than a wrong one shown.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from inference.article.stream_cleaner import pieces
from inference.library.image_checks import contradiction
from inference.library.image_entry import years_in
from inference.library.image_library import ImageLibrary, Subject
from inference.library.normalize import (
    Mention,
    NameSet,
    Token,
    find_names,
    mentioned_names,
    name_of,
    tokens,
    written_form,
)
from jobqueue.article import Article, ImageKind, ImageRequest

HEADING_SCORE = 10  # a name in it counts as much as in so many sentences
OPENING_SCORE = 20  # so the opening has the topic, whatever else is headed by it
MAX_SENTENCE = 300  # characters; a longer one has no one subject
LEAST_OPENED = 2  # sentences that begin with something make a section of it
LEAST_NEIGHBOURS = 2  # of a word of the language, besides a name
MAX_PARTICLE = 3  # letters of a word that joins two parts of a name, as of, de, von
ASSIGNMENT, TITLE = 0, 1  # lines
_COMMAS = frozenset(",،、，")


@dataclass(frozen=True, slots=True)
class TopicLine:
    text: str
    section: int | None = None  # None: of the article as a whole
    is_heading: bool = True


@dataclass(frozen=True, slots=True)
class Topic:
    """Something that there are pictures of, and the lines that name it."""

    subject: Subject
    named: frozenset[int]  # by itself
    plain: frozenset[int]  # those of them that name nothing else but what belongs to it
    alone: frozenset[int]  # those of them that name nothing else
    opened: frozenset[int]  # those of them that begin with it
    doubtful: frozenset[int]  # lines that have its name within another one

    @property
    def is_of_article(self) -> bool:
        """The assignment names it, or the title where the assignment says nothing like it."""
        if ASSIGNMENT in self.doubtful:
            return False
        return ASSIGNMENT in self.named or TITLE in self.named

    def belongs_to(self, other: "Topic") -> bool:
        one, two = self.subject, other.subject
        return one.name in two.around or two.name in one.around


class SectionTopics:
    """The topics of an article's sections, as far as the library has pictures of them."""

    def __init__(self, library: ImageLibrary, article: Article, assignment: str) -> None:
        self._library = library
        self._lines = [TopicLine(assignment), TopicLine(article.title), *_lines_of(article)]

    def needs(self, section: int) -> list[ImageRequest]:
        """Return what the section is about most, in words of its own text."""
        scored = [
            (self._scores[topic.subject][section], topic)
            for topic in self._topics
            if topic.subject.is_identified and self._best_section(topic) == section
        ]
        scored.sort(key=lambda each: -each[0])
        return [self._need(topic, section) for _, topic in scored]

    def accept(self, need: ImageRequest, section: int) -> bool:
        """Return whether all that the library knows of a need's names is what this section is
        about."""
        text = "\n".join((need.caption, *need.entities))
        names = mentioned_names(text, self._library.known)
        about = {
            topic.subject.name
            for topic in self._topics
            if section in self._scores[topic.subject]
            and (topic.is_of_article or self._best_section(topic) == section)
        }
        return names <= about

    @cached_property
    def _topics(self) -> list[Topic]:
        return list(find_topics(self._library, self._lines))

    @cached_property
    def _scores(self) -> dict[Subject, dict[int, int]]:
        return {topic.subject: self._score(topic) for topic in self._topics}

    def _best_section(self, topic: Topic) -> int | None:
        scores = self._scores[topic.subject]
        return min(scores, key=lambda section: (-scores[section], section)) if scores else None

    def _score(self, topic: Topic) -> dict[int, int]:
        """Tell how much each section says of it, of those that are about it: its heading names it;
        or a sentence does, and it belongs to the article's topic; or several begin with it."""
        whole = [each for each in self._topics if each.is_of_article]
        if topic.doubtful and topic not in whole:
            return {}
        belongs = any(topic.belongs_to(each) for each in whole)
        sentences: dict[int, int] = defaultdict(int)
        headed, opened = set[int](), defaultdict[int, int](int)
        for at in topic.plain:
            line = self._lines[at]
            if line.section is not None and line.is_heading:
                headed.add(line.section)
            elif line.section is not None:
                sentences[line.section] += 1
                opened[line.section] += at in topic.opened
        scores = {
            section: count + HEADING_SCORE * (section in headed)
            for section, count in sentences.items()
            if section in headed or belongs or opened[section] >= LEAST_OPENED
        }
        if topic in whole and 0 in scores:
            scores[0] = OPENING_SCORE
        return scores

    def _need(self, topic: Topic, section: int) -> ImageRequest:
        """Take the first sentence that names nothing else, and no year of its past, so that all
        checks hold against it what the text says; for want of one, the name."""
        own = [at for at in sorted(topic.named) if self._is_sentence(at, section)]
        line = self._lines[own[0]].text
        (mention, *_) = find_names(line, NameSet([topic.subject.name]))
        name = written_form(line, mention)
        said = (self._lines[at].text for at in own if at in topic.alone)
        caption = next((text for text in said if not years_in(text)), name)
        return ImageRequest(caption=caption, entities=(name,), kind=topic.subject.kind)

    def _is_sentence(self, at: int, section: int) -> bool:
        return self._lines[at].section == section and not self._lines[at].is_heading


def names_at_hand(library: ImageLibrary, topic: str) -> Iterator[tuple[str, ...]]:
    """Yield what there are pictures of that is at, or of, what a topic names: by all its names, or
    as its caption says it where it has none."""
    found = find_topics(library, [TopicLine(topic), TopicLine(topic)])
    named = {each.subject.name for each in found if each.is_of_article}
    for entry in library.entries:
        names = entry.shown_names or (entry.caption,)
        if entry.kind is ImageKind.MAP or named.isdisjoint(map(name_of, entry.names)):
            continue
        is_itself = bool(named & set(map(name_of, names)))
        if not is_itself and not contradiction(entry, library.text_in(entry), library.known):
            yield names


def find_topics(library: ImageLibrary, lines: Sequence[TopicLine]) -> Iterator[Topic]:
    """Yield what the lines name of what there are pictures of."""
    mentions = [list(find_names(line.text, library.known)) for line in lines]
    said = [frozenset(each.name for each in found) for found in mentions]
    every = sorted(frozenset[str]().union(*said))
    subjects = [subject for name in every for subject in library.subjects[name]]
    around = defaultdict[str, set[str]](set)
    for subject in subjects:
        around[subject.name] |= subject.around
    confirmed = {  # what else is named belongs to it
        name
        for subject in subjects
        if subject.is_identified and subject.kind is not ImageKind.MAP
        for name in subject.around - {subject.name}
    }
    places = NameSet(library.known.union(*around.values()))
    usage = _Usage(lines, places, _count_neighbours(library.captions))
    for subject in subjects:
        own = [
            (at, each)
            for at, found in enumerate(mentions)
            for each in found
            if each.name == subject.name
        ]
        bound, sure = usage.is_bound(own), subject.name in confirmed
        within = {
            at
            for at, each in own
            if bound
            or usage.is_within_name(at, each, subject.around)
            or (not sure and usage.has_apposition(at, each))
        }
        unsure = {at for at, each in own if usage.is_joined(at, each)}
        named = frozenset(at for at, _ in own) - within - unsure
        related = subject.around | {each for each in every if subject.name in around[each]}
        yield Topic(
            subject,
            named=named,
            plain=frozenset(at for at in named if said[at] <= related),
            alone=frozenset(at for at in named if said[at] <= subject.around),
            opened=frozenset(at for at, each in own if at in named and usage.opens(at, each)),
            doubtful=frozenset(within),
        )


class _Neighbours:
    """The words beside each word of some texts."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.after: dict[str, set[str]] = defaultdict(set)
        self.before: dict[str, set[str]] = defaultdict(set)
        self.lower: set[str] = set()  # words without a capital
        for words in map(tokens, texts):
            for at, token in enumerate(words):
                self.after[token.text].add(_text(_right(words, at + 1)))
                self.before[token.text].add(_text(_left(words, at)))
                if token.written[0].islower():
                    self.lower.add(token.text)


_count_neighbours = lru_cache(maxsize=2)(_Neighbours)


class _Usage:
    """An article's usage of names. The library's captions show how its language uses words."""

    def __init__(self, lines: Sequence[TopicLine], names: NameSet, captions: _Neighbours) -> None:
        self._lines = lines
        self._words = [tokens(line.text) for line in lines]
        self._names = [
            {each.first: each.name for each in find_names(line.text, names)} for line in lines
        ]
        self._own = _Neighbours([line.text for line in lines])
        self._captions = captions

    def _is_lower(self, token: Token) -> bool:
        """Return whether a word is also written without a capital."""
        return token.text in self._own.lower or token.text in self._captions.lower

    def is_bound(self, mentions: Sequence[tuple[int, Mention]]) -> bool:
        """Return whether the same word stands beside the name each time, and hardly elsewhere: *the
        Mozart effect*, 洛阳铲. Words and particles of the language stand beside many others."""
        if len(mentions) < 2:
            return False
        left = {_text(_left(self._words[at], each.first)) for at, each in mentions}
        right = {_text(_right(self._words[at], each.last)) for at, each in mentions}
        at, each = mentions[0]
        first, last = self._words[at][each.first].text, self._words[at][each.last - 1].text
        for word in left if len(left) == 1 else ():
            others = self._own.after.get(word, set()) | self._captions.after.get(word, set())
            if word and len(others - {first}) < LEAST_NEIGHBOURS:
                return True
        for word in right if len(right) == 1 else ():
            others = self._own.before.get(word, set()) | self._captions.before.get(word, set())
            if word and len(others - {last}) < LEAST_NEIGHBOURS:
                return True
        return False

    def is_within_name(self, at: int, mention: Mention, around: frozenset[str]) -> bool:
        """Return whether it is a part of a longer name, or a namesake: *Florence Nightingale*, *the
        Treaty of Nanjing*, *florence nightingale*, *Florence, Alabama*."""
        words, is_title = self._words[at], self._lines[at].is_heading
        left, right = _left(words, mention.first), _right(words, mention.last)
        if left and left.has_capital and self._is_name_part(left, mention.first - 1, is_title):
            return True
        if right and right.has_capital and not (is_title and self._is_lower(right)):
            return True
        if left and _is_particle(left) and mention.first > 2:
            before = words[mention.first - 2]
            if (
                words[mention.first - 1].continues
                and before.has_capital
                and not self._is_lower(before)
            ):
                return True
        if not is_title or (mention.first, mention.last) == (0, len(words)):
            return False
        first = words[mention.first].written[0]
        return first.islower() or self._is_elsewhere(at, mention, around)

    def is_joined(self, at: int, mention: Mention) -> bool:
        """Return whether it may go on, as *Santiago de Compostela* or *the Kaifeng–Luoyang
        railway*."""
        words = self._words[at]
        if mention.last < len(words) and _is_dash(words[mention.last].gap):
            return True
        if mention.first and _is_dash(words[mention.first].gap):
            return True
        right, beyond = _right(words, mention.last), _right(words, mention.last + 1)
        if not right or not beyond or not _is_particle(right) or not beyond.has_capital:
            return False
        return mention.last + 1 not in self._names[at]

    def has_apposition(self, at: int, mention: Mention) -> bool:
        """Return whether the assignment or the title tells after a comma what it is: *Lyon, a
        surname*."""
        rest = self._words[at][mention.last :]
        is_after_comma = bool(rest) and rest[0].gap.strip() in _COMMAS
        return self._lines[at].section is None and is_after_comma and not rest[0].has_capital

    def opens(self, at: int, mention: Mention) -> bool:
        """Return whether a sentence begins with it, but for an article."""
        start = self._words[at][: mention.first]
        return not start or (len(start) == 1 and len(start[0].text) <= MAX_PARTICLE)

    def _is_name_part(self, left: Token, position: int, is_title: bool) -> bool:
        """Return whether a capital is a name's, and not that of a sentence's first word."""
        if position and not is_title:
            return True
        return not self._is_lower(left) and (is_title or len(left.text) > MAX_PARTICLE)

    def _is_elsewhere(self, at: int, mention: Mention, around: frozenset[str]) -> bool:
        """Return whether a title goes on with a place that the name's own is not in."""
        rest = self._words[at][mention.last :]
        if not rest or rest[0].gap.strip() not in _COMMAS or not rest[0].has_capital:
            return False
        return self._names[at].get(mention.last, "") not in around


def _lines_of(article: Article) -> Iterator[TopicLine]:
    for at, section in enumerate(article.sections):
        if section.heading:
            yield TopicLine(section.heading, at)
        for sentence in pieces(section.text, ended=True):
            if len(sentence.text) <= MAX_SENTENCE:
                yield TopicLine(sentence.text, at, is_heading=False)


def _left(words: Sequence[Token], at: int) -> Token | None:
    """Return the word before position `at`, where nothing separates them."""
    if not 0 < at < len(words) or not words[at].continues:
        return None
    return None if words[at].is_unspaced and words[at].gap else words[at - 1]


def _right(words: Sequence[Token], at: int) -> Token | None:
    """Return the word at position `at`, where nothing separates it from the one before; what is
    behind an apostrophe is an ending."""
    if not 0 < at < len(words) or not words[at].continues:
        return None
    if words[at].gap and (words[at].is_unspaced or not words[at].space):
        return None
    return words[at]


def _text(token: Token | None) -> str:
    return token.text if token else ""


def _is_particle(token: Token) -> bool:
    return not token.has_capital and not token.is_unspaced and len(token.text) <= MAX_PARTICLE


def _is_dash(gap: str) -> bool:
    return (
        bool(gap)
        and not any(each.isspace() or each.isalnum() for each in gap)
        and any(each in "-‐‑–—/" for each in gap)
    )
