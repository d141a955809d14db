"""An illustrated article: the order for it, and its content.

If no image fits, its slot stays empty and has a reason: no image is better than a wrong one.
"""

from enum import StrEnum

import msgspec

from jobqueue.errors import InvalidJob
from jobqueue.structs import Attachment, Struct, require_range

MAX_ARTICLE_IMAGES = 15


class ImageKind(StrEnum):
    """The kind of an image."""

    PHOTO = "photo"
    PORTRAIT = "portrait"
    MAP = "map"
    DRAWING = "drawing"
    CHART = "chart"  # of numbers in the text


class ImageRequest(Struct, frozen=True):
    """The image that some place of the text needs."""

    caption: str
    entities: tuple[str, ...] = ()  # names of the places, persons and works that it shows
    kind: ImageKind | None = None  # None: any


class NoImageReason(StrEnum):
    """Why a slot has no image."""

    NOTHING = "nothing"  # the library has none about it
    ANOTHER = "another"  # the best ones show another place, person or kind
    WEAK = "weak"  # the best ones do not match well enough
    UNSURE = "unsure"  # two matched equally, or the model did not choose the same twice
    SEEN = "seen"  # the vision model saw something else in it
    UNREADABLE = "unreadable"  # the vision model gave no clear answer
    REMOVED = "removed"  # a person removed it
    UNSAID = "unsaid"  # the rewritten text no longer mentions it


class ArticleFigure(Struct, frozen=True):
    picture: Attachment  # bytes in `jobqueue.blobs`
    caption: str
    alt: str = ""
    kind: ImageKind | None = None
    author: str = ""
    licence: str = ""
    source: str = ""  # its origin, as a URL or a name
    entry: str = ""  # its id in the library; empty for a person's own image and for charts


class ImageSlot(Struct, frozen=True):
    """A place for an image, below a section's text."""

    need: ImageRequest
    figure: ArticleFigure | None = None
    why: NoImageReason | None = None  # if there is no figure
    detail: str = ""  # about the reason, for the operator
    candidates: tuple[
        ArticleFigure, ...
    ] = ()  # other images that may fit, for a person to choose from


class Section(Struct, frozen=True):
    heading: str  # empty for the lead
    text: str  # Markdown
    slots: tuple[ImageSlot, ...] = ()


class Article(Struct, frozen=True):
    title: str
    sections: tuple[Section, ...]
    language: str = ""  # a locale, as "en-US"

    @property
    def figures(self) -> tuple[ArticleFigure, ...]:
        slots = (slot for section in self.sections for slot in section.slots)
        return tuple(slot.figure for slot in slots if slot.figure)

    def markdown(self) -> str:
        """Return the whole text with the images' captions."""
        return "\n\n".join((f"# {self.title}", *map(_markdown, self.sections)))

    def with_section(self, at: int, section: Section) -> "Article":
        sections = (*self.sections[:at], section, *self.sections[at + 1 :])
        return msgspec.structs.replace(self, sections=sections)


def _markdown(section: Section) -> str:
    heading = [f"## {section.heading}"] if section.heading else []
    captions = [f"*{slot.figure.caption}*" for slot in section.slots if slot.figure]
    return "\n\n".join(filter(None, (*heading, section.text, *captions)))


class ArticleLength(StrEnum):
    SHORT = "short"
    MEDIUM = "medium"
    LONG = "long"


class Rework(StrEnum):
    """The kinds of changes to a section."""

    REWRITE = "rewrite"
    EXPAND = "expand"
    SHORTEN = "shorten"
    PICTURE = "picture"  # search another image


class SectionChange(Struct, frozen=True):
    """A change of one section of an article; the rest stays."""

    article: Article
    section: int  # from 0
    rework: Rework
    wish: str = ""  # a person's own instruction
    slot: int = 0  # of the section, if it is about an image

    def __post_init__(self) -> None:
        if not 0 <= self.section < len(self.article.sections):
            raise InvalidJob("section", "one that the article has")


class ArticleOrder(Struct, frozen=True):
    """An order of an article; the job's prompt and files have its topic or source."""

    pictures: int | None = None  # None: as many as fit
    length: ArticleLength = ArticleLength.MEDIUM
    language: str = ""  # a locale; empty: the language of the prompt, else of the user
    change: SectionChange | None = None  # of an existing article

    def __post_init__(self) -> None:
        require_range("pictures", self.pictures, 0, MAX_ARTICLE_IMAGES)


class ArticleStage(StrEnum):
    PLANNING = "planning"
    WRITING = "writing"
    ILLUSTRATING = "illustrating"
