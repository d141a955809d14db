r"""What an answer looks like: while it streams, and once it is whole.

While it streams it is text alone (`draft`), which only ever grows. Once it is whole (`dress`) it
becomes blocks in reading order:

- a formula in a line becomes Unicode where that is exact (`$x^2$`: x²);
- a formula on display that reads the same on a line becomes a line, any other a picture where it
  stood; one in a line that has no exact line becomes **(1)**, and its picture ends the paragraph;
- a table becomes an aligned block, a wide one a picture;
- what cannot be drawn stays as its source, in a code block, and a table as a list.

Discord shows pictures under a message's text, and crops several into a mosaic. So blocks are to be
laid out in order: as text displays and galleries of one picture each where a message is made of
components, else as messages that each end with a picture. `pages` does both.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from bot.render.fences import discord_fences
from bot.render.formulas import Formula, extract
from bot.render.linear import linear
from bot.render.links import harmless_links
from bot.render.marks import Marks
from bot.render.picture import Picture
from bot.render.split import MESSAGE_UNITS, split, units
from bot.render.table_picture import draw
from bot.render.tables import Grid, aligned, listed, parse
from bot.render.typeset import typeset

MAX_PICTURES = 20  # in one answer; further formulas stay source
_LONGEST_LINE = 48  # of a display formula written as text
_INDENT = "\u2003\u2003"  # Discord keeps these, and would not keep spaces

_MARKDOWN = re.compile(r"([\\*_~|`<>\[\]#])")
_MAY_NEED_DRESSING = re.compile(r"[$|]|\\[(\[]|\\begin")
_PARAGRAPH_END = re.compile(r"(\n[ ]*\n|\n(?=[ >]*```))")
_EMPTY_QUOTE = re.compile(r"(?:\n|\A)[> ]+\Z")
_TRAILING_MARK = re.compile(r"\A[ ]*[.,;。，；](?=\s|\Z)")

Block = str | Picture


@dataclass(frozen=True)
class Dressed:
    """An answer's texts and pictures in reading order."""

    blocks: tuple[Block, ...]
    formulas: bool = False  # whether its source has mathematics

    @property
    def text(self) -> str:
        return "\n\n".join(block for block in self.blocks if isinstance(block, str))

    @property
    def pictures(self) -> tuple[Picture, ...]:
        return tuple(block for block in self.blocks if isinstance(block, Picture))

    def under(self, line: str) -> "Dressed":
        """With a line above it, in the same block where it begins with text."""
        first = self.blocks[0] if self.blocks else None
        if isinstance(first, str):
            return replace(self, blocks=(stacked(line, first), *self.blocks[1:]))
        return replace(self, blocks=(line, *self.blocks))

    def over(self, pictures: "Iterable[Picture]") -> "Dressed":
        """With pictures below it."""
        return replace(self, blocks=(*self.blocks, *pictures))


def stacked(*texts: str) -> str:
    """One under the other, without empty ones; a quotation under another stays one of its own."""
    whole = ""
    for text in filter(None, texts):
        quotes_on = text.startswith("> ") and whole.rpartition("\n")[2].startswith("> ")
        whole = "\n\n".join((whole, text)) if quotes_on else "\n".join(filter(None, (whole, text)))
    return whole


def draft(text: str) -> str:
    """What is shown of an answer that is still being written: no more than what stays."""
    return harmless_links(discord_fences(text, complete=False))


def undressed(text: str) -> Dressed:
    """A whole answer as text alone."""
    shown = harmless_links(discord_fences(text, complete=True))
    return Dressed((shown,) if shown else ())


def needs_dressing(text: str) -> bool:
    """Whether dressing could show more than `undressed`; drawing takes time."""
    return _MAY_NEED_DRESSING.search(text) is not None


def dress(text: str) -> Dressed:
    """A whole answer as text and pictures. Takes milliseconds for each formula and table."""
    plain = discord_fences(text, complete=True)
    wardrobe = _Wardrobe()
    marks = Marks(plain)
    done = 0
    for table in marks.tables:
        grid = parse(plain[table.start : table.end])
        if grid is not None:
            wardrobe.prose(plain[done : table.start])
            wardrobe.table(grid)
            done = table.end
    wardrobe.prose(plain[done:])
    return Dressed(tuple(_tidy(wardrobe.blocks)), wardrobe.formulas)


def pages(
    dressed: Dressed, *, limit: int = MESSAGE_UNITS, pictures: int = 1
) -> list[tuple[Block, ...]]:
    """The blocks of each message: at most `limit` units of text and so many pictures.

    With one picture a page, every page ends with its picture, as a plain message shows it. A
    message of components takes 4000 units and 10 pictures, since it carries 10 files.
    """
    result: list[list[Block]] = []
    for block in _cut(dressed.blocks, limit):
        if not result or not _has_room(result[-1], block, limit, pictures):
            result.append([])
        result[-1].append(block)
    return [tuple(page) for page in result]


