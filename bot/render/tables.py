"""Markdown tables, which Discord does not support, as aligned code blocks.

A character of a Chinese, Japanese or Korean font is not two columns wide in Discord's code blocks
but one em, so spaces cannot line up what follows it. So a cell is padded in kind: every cell of a
column gets as many wide characters as the widest has, by ideographic spaces, and as many narrow
ones. That lines up in every font.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from itertools import pairwise

import regex
from wcwidth import wcswidth

from bot.render.formulas import Formula, extract
from bot.render.latex_to_unicode import to_unicode
from bot.render.split import units

WIDEST_BLOCK = 44  # columns; about what a phone shows of a code block without wrapping
_BLOCK_UNITS = 1900  # of a message's 2000, so that no block is cut
_GAP = "  "
_RULE = "─"
_WIDE_SPACE = "\u3000"
_MAX_CELLS = 2000

_DELIMITER = re.compile(r"\s*(:?)-+(:?)\s*")
_CELL_TOKEN = re.compile(r"\\\||`[^`]*`|\|")
_PIPE = re.compile(r"(?<!\\)\|")
_NUMBER = re.compile(
    r"[~≈<>≤≥]?\s*+[+\-−–±]?\s*+[$€£¥]?\s*+\d[\d,.\s]*+(?:[eE][+-]?\d+)?\s*+(?:%|‰|°C?|[A-Za-zµμΩ]{1,4})?"
)
_LINK = re.compile(r"!?\[([^\[\]]*)\]\([^()]*\)")
_EMPHASIS = re.compile(r"(\*\*\*|\*\*|\*|__|~~|\|\|)(?=\S)(.{1,400}?)(?<=\S)\1")
_CODE = re.compile(r"(?<!`)`++([^`]+)`+")
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_PLACE = re.compile("\ue000(\\d+)\ue001")  # stands for a formula while Markdown is read
_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")


class Align(Enum):
    LEFT = "left"
    CENTRE = "centre"
    RIGHT = "right"


@dataclass(frozen=True)
class Grid:
    """A table's cells as plain text; every row has as many as the header."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    stated: tuple[Align | None, ...]
    source: str

    @property
    def columns(self) -> list[tuple[str, ...]]:
        return list(zip(self.header, *self.rows, strict=True))

    @cached_property
    def aligns(self) -> tuple[Align, ...]:
        """Return each column's alignment: as the table says, else numbers to the right."""
        return tuple(
            stated or (Align.RIGHT if _is_numeric(column[1:]) else Align.LEFT)
            for stated, column in zip(self.stated, self.columns, strict=True)
        )


def parse_table(source: str) -> Grid | None:
    """Parse the lines of a table. Return None if they are none."""
    header, delimiter, *rows = source.strip("\n").split("\n")
    marks = [_DELIMITER.fullmatch(cell) for cell in _cells(delimiter)]
    titles = _cells(header, len(marks))
    if len(titles) != len(marks) or len(marks) * (len(rows) + 1) > _MAX_CELLS:
        return None
    stated = tuple(_parse_alignment(mark) for mark in marks if mark)
    if len(stated) != len(marks):
        return None
    bodies = (_cells(row, len(marks)) for row in rows if row.strip())
    filled = tuple(tuple((*row, *[""] * len(marks))[: len(marks)]) for row in bodies)
    return Grid(tuple(titles), filled, stated, source)


def format_as_code(grid: Grid) -> list[str] | None:
    """Format the table as code blocks of one message each, with the header.

    Return None if it is too wide.
    """
    counts = [_CharacterCounts.most_of(column) for column in grid.columns]
    width = sum(count.columns for count in counts) + len(_GAP) * (len(counts) - 1)
    if width > WIDEST_BLOCK or any("\n" in cell for column in grid.columns for cell in column):
        return None
    head = [_line(grid.header, counts, grid.aligns), _GAP.join(count.rule for count in counts)]
    return list(_blocks(head, (_line(row, counts, grid.aligns) for row in grid.rows)))


def format_as_list(grid: Grid) -> str:
    """Format the table as a list with an item for each row, if it can be shown in no other way."""
    return "\n".join(_item(grid.header, row) for row in grid.rows)


def _item(header: Iterable[str], row: tuple[str, ...]) -> str:
    first, *others = (cell.replace("\n", " ") for cell in row)
    _, *titles = header
    details = (f"{title}: {cell}" for title, cell in zip(titles, others, strict=True) if cell)
    return f"- **{first or '—'}** — " + " · ".join(details)


