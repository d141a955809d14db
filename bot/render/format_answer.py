r"""Formats an answer: as a draft while it streams, and with images once it is complete.

A draft is text alone (`format_draft`), and only ever grows. A complete answer becomes blocks in
reading order (`format_with_images`):

- An inline formula becomes Unicode where that is exact (`$x^2$`: x²). Otherwise **(1)** takes its
  place, and its image ends the paragraph.
- A display formula becomes a line of text if Unicode can write it, else an image in its place.
- A table becomes an aligned code block. A wide one becomes an image.
- What cannot be drawn stays as its source in a code block, and a table becomes a list. So does the
  content of a spoiler, since an image would show it.

Discord shows images below a message's text and crops several into a mosaic. So `paginate` lays the
blocks out in order: as text displays and galleries of one image each in a message of components,
else as messages that each end with an image.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

import regex

from bot.render.code_fences import discord_fences
from bot.render.emphasis import SPOILER, Emphasis, balance, find_emphasis
from bot.render.formulas import Formula, extract
from bot.render.latex_to_png import typeset
from bot.render.latex_to_unicode import to_unicode
from bot.render.link_defang import harmless_links
from bot.render.markdown_spans import MarkdownSpans
from bot.render.split import MESSAGE_UNITS, split, units
from bot.render.svg_to_png import RenderedImage
from bot.render.table_to_png import draw_table
from bot.render.tables import Grid, format_as_code, format_as_list, parse_table

# The highlighted result of a solution.
#
# A solution ends with its result: a formula in `\boxed{…}`, or a program's output in bold. A result
# that fits one line is shown in large print. Any other is drawn in its box.

SHORT_UNITS = 90  # a longer result is not shown in large print

_BOX = regex.compile(r"\\boxed\s*(?=\{)")
_BRACE = regex.compile(r"[{}]")
_DISPLAY = "$$"
_PRINTED = regex.compile(r"\*\*([^\n]+)\*\*")
_CODE = regex.compile(r"[`~]{3,}")
_MARKUP = regex.compile(r"[*_~|`]")
_ESCAPED = r"\\\g<0>"
_STANDS_ALONE = regex.compile(r"\A(?:[#>|]|[-*] )|\$\$|\\\[|\\begin")


def highlight_result(text: str) -> str:
    """Return the answer with its result as a quotation, in large print if it is one short line."""
    text = text.strip()
    words, _, last = text.rpartition("\n\n")
    if (result := _result(last)) is None:
        return _highlight_all(_with_formulas(text))
    return f"{_with_formulas(words)}\n\n{result}" if words else result


def _result(paragraph: str) -> str | None:
    if (latex := _boxed_content(paragraph)) is not None:
        line = to_unicode(latex)
        reads_the_same = line is not None and line.flat and len(line.text) <= SHORT_UNITS
        return rf"> ## \({latex}\)" if reads_the_same else paragraph
    printed = _PRINTED.fullmatch(paragraph)
    if printed is None or units(paragraph) > SHORT_UNITS:
        return None
    is_plain = "$" not in printed[1] and "\\" not in printed[1]
    return f"> ## {_MARKUP.sub(_ESCAPED, printed[1]) if is_plain else printed[1]}"


def _highlight_all(text: str) -> str:
    if _CODE.search(text):
        return text  # a block of code stands apart by itself
    is_short = "\n" not in text and units(text) <= SHORT_UNITS
    if is_short and not _STANDS_ALONE.search(text):
        return f"> ## {text}"
    return "\n".join(f"> {line}" for line in text.split("\n"))


def _with_formulas(text: str) -> str:
    """Remove boxes outside of formulas. A box with words becomes bold."""
    return "".join(
        segment.source if isinstance(segment, Formula) else _without_boxes(segment)
        for segment in extract(text)
    )


def _without_boxes(text: str) -> str:
    pieces, done = [], 0
    for start, opening, closing in _boxes(text):
        if start >= done:
            pieces += [text[done:start], _formula(text[opening + 1 : closing].strip())]
            done = closing + 1
    return "".join((*pieces, text[done:]))


def _boxed_content(paragraph: str) -> str | None:
    """Return the content of a box that is a whole display formula."""
    if not (paragraph.startswith(_DISPLAY) and paragraph.endswith(_DISPLAY)):
        return None
    formula = paragraph[len(_DISPLAY) : -len(_DISPLAY)].strip()
    start, opening, closing = next(_boxes(formula), (-1, 0, 0))
    is_all = start == 0 and closing == len(formula) - 1
    return formula[opening + 1 : closing].strip() if is_all else None


def _boxes(text: str) -> Iterator[tuple[int, int, int]]:
    """Yield the start of each box and the positions of its braces."""
    closings: dict[int, int] = {}
    openings: list[int] = []
    for brace in _BRACE.finditer(text):
        if brace[0] == "{":
            openings.append(brace.start())
        elif openings:
            closings[openings.pop()] = brace.start()
    for box in _BOX.finditer(text):
        if box.end() in closings:
            yield box.start(), box.end(), closings[box.end()]


def _formula(inside: str) -> str:
    is_formula = any(isinstance(segment, Formula) for segment in extract(f"${inside}$"))
    return f"${inside}$" if is_formula else f"**{inside}**"


MAX_PICTURES = 20  # in one answer; further formulas stay source
_LONGEST_LINE = 48  # of a display formula written as text
_INDENT = "\u2003\u2003"  # Discord keeps these, and would not keep spaces

_MARKDOWN = re.compile(r"([\\*_~|`<>\[\]#])")
_MAY_NEED_IMAGES = re.compile(r"[$|]|\\[(\[]|\\begin")
_PARAGRAPH_END = re.compile(r"(\n[ ]*\n|\n(?=[ >]*```))")
# The rest of a line whose formula became an image: markup without text.
_EMPTY_LINE = re.compile(r"(?:\n|\A)(?:[> ]|[-+][ ]|\#{1,3}[ ]|[*_~|]++)*+\Z")
_QUOTE = re.compile(r"(?:> )*")
# An empty line of a quotation, a list or a heading.
_LINE_START = re.compile(r"(?:(?:>{1,3}|[-*+]|\d{1,9}[.)]|\#{1,3}|-\#)[ ])*[*_~|]*")
_EMPTY_END = re.compile(r"\n[> ]*\Z")
_FULL_STOP = re.compile(r"[ ]*[.,;。，；](?=[*_~|]*(?:\s|\Z))")

Block = str | RenderedImage


@dataclass(frozen=True)
class _SeparateText:
    """Text that does not continue the line before it: a formula's line, or a block of code."""

    text: str
    is_block: bool = False


