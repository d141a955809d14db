r"""LaTeX formulas as pictures.

`mathra` lays out LaTeX as SVG in under a millisecond, without a TeX installation, and tells what it
did not understand; such a formula is not drawn, since a wrong formula is worse than its source.
(matplotlib's mathtext knows no matrices, cases or aligned lines; ziamath is tens of times slower
and silent about what it skips; Typst would run what a model writes as a program.)

Its font has no Chinese, Japanese or Korean. Each such character is therefore laid out as an arrow
of just that width, and the arrow's place is then taken by the character from the machine's fonts.
"""

import re
from xml.sax.saxutils import escape

import mathra

from bot.render import fonts
from bot.render.latex_rows import normalize_rows, space_rows
from bot.render.svg_to_png import INK, RenderedImage, card, fits

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
_EAST_ASIAN_RUN = re.compile(rf"{fonts.EAST_ASIAN}+")
# Arrows rarely meant, each 0.948 em wide in STIX Two Math.
_STAND_INS = "⇠⇢⇤⇥⇦⇨⇴⇶⇷⇸⇹⇺⇻⇼⇽⇾⇿⤀⤁⤂⤃⤄⤅⤆⤇⤊⤋⤌⤍⤎⤏⤑⤔⤕⤖⤗↚↛↜↝↞↠↢↣↤↩↪↫↬↮↴↵↶↷↸↹⇄⇆⇇⇉⇋"
_STAND_IN_WIDTH = 948
# What mathra 1.5 draws in the wrong place.
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
    """The formula as a picture, or None if it cannot be drawn as it is meant."""
    if len(latex) > _MAX_LATEX or _MISPLACED.search(latex):
        return None
    stand_ins = _stand_ins(latex)
    if stand_ins is None:
        return None
    one_line = " ".join(latex.split())  # mathra takes a line that begins with `e` for `\ne`
    try:
        spaced = space_rows(_insert_stand_ins(normalize_rows(one_line), stand_ins), _extents)
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


def _extents(latex: str, display: bool) -> tuple[float, float]:
    """Return how far a part of a formula reaches above and below its line, in thousandths of an em.

    Raises:
        ValueError: it cannot be drawn.
    """
    drawn = _laid_out(latex, display=display)
    if drawn is None:
        raise ValueError(latex)
    _, (_, top, _, height) = drawn
    if any(char in latex for char in _STAND_INS):  # what they stand for is taller
        return 200 - top, height + top + 120
    return -top, height + top


def _laid_out(
    latex: str, *, display: bool = True
) -> tuple[str, tuple[float, float, float, float]] | None:
    """The SVG elements of a formula and its box in thousandths of an em."""
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
    """A stand-in for each East Asian character, or None if they cannot be drawn."""
    characters = sorted(set(re.findall(fonts.EAST_ASIAN, latex)))
    if not characters:
        return {}
    free = [arrow for arrow in _STAND_INS if arrow not in latex]
    if len(characters) > len(free) or not fonts.draws("字"):
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
    style = f'font-family="{fonts.EAST_ASIAN_FAMILIES}" font-size="{_STAND_IN_WIDTH}" fill="{INK}"'
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