def _blocks(head: list[str], rows: Iterable[str]) -> Iterator[str]:
    lines: list[str] = []
    for row in rows:
        if lines and units("\n".join([*head, *lines, row])) > _BLOCK_UNITS:
            yield _block([*head, *lines])
            lines = []
        lines.append(row)
    yield _block([*head, *lines])


def _block(lines: list[str]) -> str:
    return "```\n" + "\n".join(lines).replace("```", "'''") + "\n```"


# --- cells --------------------------------------------------------------------------------------


def _cells(line: str, expected: int = 0) -> list[str]:
    """Return the cells of a line. Pipes in code and mathematics separate cells only if cells are
    missing.

    GFM wants such pipes escaped, and models write them as they are.
    """
    inner = line.strip().removeprefix("|")
    if inner.endswith("|") and not inner.endswith("\\|"):
        inner = inner[:-1]
    cells = _split_cells(inner, list(_find_pipes(inner)))
    if len(cells) < expected:
        cells = _split_cells(inner, [pipe.start() for pipe in _PIPE.finditer(inner)])
    return [plain_cell(cell) for cell in cells]


def _find_pipes(line: str) -> Iterator[int]:
    """Yield the positions of pipes outside code and mathematics."""
    start = 0
    for segment in extract(line):
        if isinstance(segment, str):
            tokens = _CELL_TOKEN.finditer(segment)
            yield from (start + token.start() for token in tokens if token[0] == "|")
        start += len(segment if isinstance(segment, str) else segment.source)


def _split_cells(line: str, pipes: list[int]) -> list[str]:
    return [line[start + 1 : end] for start, end in pairwise([-1, *pipes, len(line)])]


def plain_cell(cell: str) -> str:
    """Return a cell without Markdown, with its mathematics in Unicode where that is exact."""
    formulas: list[str] = []
    text = ""
    for segment in extract(re.sub("[\ue000\ue001]", "", cell.strip())):
        if isinstance(segment, Formula):
            text += f"\ue000{len(formulas)}\ue001"
            line = to_unicode(segment.latex)
            formulas.append(line.text if line else segment.latex)
        else:
            text += segment
    text = _BREAK.sub("\n", text)
    text = _CODE.sub(r"\1", text)
    text = _LINK.sub(r"\1", text)
    text = _EMPHASIS.sub(r"\2", _EMPHASIS.sub(r"\2", text))
    text = _ESCAPE.sub(r"\1", text)
    text = _PLACE.sub(lambda place: formulas[int(place[1])], text)
    return "\n".join(" ".join(line.split()) for line in text.split("\n")).strip()


def _parse_alignment(mark: re.Match[str]) -> Align | None:
    if mark[1] and mark[2]:
        return Align.CENTRE
    if mark[2]:
        return Align.RIGHT
    return Align.LEFT if mark[1] else None


def _is_numeric(cells: Iterable[str]) -> bool:
    filled = [cell for cell in cells if cell and cell not in ("-", "–", "—", "N/A", "n/a")]
    return bool(filled) and all(_NUMBER.fullmatch(cell) for cell in filled)


# --- widths -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _CharacterCounts:
    """The numbers of narrow and of wide characters in a cell."""

    narrow: int
    wide: int

    @classmethod
    def of(cls, cell: str) -> "_CharacterCounts":
        widths = [max(wcswidth(cluster), 0) for cluster in regex.findall(r"\X", cell)]
        return cls(widths.count(1), sum(width >= 2 for width in widths))

    @classmethod
    def most_of(cls, cells: Iterable[str]) -> "_CharacterCounts":
        counts = [cls.of(cell) for cell in cells]
        return cls(max(c.narrow for c in counts), max(c.wide for c in counts))

    @property
    def columns(self) -> int:
        return self.narrow + 2 * self.wide

    @property
    def rule(self) -> str:
        return _RULE * self.columns


def _line(cells: tuple[str, ...], counts: list[_CharacterCounts], aligns: tuple[Align, ...]) -> str:
    padded = (_pad_cell(*cell) for cell in zip(cells, counts, aligns, strict=True))
    return _GAP.join(padded).rstrip()


def _pad_cell(cell: str, column: _CharacterCounts, align: Align) -> str:
    own = _CharacterCounts.of(cell)
    narrow, wide = column.narrow - own.narrow, column.wide - own.wide
    if align is Align.RIGHT:
        return _WIDE_SPACE * wide + " " * narrow + cell
    before = (wide // 2, narrow // 2) if align is Align.CENTRE else (0, 0)
    return (
        _WIDE_SPACE * before[0]
        + " " * before[1]
        + cell
        + " " * (narrow - before[1])
        + _WIDE_SPACE * (wide - before[0])
    )