def _has_room(page: list[Block], block: Block, limit: int, pictures: int) -> bool:
    shown = sum(isinstance(other, Picture) for other in page)
    if isinstance(block, Picture):
        return shown < pictures
    written = sum(units(other) for other in page if isinstance(other, str))
    is_ended = shown > 0 and pictures == 1
    return not is_ended and written + units(block) <= limit


def _cut(blocks: Iterable[Block], limit: int) -> Iterator[Block]:
    for block in blocks:
        if isinstance(block, Picture):
            yield block
        else:
            yield from (piece.content for piece in split(block, limit) if piece.body.strip())


@dataclass
class _Wardrobe:
    """Gathers the blocks of one answer."""

    blocks: list[Block] = field(default_factory=list)
    formulas: bool = False
    drawn: int = 0
    labelled: int = 0
    waiting: list[Picture] = field(default_factory=list)  # for the end of their paragraph

    def table(self, grid: Grid) -> None:
        if (blocks := aligned(grid)) is not None:
            self._say("\n".join(blocks) + "\n")
        elif picture := self._room() and draw(grid, self._name("table")):
            self._show(picture)
        else:
            self._say(listed(grid) + "\n")

    def prose(self, text: str) -> None:
        follows_display = False
        for segment in extract(text):
            if isinstance(segment, str):
                self._paragraphs(_below(segment) if follows_display else segment)
            elif segment.display:
                self._display(segment)
            else:
                self._inline(segment)
            self.formulas = self.formulas or isinstance(segment, Formula)
            follows_display = isinstance(segment, Formula) and segment.display
        self._flush()

    def _paragraphs(self, text: str) -> None:
        here, *elsewhere = _PARAGRAPH_END.split(text, 1)
        self._say(here)
        if elsewhere:
            self._flush()
            self._say("".join(elsewhere))

    def _display(self, formula: Formula) -> None:
        line = linear(formula.latex)
        if line and line.flat and len(line.text) <= _LONGEST_LINE:
            quote = "> " if self._is_quoting() else ""
            self._say_below(f"{quote}{_INDENT}{escaped(line.text)}")
        elif picture := self._typeset(formula.latex, formula.latex):
            self._show(picture)
        else:
            self._say_below(f"```latex\n{formula.latex}\n```")

    def _inline(self, formula: Formula) -> None:
        if line := linear(formula.latex):
            self._say(escaped(line.text))
            return
        label = self.labelled + 1
        picture = self._typeset(rf"({label})\quad {formula.latex}", formula.latex)
        if picture is None:
            self._say(_code(formula.latex))
            return
        self.labelled = label
        self.waiting.append(picture)
        self._say(f"**({label})**")

    def _typeset(self, latex: str, source: str) -> Picture | None:
        if not self._room():
            return None
        picture = typeset(latex, self._name("formula"))
        return picture and Picture(picture.name, picture.png, source)

    def _room(self) -> bool:
        return self.drawn + len(self.waiting) < MAX_PICTURES

    def _name(self, what: str) -> str:
        return f"{what}-{self.drawn + len(self.waiting) + 1}.png"

    def _say(self, text: str) -> None:
        if self.blocks and isinstance(self.blocks[-1], str):
            self.blocks[-1] += text
        else:
            self.blocks.append(text)

    def _say_below(self, line: str) -> None:
        last = self.blocks[-1] if self.blocks else ""
        is_at_start = not isinstance(last, str) or last == "" or last.endswith("\n")
        self._say(line if is_at_start else f"\n{line}")

    def _is_quoting(self) -> bool:
        last = self.blocks[-1] if self.blocks else ""
        return isinstance(last, str) and last.rpartition("\n")[2].startswith("> ")

    def _show(self, picture: Picture) -> None:
        if self.blocks and isinstance(self.blocks[-1], str):
            self.blocks[-1] = _EMPTY_QUOTE.sub("", self.blocks[-1])
        self.blocks.append(picture)
        self.drawn += 1

    def _flush(self) -> None:
        for picture in self.waiting:
            self._show(picture)
        self.waiting = []


def _tidy(blocks: list[Block]) -> Iterator[Block]:
    """Texts without the empty lines that are left around pictures, and with links that lead where
    they seem to: a formula that became text may have made one."""
    for block in blocks:
        if isinstance(block, Picture):
            yield block
        elif text := block.strip("\n").rstrip():
            yield harmless_links(text)


def _below(text: str) -> str:
    """Text that follows a formula on display, on a line of its own and without a lone full stop."""
    text = _TRAILING_MARK.sub("", text, 1)
    return text if text.startswith("\n") else f"\n{text.lstrip(' ')}"


def escaped(text: str) -> str:
    """Nothing in it is markup."""
    return _MARKDOWN.sub(r"\\\1", text)


def _code(latex: str) -> str:
    shown = " ".join(latex.split())
    return f"``{shown}``" if "`" in shown else f"`{shown}`"
