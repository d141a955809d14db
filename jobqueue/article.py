"""An illustrated article: what is ordered, and what comes of it.

Where nothing fits, a place for a picture stays empty and says why: no picture is better than a
wrong one.
"""

from enum import StrEnum

import msgspec

from jobqueue.errors import InvalidJob
from jobqueue.structs import Attachment, Struct, require_range

MOST_PICTURES = 15


class Kind(StrEnum):
    """What sort of picture is needed, or is there."""

    PHOTO = "photo"
    PORTRAIT = "portrait"
    MAP = "map"
    DRAWING = "drawing"
    CHART = "chart"  # of numbers that the text gives


class Need(Struct, frozen=True):
    """What a picture at some place of the text has to show."""

    caption: str
    entities: tuple[str, ...] = ()  # places, persons and works that it is about, by name
    kind: Kind | None = None  # None: any


class Why(StrEnum):
    """Why a place is without a picture."""

    NOTHING = "nothing"  # there is none about it
    ANOTHER = "another"  # the nearest ones are of another place, person or kind
    WEAK = "weak"  # the nearest ones are not near enough
    UNSURE = "unsure"  # two were as near, or none was chosen twice
    SEEN = "seen"  # whoever looked at it saw something else in it
    UNREADABLE = "unreadable"  # whoever looked gave no clear word
    REMOVED = "removed"  # a person took it away
    UNSAID = "unsaid"  # the text, written anew, no longer speaks of it


class Figure(Struct, frozen=True):
    picture: Attachment  # bytes in `jobqueue.blobs`
    caption: str
    alt: str = ""
    kind: Kind | None = None
    author: str = ""
    licence: str = ""
    source: str = ""  # where it is from, as an address or a name
    entry: str = ""  # its id in the library; empty for a person's own and for charts


class Slot(Struct, frozen=True):
    """A place for a picture, below a section's text."""

    need: Need
    figure: Figure | None = None
    why: Why | None = None  # where there is none
    detail: str = ""  # of the reason, for the operator
    candidates: tuple[Figure, ...] = ()  # others that may be about it, for a person to choose from


class Section(Struct, frozen=True):
    heading: str  # empty for the lead
    text: str  # Markdown
    slots: tuple[Slot, ...] = ()


class Article(Struct, frozen=True):
    title: str
    sections: tuple[Section, ...]
    language: str = ""  # a locale, as "en-US"

    @property
    def figures(self) -> tuple[Figure, ...]:
        slots = (slot for section in self.sections for slot in section.slots)
        return tuple(slot.figure for slot in slots if slot.figure)

    def markdown(self) -> str:
        """All of its text, and what its pictures show."""
        return "\n\n".join((f"# {self.title}", *map(_markdown, self.sections)))

    def with_section(self, at: int, section: Section) -> "Article":
        sections = (*self.sections[:at], section, *self.sections[at + 1 :])
        return msgspec.structs.replace(self, sections=sections)


def _markdown(section: Section) -> str:
    heading = [f"## {section.heading}"] if section.heading else []
    captions = [f"*{slot.figure.caption}*" for slot in section.slots if slot.figure]
    return "\n\n".join(filter(None, (*heading, section.text, *captions)))


class Length(StrEnum):
    SHORT = "short"
    MEDIUM = "medium"
    LONG = "long"


class Rework(StrEnum):
    """What is to be done about a section."""

    REWRITE = "rewrite"
    EXPAND = "expand"
    SHORTEN = "shorten"
    PICTURE = "picture"  # another one is looked for


class Change(Struct, frozen=True):
    """One section of an article is to be different; all else stays as it is."""

    article: Article
    section: int  # from 0
    rework: Rework
    wish: str = ""  # a person's own words about it
    slot: int = 0  # of the section, where it is about a picture

    def __post_init__(self) -> None:
        if not 0 <= self.section < len(self.article.sections):
            raise InvalidJob("section", "one that the article has")


class Order(Struct, frozen=True):
    """The topic, an instruction or the text to go by is the job's prompt and attachments."""

    pictures: int | None = None  # None: as many as fit
    length: Length = Length.MEDIUM
    language: str = ""  # a locale; empty: that of what was written, else of who asks
    change: Change | None = None  # of an article that is there

    def __post_init__(self) -> None:
        require_range("pictures", self.pictures, 0, MOST_PICTURES)


class Stage(StrEnum):
    PLANNING = "planning"
    WRITING = "writing"
    ILLUSTRATING = "illustrating"