@dataclass(frozen=True)
class FormattedAnswer:
    """An answer's texts and images in reading order."""

    blocks: tuple[Block, ...]
    has_formulas: bool = False  # its source contains formulas

    @property
    def text(self) -> str:
        return "\n\n".join(block for block in self.blocks if isinstance(block, str))

    @property
    def pictures(self) -> tuple[RenderedImage, ...]:
        return tuple(block for block in self.blocks if isinstance(block, RenderedImage))

    def with_header(self, line: str) -> "FormattedAnswer":
        """Return the answer with a line above it, in the same block where it begins with text."""
        first = self.blocks[0] if self.blocks else None
        if isinstance(first, str):
            return replace(self, blocks=(stack(line, first), *self.blocks[1:]))
        return replace(self, blocks=(line, *self.blocks))

    def with_images_below(self, pictures: "Iterable[RenderedImage]") -> "FormattedAnswer":
        """Return the answer with pictures below it."""
        return replace(self, blocks=(*self.blocks, *pictures))


def stack(*texts: str) -> str:
    """Join the non-empty texts by lines. Two quotations stay separate."""
    whole = ""
    for text in filter(None, texts):
        quotes_on = text.startswith("> ") and whole.rpartition("\n")[2].startswith("> ")
        whole = "\n\n".join((whole, text)) if quotes_on else "\n".join(filter(None, (whole, text)))
    return whole


def format_draft(text: str) -> str:
    """Format an answer that is still being written: only what will not change."""
    return harmless_links(discord_fences(text, complete=False))


def format_as_text(text: str) -> FormattedAnswer:
    """Format a complete answer as text alone."""
    shown = harmless_links(discord_fences(text, complete=True))
    return FormattedAnswer((shown,) if shown else ())


def may_need_images(text: str) -> bool:
    """Return whether images could show more than `format_as_text`. Drawing takes time."""
    return _MAY_NEED_IMAGES.search(text) is not None


