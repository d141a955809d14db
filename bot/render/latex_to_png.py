r"""LaTeX formulas as pictures.

`mathra` lays out LaTeX as SVG in under a millisecond, without a TeX installation, and tells what it
did not understand; such a formula is not drawn, since a wrong formula is worse than its source.
(matplotlib's mathtext knows no matrices, cases or aligned lines; ziamath is tens of times slower
and silent about what it skips; Typst would run what a model writes as a program.)

Its font has no Chinese, Japanese or Korean. Each such character is therefore laid out as an arrow
of just that width, and the arrow's place is then taken by the character from the machine's fonts.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

import mathra

from bot.render import svg_to_png
from bot.render.svg_to_png import INK, RenderedImage, card, fits

# The rows of LaTeX's matrices, cases and aligned lines, as every typesetter reads them.
#
# The typesetter reads brackets after `\\` as a length, and puts no space between rows. A converter
# to MathML reads a length as mathematics. `normalize_rows` removes lengths and protects brackets.
# `space_rows` gives each row a strut that is a little higher and deeper than the row.

Measure = Callable[[str, bool], tuple[float, float]]

_HALF_GAP = 150  # thousandths of an em, above and below what is in a row
_PLAIN_HEIGHT, _PLAIN_DEPTH = 840, 340  # of a row of letters, as TeX's strut is

_LENGTH = r"""
    \[ \s*+ [-+]?+ \s*+ (?: \d{1,6} (?:[.,]\d{0,6})? | [.,]\d{1,6} )?+ \s*+
    (?: pt|pc|in|bp|cm|mm|dd|cc|sp|ex|em|mu|px|\\[A-Za-z]*(?:skip|amount|jot|height)\b )
    (?: \s++ (?:plus|minus) \s++ [\d.]{1,9} \s*+ (?:pt|ex|em|mm|cm|mu|fill?) )*+ \s*+ \]
