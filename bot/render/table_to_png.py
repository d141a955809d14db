"""Draws tables that are too wide for a code block.

Nothing here measures text: widths are estimated from the letters, a little generously, and cells
are wrapped by the estimate. The machine's fonts draw the text.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from xml.sax.saxutils import escape

import regex

from bot.render import svg_to_png
from bot.render.svg_to_png import RULE, STRIPE, RenderedImage, card, fits
from bot.render.tables import Align, Grid

_EM = 16.0
_LINE = 22.0
_PAD_X, _PAD_Y = 12.0, 8.0
_AIM = 760.0  # pixels across; cells are wrapped to come near it
_WIDEST = 26.0  # ems of a column
_LONGEST_WORD = 11.0  # ems; what is longer is cut before a column is widened for it

_PARTS = re.compile(rf"{svg_to_png.EAST_ASIAN}|\s+|[^\s\u2e80-\uffef]+|.", re.DOTALL)
_ANCHORS = {Align.LEFT: "start", Align.CENTRE: "middle", Align.RIGHT: "end"}
# Widths in ems of a common sans-serif, rounded up; other letters count as 0.6.
_WIDTHS = {
    0.33: "iljtfrI.,:;'|!()[]{}/ \u2009-",
    0.7: "ABCDEFGHKNOPQRUVXYZ&%+=<>−±",
    0.95: "mwMW@—…",
}
_WIDTH = {char: width for width, chars in _WIDTHS.items() for char in chars}


def draw_table(grid: Grid, name: str) -> RenderedImage | None:
    """Draw the table. Return None if it is too large or the machine lacks the fonts."""
    if not svg_to_png.has_glyph("a") or (
        re.search(svg_to_png.EAST_ASIAN, grid.source) and not svg_to_png.has_glyph("字")
    ):
        return None
    sheet = _TableGeometry(grid)
    if not fits(sheet.width, sheet.height):
        return None
    return RenderedImage(
        name, card("".join(sheet.elements()), sheet.width, sheet.height, fonts=True), grid.source
    )


@dataclass(frozen=True)
class _TableGeometry:
    """The positions of a table's cells in pixels."""

    grid: Grid

    @cached_property
    def _widths(self) -> list[float]:
        """Return the width of each column's text in ems."""
        columns = self.grid.columns
        widths = [min(max(map(_natural_width, column)), _WIDEST) for column in columns]
        least = [
            min(max(_longest_part(cell) for cell in column), _LONGEST_WORD) for column in columns
        ]
        room = _AIM / _EM - 2 * _PAD_X / _EM * len(widths)
        while sum(widths) > room:
            slack = [width if width > low else 0 for width, low in zip(widths, least, strict=True)]
            if not any(slack):
                break
            widest = slack.index(max(slack))
            widths[widest] = max(widths[widest] - 1, least[widest])
        return widths

    @cached_property
    def _lines(self) -> list[list[list[str]]]:
        """The lines of each cell of each row, the header first."""
        rows = (self.grid.header, *self.grid.rows)
        return [
            [list(_wrap_cell(cell, width)) for cell, width in zip(row, self._widths, strict=True)]
            for row in rows
        ]

    @cached_property
    def _lefts(self) -> list[float]:
        return [0.0, *accumulate(width * _EM + 2 * _PAD_X for width in self._widths)]

    @cached_property
    def _tops(self) -> list[float]:
        heights = (max(len(cell) for cell in row) * _LINE + 2 * _PAD_Y for row in self._lines)
        return [0.0, *accumulate(heights)]

    @property
    def width(self) -> float:
        return self._lefts[-1]

    @property
    def height(self) -> float:
        return self._tops[-1]

    def elements(self) -> Iterator[str]:
        for number, row in enumerate(self._lines):
            top, bottom = self._tops[number], self._tops[number + 1]
            if number and number % 2 == 0:
                yield (
                    f'<rect y="{top}" width="{self.width}" height="{bottom - top}" '
                    f'fill="{STRIPE}"/>'
                )
            for column, lines in enumerate(row):
                yield from self._cell(lines, column, top, bold=number == 0)
        yield (f'<rect y="{self._tops[1] - 1}" width="{self.width}" height="2" fill="{RULE}"/>')

    def _cell(self, lines: list[str], column: int, top: float, *, bold: bool) -> Iterator[str]:
        align = self.grid.aligns[column]
        left, right = self._lefts[column] + _PAD_X, self._lefts[column + 1] - _PAD_X
        across = {Align.LEFT: left, Align.CENTRE: (left + right) / 2, Align.RIGHT: right}[align]
        for number, line in enumerate(lines, start=1):
            down = top + _PAD_Y + number * _LINE - 0.3 * _LINE
            weight = ' font-weight="bold"' if bold else ""
            yield (
                f'<text x="{across}" y="{down}" font-size="{_EM}" xml:space="preserve" '
                f'text-anchor="{_ANCHORS[align]}" font-family="{svg_to_png.FAMILIES}"{weight}>'
                f"{_in_fonts(line)}</text>"
            )


def _in_fonts(line: str) -> str:
    """Set East Asian text in a font that is made for it."""
    parts = re.split(rf"({svg_to_png.EAST_ASIAN}+)", line)
    return "".join(
        f'<tspan font-family="{svg_to_png.EAST_ASIAN_FAMILIES}">{escape(part)}</tspan>'
        if number % 2
        else escape(part)
        for number, part in enumerate(parts)
    )


def _natural_width(cell: str) -> float:
    return max(_width(line) for line in cell.split("\n"))


def _longest_part(cell: str) -> float:
    return max((_width(part) for part in _PARTS.findall(cell)), default=0.0)


def _width(text: str) -> float:
    return sum(_cluster_width(cluster) for cluster in regex.findall(r"\X", text))


def _cluster_width(cluster: str) -> float:
    if cluster in _WIDTH:
        return _WIDTH[cluster]
    is_wide = cluster[0] > "\u2e7f" or (len(cluster) > 1 and cluster[0] > "\u2000")
    return 1.05 if is_wide else 0.6


def _wrap_cell(cell: str, width: float) -> Iterator[str]:
    for paragraph in cell.split("\n"):
        line = ""
        for part in _PARTS.findall(paragraph):
            for bit in _split_word(part, width):
                if line and _width((line + bit).rstrip()) > width + 0.01:
                    yield line.rstrip()
                    line = ""
                line += bit if line or not bit.isspace() else ""
        yield line.rstrip()


def _split_word(part: str, width: float) -> list[str]:
    """Split a part that is too long for a line into pieces that fit."""
    if _width(part) <= width:
        return [part]
    size = max(int(width / 0.6), 1)
    return [part[at : at + size] for at in range(0, len(part), size)]