def format_with_images(text: str) -> FormattedAnswer:
    """Format a complete answer as text and images. Each formula and table takes milliseconds."""
    plain = discord_fences(text, complete=True)
    builder = _BlockBuilder()
    marks = MarkdownSpans(plain)
    done = 0
    for table in marks.tables:
        grid = parse_table(plain[table.start : table.end])
        if grid is not None:
            builder.add_prose(plain[done : table.start])
            builder.add_table(grid)
            done = table.end
    builder.add_prose(plain[done:])
    return FormattedAnswer(tuple(_tidy(builder.balance())), builder.formulas)


def paginate(
    answer: FormattedAnswer, *, limit: int = MESSAGE_UNITS, pictures: int = 1
) -> list[tuple[Block, ...]]:
    """Return the blocks of each message: at most `limit` units of text and `pictures` images.

    With one picture a page, every page ends with its picture, as a plain message shows it. A
    message of components takes 4000 units and 10 pictures, since it carries 10 files.
    """
    result: list[list[Block]] = []
    for block in _cut(answer.blocks, limit):
        if not result or not _has_room(result[-1], block, limit, pictures):
            result.append([])
        result[-1].append(block)
    return [tuple(page) for page in result]


def _has_room(page: list[Block], block: Block, limit: int, pictures: int) -> bool:
    shown = sum(isinstance(other, RenderedImage) for other in page)
    if isinstance(block, RenderedImage):
        return shown < pictures
    # Two texts of a message are separated by a line end.
    written = sum(units(other) + 1 for other in page if isinstance(other, str))
    is_ended = shown > 0 and pictures == 1
    return not is_ended and written + units(block) <= limit


def _cut(blocks: Iterable[Block], limit: int) -> Iterator[Block]:
    for block in blocks:
        if isinstance(block, RenderedImage):
            yield block
        else:
            yield from (piece.content for piece in split(block, limit) if piece.body.strip())


