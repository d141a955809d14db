"""A message made of Discord's newer components: texts and pictures in reading order.

https://discord.com/developers/docs/components/reference: 40 components and 4,000 characters of
text in a message, nested ones and buttons included, and 10 files. Room is left for what comes
below: a card or a line of notes, and the buttons.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

from bot.render.split import split, units
from bot.render.svg_to_png import RenderedImage

MOST_PARTS = 26
MOST_UNITS = 3_500
MOST_FILES = 10
MOST_BYTES = 20 << 20  # of one request


class Gap(Enum):
    """Room between sections."""

    GAP = "gap"


GAP = Gap.GAP
Part = str | RenderedImage | Gap


@dataclass(frozen=True)
class Layout:
    parts: tuple[Part, ...] = ()

    @property
    def pictures(self) -> tuple[RenderedImage, ...]:
        return tuple(part for part in self.parts if isinstance(part, RenderedImage))

    @property
    def units(self) -> int:
        return sum(units(part) for part in self.parts if isinstance(part, str))

    @property
    def bytes(self) -> int:
        return sum(len(picture.png) for picture in self.pictures)

    @property
    def fits(self) -> bool:
        return (
            len(self.parts) <= MOST_PARTS
            and self.units <= MOST_UNITS
            and len(self.pictures) <= MOST_FILES
            and self.bytes <= MOST_BYTES
        )

    def __add__(self, other: "Layout") -> "Layout":
        return Layout((*self.parts, *other.parts))

    def without_leading_space(self) -> "Layout":
        """Return the layout without a gap at its beginning."""
        begins_with_room = self.parts[:1] == (GAP,)
        return Layout(self.parts[1:]) if begins_with_room else self

    def without_pictures(self) -> "Layout":
        """Return the layout as text alone; it already contains the captions."""
        return Layout(tuple(part for part in self.parts if not isinstance(part, RenderedImage)))


def pack(groups: Iterable[Layout]) -> list[Layout]:
    """Pack groups into few messages. A group stays in one message where it fits into any."""
    pages: list[Layout] = []
    for group in groups:
        pieces = [group] if group.fits else [Layout((part,)) for part in _cut(group.parts)]
        for piece in pieces:
            if pages and (joined := pages[-1] + piece).fits:
                pages[-1] = joined
            elif parts := piece.without_leading_space().parts:
                pages.append(Layout(parts))
    return pages


def _cut(parts: Iterable[Part]) -> Iterator[Part]:
    for part in parts:
        if not isinstance(part, str):
            yield part
        else:
            yield from (piece.content for piece in split(part, MOST_UNITS) if piece.body.strip())
