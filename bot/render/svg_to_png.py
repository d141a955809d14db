"""Draws SVG as PNG pictures.

A picture lies on a card of its own colour, light on dark, and so reads the same on Discord's dark
and light themes; transparent pictures are grey on one of them or vanish on the other.
"""

import math
from dataclasses import dataclass
from functools import cache
from xml.sax.saxutils import escape

import resvg_py

# The characters that the machine's fonts can draw.

# Ideographs, kana, Hangul and their punctuation.
EAST_ASIAN = (
    "[\u2e80-\u303f\u3040-\u30ff\u3130-\u318f\u31f0-\u9fff\uac00-\ud7a3\uf900-\ufaff\uff00-\uffef]"
)

# The first installed font is used. Single characters may come from other fonts.
FAMILIES = (
    "Noto Sans, Noto Sans CJK SC, DejaVu Sans, Liberation Sans, WenQuanYi Micro Hei, PingFang SC, "
    "Microsoft YaHei, Helvetica, Arial, sans-serif"
)
EAST_ASIAN_FAMILIES = (
    "Noto Sans CJK SC, Noto Sans SC, Source Han Sans SC, WenQuanYi Micro Hei, WenQuanYi Zen Hei, "
    "PingFang SC, Microsoft YaHei, Droid Sans Fallback, sans-serif"
)
_NO_CHARACTER = "\U0010fffe"


@cache
def has_glyph(char: str) -> bool:
    """Return whether some installed font has `char`. It is drawn once to find out."""
    return _draw_char(char) not in (_draw_char(" "), _draw_char(_NO_CHARACTER))


def _draw_char(char: str) -> bytes:
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" width="20" height="20">'
        f'<text y="16" font-size="16" font-family="{FAMILIES}">{escape(char)}</text></svg>'
    )
    return bytes(resvg_py.svg_to_bytes(svg_string=svg))


INK = "#f2f3f5"
CARD = "#2b2d31"
RULE = "#4e5058"
STRIPE = "#36393f"

_RADIUS = 8
_MAX_ALT = 1024  # Discord's limit for an attachment's description
# Discord shrinks wider images to a message's width, and the text becomes too small.
MAX_SIDE = 2400
MAX_AREA = 2_000_000


@dataclass(frozen=True)
class RenderedImage:
    """A PNG to attach; `source` is what it was made from, for whoever wants to copy that."""

    name: str
    png: bytes
    source: str

    @property
    def alt(self) -> str:
        return self.source if len(self.source) <= _MAX_ALT else self.source[: _MAX_ALT - 1] + "…"


def fits(width: float, height: float) -> bool:
    """Return whether a picture of so many pixels is worth drawing."""
    return max(width, height) <= MAX_SIDE and width * height <= MAX_AREA


def card(drawing: str, width: float, height: float, *, fonts: bool = False) -> bytes:
    """Draw SVG elements on a card of `width` × `height` pixels, as PNG.

    Args:
        fonts: whether the drawing has text, for which the machine's fonts are then loaded.

    Raises:
        ValueError: if the drawing is no SVG.
    """
    across, down = math.ceil(width), math.ceil(height)
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{across}" height="{down}">'
        f'<clipPath id="card"><rect width="{across}" height="{down}" rx="{_RADIUS}"/></clipPath>'
        f'<g clip-path="url(#card)" fill="{INK}" color="{INK}">'
        f'<rect width="{across}" height="{down}" fill="{CARD}"/>{drawing}</g></svg>'
    )
    return bytes(resvg_py.svg_to_bytes(svg_string=svg, skip_system_fonts=not fonts))