@dataclass
class _BlockBuilder:
    """A builder of one answer's blocks."""

    blocks: list[Block | _SeparateText] = field(default_factory=list)
    formulas: bool = False
    drawn: int = 0
    labelled: int = 0
    pending: list[RenderedImage] = field(default_factory=list)  # for the end of their paragraph

    def add_table(self, grid: Grid) -> None:
        if (blocks := format_as_code(grid)) is not None:
            self.blocks.append(_SeparateText("\n".join(blocks) + "\n", is_block=True))
        elif picture := self._can_draw() and draw_table(grid, self._next_name("table")):
            self._add_image(picture)
        else:
            self._add_text(format_as_list(grid) + "\n")

    def add_prose(self, text: str) -> None:
        emphasis = replace(find_emphasis(text), unclosed=())  # the answer is whole
        at = 0
        quote: str | None = None  # of the line that a formula on display divided
        for segment in extract(text):
            end = at + len(segment if isinstance(segment, str) else segment.source)
            if isinstance(segment, Formula):
                is_hidden = SPOILER in emphasis.open_at(at) or _is_between_bars(text, at, end)
                quote = self._quote() if segment.display and not is_hidden else None
                if quote is None:
                    self._add_inline_formula(segment, emphasis.open_at(at), is_hidden)
                else:
                    self._add_display_formula(segment)
                self.formulas = True
            elif quote is None:
                self._add_paragraphs(segment)
            else:
                marks, words = _split_after_display(text, at, end, emphasis)
                self._add_text(marks)
                self._add_paragraphs(words if words.startswith("\n") else f"\n{quote}{words}")
                quote = None
            at = end
        self._flush()

    def _add_paragraphs(self, text: str) -> None:
        here, *elsewhere = _PARAGRAPH_END.split(text, 1)
        self._add_text(here)
        if elsewhere:
            self._flush()
            self._add_text("".join(elsewhere))

    def _add_display_formula(self, formula: Formula) -> None:
        line = to_unicode(formula.latex)
        if line and line.flat and len(line.text) <= _LONGEST_LINE:
            self._add_line(f"{_INDENT}{escape_markdown(line.text)}")
        elif picture := self._typeset(formula.latex, formula.latex):
            self._add_image(picture)
        else:
            self.blocks.append(_SeparateText(f"\n```latex\n{formula.latex}\n```", is_block=True))

    def _add_inline_formula(self, formula: Formula, marks: list[str], is_hidden: bool) -> None:
        if line := to_unicode(formula.latex):
            self._add_text(escape_markdown(line.text))
            return
        label = self.labelled + 1
        numbered = rf"({label})\quad {formula.latex}"
        picture = None if is_hidden else self._typeset(numbered, formula.latex)
        if picture is None:
            self._add_text(_inline_code(formula.latex))
            return
        self.labelled = label
        self.pending.append(picture)
        is_starred = "*" in marks or "**" in marks
        self._add_text(f"({label})" if is_starred else f"**({label})**")

    def _typeset(self, latex: str, source: str) -> RenderedImage | None:
        if not self._can_draw():
            return None
        picture = typeset(latex, self._next_name("formula"))
        return picture and RenderedImage(picture.name, picture.png, source)

    def _can_draw(self) -> bool:
        return self.drawn + len(self.pending) < MAX_PICTURES

    def _next_name(self, what: str) -> str:
        return f"{what}-{self.drawn + len(self.pending) + 1}.png"

    def _add_text(self, text: str) -> None:
        if self.blocks and isinstance(self.blocks[-1], str):
            self.blocks[-1] += text
        else:
            self.blocks.append(text)

    def _add_line(self, line: str) -> None:
        last = self.blocks[-1] if self.blocks else ""
        is_at_start = isinstance(last, str) and _LINE_START.fullmatch(_last_line(last))
        if not is_at_start and not isinstance(last, RenderedImage):
            line = f"\n{self._quote()}{line}"
        self.blocks.append(_SeparateText(line))

    def _quote(self) -> str:
        """Return the quotation marks at the beginning of the last line."""
        last = self.blocks[-1] if self.blocks else ""
        quote = _QUOTE.match(_last_line(last)) if isinstance(last, str) else None
        return quote[0] if quote else ""

    def _add_image(self, picture: RenderedImage) -> None:
        self.blocks.append(picture)
        self.drawn += 1

    def _flush(self) -> None:
        for picture in self.pending:
            self._add_image(picture)
        self.pending = []

    def balance(self) -> Iterator[Block]:
        """Yield the blocks; each text closes the markup that it opens."""
        texts = [""]
        between: list[RenderedImage | _SeparateText] = []
        for block in self.blocks:
            if isinstance(block, str):
                texts[-1] += block
            else:
                between.append(block)
                texts.append("")
        first, *others = balance(texts)
        text = first
        for block, after in zip(between, others, strict=True):
            if isinstance(block, RenderedImage):
                yield _EMPTY_LINE.sub("", text)
                yield block
                text = after
            elif block.is_block:
                text = _EMPTY_LINE.sub("", text) + block.text + after
            else:
                text += block.text + after
        yield text


def _tidy(blocks: Iterable[Block]) -> Iterator[Block]:
    """Yield the blocks without empty lines around images, and with honest links: a formula that
    became text may have made a link."""
    for block in blocks:
        if isinstance(block, RenderedImage):
            yield block
        elif text := _EMPTY_END.sub("", block.strip("\n")).rstrip():
            yield harmless_links(text)


def _split_after_display(text: str, at: int, end: int, emphasis: Emphasis) -> tuple[str, str]:
    """Split the text after a display formula into closing marks and words, without a full stop."""
    marks = ""
    is_stopped = False
    while True:
        if mark := emphasis.closed_at.get(at):
            marks += mark
            at += len(mark)
        elif not is_stopped and (stop := _FULL_STOP.match(text, at, end)):
            at, is_stopped = stop.end(), True
        else:
            return marks, text[at:end].lstrip(" ")


def _is_between_bars(text: str, start: int, end: int) -> bool:
    """Return whether it is hidden in a spoiler of its own that has spaces within."""
    before, after = text[max(start - 9, 0) : start], text[end : end + 9]
    return before.rstrip().endswith(SPOILER) and after.lstrip().startswith(SPOILER)


def _last_line(text: str) -> str:
    return text[text.rfind("\n") + 1 :]


def escape_markdown(text: str) -> str:
    """Escape all markup in the text."""
    return _MARKDOWN.sub(r"\\\1", text)


def _inline_code(latex: str) -> str:
    shown = " ".join(latex.split())
    return f"``{shown}``" if "`" in shown else f"`{shown}`"
