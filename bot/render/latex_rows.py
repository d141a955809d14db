r"""The rows of LaTeX's matrices, cases and aligned lines, as every typesetter reads them.

The typesetter takes whatever is in brackets behind `\\` for a length, and stacks rows without any
room between them; the converter to MathML takes a length for mathematics. `normalize_rows` removes
lengths and keeps brackets from looking like one. `space_rows` gives each row a strut that is a
little higher and deeper than what is in it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

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
# What stands between two rows, at the beginning of the second.
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
    """The arguments to keep of an environment that begins before `at`, and where they end."""
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
    has_rows: bool = False  # what is between two line ends in it is a row
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