"""
_BRACES = r"\s*+\{(?:[^{}]|\{[^{}]*\})*\}"
_NAME = r"(?P<name>[A-Za-z]+\*?)"
_TAKES_ARGUMENT = {"array", "tabular", "subarray", "alignat", "alignat*", "alignedat", "xalignat"}
_IS_PLACED = {"aligned", "alignedat", "gathered", "array", "tabular", "split", "multlined"}
_BRACKET = re.compile(r"\s*+\[")
_ROW_OR_ENVIRONMENT = re.compile(
    rf"(?P<row>\\\\\*?)(?:\s*+{_LENGTH})?+ | \\begin\{{{_NAME}\}} | \\.", re.VERBOSE | re.DOTALL
)
_PLACE = re.compile(r"\s*+\[[tbc]\]")
_COLUMNS = re.compile(r"\s*+\[[lcr]\]")
_ARGUMENT = re.compile(_BRACES)

_MARK = re.compile(
    rf"\\begin\{{{_NAME}\}}|\\end\{{(?P<ended>[A-Za-z]+\*?)\}}|(?P<row>\\\\|\\cr(?![A-Za-z]))"
    r"|\\[A-Za-z]+|\\.|[{}&]|[^\\{}&]+|\\",
    re.DOTALL,
)
# The separator of two rows, at the beginning of the second.
_BETWEEN_ROWS = re.compile(
    r"\\(?:hline|hdashline|toprule|midrule|bottomrule|cline\s*+\{[^{}]*\}"
    r"|(?:short)?intertext\s*+\{[^{}]*\})(?![A-Za-z])"
)
_DIAGRAMS = {"tikzcd", "CD"}
_DISPLAYS = re.compile(r"(?:align|gather|split|multline|eqnarray|flalign|equation)\w*\*?")
_IN_SCRIPT_SIZE = {"smallmatrix", "smallmatrix*", "subarray", r"\substack"}
_SCRIPT_SCALE = 1.45  # `\dfrac` is as large in a script as outside
# Commands whose argument is rows.
_STACKS = {
    r"\substack", r"\matrix", r"\pmatrix", r"\bordermatrix", r"\cases", r"\eqalign",
    r"\displaylines",
}  # fmt: skip


def normalize_rows(latex: str) -> str:
    r"""Return `latex` without the options of its rows; what begins a row with `[` is kept.

    Only a length is an option of `\\`, and only one letter is one of `\begin{aligned}`.
    """
    written: list[str] = []
    at = 0
    while found := _ROW_OR_ENVIRONMENT.search(latex, at):
        written.append(latex[at : found.start()])
        at = found.end()
        if found["row"]:
            written.append("\\\\ ")  # with a space, since mathra reads `a\\b` as `\b` escaped twice
        elif name := found["name"]:
            arguments, at = _environment_arguments(latex, name, at)
            written.append(found[0] + arguments)
        else:
            written.append(found[0])
            continue
        if _BRACKET.match(latex, at):
            written.append("{}")
    return "".join(written) + latex[at:]


def _environment_arguments(latex: str, name: str, at: int) -> tuple[str, int]:
    """Return the arguments of the environment that begins before `at`, and where they end."""
    arguments = ""
    if name in _IS_PLACED and (place := _PLACE.match(latex, at)):
        at = place.end()
    if name.endswith("*") and (columns := _COLUMNS.match(latex, at)):
        arguments, at = columns[0], columns.end()
    if name in _TAKES_ARGUMENT and (argument := _ARGUMENT.match(latex, at)):
        arguments, at = arguments + argument[0], argument.end()
    return arguments, at


@dataclass
class _Group:
    """An environment, a group in braces or the whole formula, up to where it is read."""

    opening: str = ""
    environment: str = ""  # or what is before the braces
    has_rows: bool = False  # its lines are rows
    rows: list[str] = field(default_factory=list)
    cells: list[str] = field(default_factory=list)
    cell: str = ""

    @property
    def is_braced(self) -> bool:
        return self.opening == "{"

    def end_row(self, measure: Measure, row_end: str = "") -> None:
        strut = self._strut(measure) if row_end or self.rows else ""
        self.rows.append("&".join([*self.cells, self.cell]) + strut + row_end)
        self.cells, self.cell = [], ""

    def _strut(self, measure: Measure) -> str:
        cells = (_BETWEEN_ROWS.sub("", cell) for cell in (*self.cells, self.cell))
        whole = "".join(f"{{{cell}}}" for cell in cells)
        if not self.has_rows or not any(char in whole for char in r"\^_"):
            return ""
        is_display = not self.opening or _DISPLAYS.fullmatch(self.environment) is not None
        scale = _SCRIPT_SCALE if self.environment in _IN_SCRIPT_SIZE else 1
        height, depth = (scale * extent + _HALF_GAP for extent in measure(whole, is_display))
        if height <= _PLAIN_HEIGHT and depth <= _PLAIN_DEPTH:
            return ""
        return rf"\rule[{-depth / 1000:.3f}em]{{0pt}}{{{(height + depth) / 1000:.3f}em}}"


def space_rows(latex: str, measure: Measure) -> str:
    r"""Return `latex`, normalized, with room between its rows.

    Args:
        measure: returns how far a piece of LaTeX reaches above and below its line, in thousandths
            of an em, set for display or not. Raises ValueError if it cannot be set.

    Raises:
        ValueError: a row cannot be set, or groups are not closed.
    """
    groups = [_Group(has_rows=True)]
    before, at = "", 0
    while found := _MARK.match(latex, at):
        mark, at = found[0], found.end()
        group = groups[-1]
        if environment := found["name"]:
            arguments, at = _environment_arguments(latex, environment, at)
            has_rows = environment not in _DIAGRAMS
            groups.append(_Group(mark + arguments, environment, has_rows))
        elif mark == "{":
            groups.append(_Group(mark, before, before in _STACKS))
        elif found["ended"] or mark == "}":
            is_closed = group.environment == found["ended"] if found["ended"] else group.is_braced
            if not is_closed or len(groups) == 1:
                raise ValueError(latex)
            group.end_row(measure)
            groups.pop()
            groups[-1].cell += group.opening + "".join(group.rows) + mark
        elif found["row"]:
            group.end_row(measure, mark)
        elif mark == "&":
            group.cells.append(group.cell)
            group.cell = ""
        else:
            group.cell += mark
        before = mark if mark.strip() else before
    if len(groups) > 1:
        raise ValueError(latex)
    groups[0].end_row(measure)
    return "".join(groups[0].rows)


EM = 30.0  # pixels: the formula's type size
_PADDING = 18.0
_MAX_LATEX = 3000

_VIEW = re.compile(r'viewBox="(\S+) (\S+) (\S+) (\S+)"')
_NOT_DRAWN = re.compile(
    r"^<svg[^>]*>|</svg>$|<title.*?</title>|<metadata.*?</metadata>|<style.*?</style>"
    r'|<text [^>]*aria-hidden="true".*?</text>',
    re.DOTALL,
)
_GLYPH = re.compile(r'<use href="#[^"]*-(g\d+)" ([^>]*)/>')
_EAST_ASIAN_RUN = re.compile(rf"{svg_to_png.EAST_ASIAN}+")
# Arrows rarely meant, each 0.948 em wide in STIX Two Math.
_STAND_INS = "⇠⇢⇤⇥⇦⇨⇴⇶⇷⇸⇹⇺⇻⇼⇽⇾⇿⤀⤁⤂⤃⤄⤅⤆⤇⤊⤋⤌⤍⤎⤏⤑⤔⤕⤖⤗↚↛↜↝↞↠↢↣↤↩↪↫↬↮↴↵↶↷↸↹⇄⇆⇇⇉⇋"
_STAND_IN_WIDTH = 948
# Commands that mathra 1.5 draws in the wrong place.
_MISPLACED = re.compile(r"\\begin\{array\}(?:\[\w\])?\{[^}]*\|")
# Colours that vanish on a dark card, and what stands for them.
_READABLE = {
    "black": INK,
    "blue": "#7aa7ff",
    "navy": "#7aa7ff",
    "red": "#ff7b72",
    "green": "#6fcf7f",
    "purple": "#c792ea",
    "brown": "#d2a679",
}
_FILL = re.compile(r'fill="([a-z]+)"')


def typeset(latex: str, name: str) -> RenderedImage | None:
    """Draw the formula. Return None if it cannot be drawn as it is meant."""
    if len(latex) > _MAX_LATEX or _MISPLACED.search(latex):
        return None
    stand_ins = _stand_ins(latex)
    if stand_ins is None:
        return None
    one_line = " ".join(latex.split())  # mathra takes a line that begins with `e` for `\ne`
    try:
        spaced = space_rows(
            _insert_stand_ins(normalize_rows(one_line), stand_ins), _measure_extents
        )
    except ValueError:
        return None
    drawn = _laid_out(spaced)
    if drawn is None:
        return None
    drawing, (left, top, width, height) = drawn
    scale = EM / 1000
    across, down = width * scale + 2 * _PADDING, height * scale + 2 * _PADDING
    if not width or not fits(across, down):
        return None
    for char, stand_in in stand_ins.items():
        drawing = _with_character(drawing, char, stand_in)
    place = f"translate({_PADDING} {_PADDING}) scale({scale}) translate({-left} {-top})"
    svg = f'<g transform="{place}">{drawing}</g>'
    return RenderedImage(name, card(svg, across, down, fonts=bool(stand_ins)), latex)


def _measure_extents(latex: str, display: bool) -> tuple[float, float]:
    """Return how far a part of a formula reaches above and below its line, in thousandths of an em.

    Raises:
        ValueError: it cannot be drawn.
    """
    drawn = _laid_out(latex, display=display)
    if drawn is None:
        raise ValueError(latex)
    _, (_, top, _, height) = drawn
    if any(char in latex for char in _STAND_INS):  # the replaced characters are taller
        return 200 - top, height + top + 120
    return -top, height + top


def _laid_out(
    latex: str, *, display: bool = True
) -> tuple[str, tuple[float, float, float, float]] | None:
    """Return the SVG elements of a formula and its box in thousandths of an em."""
    try:
        result = mathra.render(latex, display=display)
    except ValueError:
        return None
    view = _VIEW.search(result["svg"])
    if result["warnings"] or view is None:
        return None
    left, top, width, height = (float(number) for number in view.groups())
    drawing = _NOT_DRAWN.sub("", result["svg"])
    drawing = _FILL.sub(lambda fill: f'fill="{_READABLE.get(fill[1], fill[1])}"', drawing)
    return drawing, (left, top, width, height)


def _stand_ins(latex: str) -> dict[str, str] | None:
    """Return a stand-in for each East Asian character, or None if they cannot be drawn."""
    characters = sorted(set(re.findall(svg_to_png.EAST_ASIAN, latex)))
    if not characters:
        return {}
    free = [arrow for arrow in _STAND_INS if arrow not in latex]
    if len(characters) > len(free) or not svg_to_png.has_glyph("字"):
        return None
    return dict(zip(characters, free, strict=False))


def _insert_stand_ins(latex: str, stand_ins: dict[str, str]) -> str:
    def text(run: re.Match[str]) -> str:
        return rf"\text{{{''.join(stand_ins[char] for char in run[0])}}}"

    return _EAST_ASIAN_RUN.sub(text, latex)


def _with_character(drawing: str, char: str, stand_in: str) -> str:
    found = _laid_out(rf"\text{{{stand_in}}}")
    glyph = _GLYPH.search(found[0]) if found else None
    if glyph is None:
        return drawing
    style = (
        f'font-family="{svg_to_png.EAST_ASIAN_FAMILIES}" font-size="{_STAND_IN_WIDTH}" fill="{INK}"'
    )
    # The drawing's y axis points up, text's points down.
    text = f'<text transform="scale(1,-1)" {style}>{escape(char)}</text>'

    def draw(use: re.Match[str]) -> str:
        if use[1] != glyph[1]:
            return use[0]
        return f"<g {_as_transform(use[2])}>{text}</g>"

    return _GLYPH.sub(draw, drawing)


def _as_transform(place: str) -> str:
    at = re.fullmatch(r'x="(\S+)" y="(\S+)"', place.strip())
    return f'transform="translate({at[1]} {at[2]})"' if at else place
