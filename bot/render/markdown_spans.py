"""The ranges of Discord's Markdown that a cut must respect.

Code blocks are found as Discord finds them: three backticks open, the next three close, wherever
they stand. Everything else counts only outside of them.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

TICKS = "```"
MAX_LANGUAGE = 32

# Discord's own rule for the language of a block: these characters, then a line end.
_FENCE = re.compile(rf"{TICKS}(?:([A-Za-z0-9_+\-.#]{{0,{MAX_LANGUAGE}}})(\n|\Z))?")

# Constructs that break when they are cut. Addresses are ASCII, so that the Chinese text that
# follows one without a space does not count as part of it.
_WHOLE = re.compile(
    r"""
      \$\$ (?: (?!\$\$|\n\n) . )+ \$\$        # display mathematics
    | \\\[ (?: \\[^\[\]\n] | (?!\n\n) [^\\] | \\(?=\n) )+ \\\]
    | \\\( (?: \\[^()\n] | (?!\n\n) [^\\] | \\(?=\n) )+ \\\)
    | (?<![\\$A-Za-z0-9]) \$ (?=[^\s$]) (?: \\[^\n] | [^$\n\\] )+ (?<!\s) \$ (?![A-Za-z0-9$])
    | (`{1,2}) (?!`) [^`\n]+ \1 (?!`)         # inline code
    | \[ [^\[\]\n]* \] \( (?: [^()\s] | \( [^()\s]* \) )*+ \)  # a masked link
    | (?<!\]\() https?:// [!-;=?-~]+          # a bare address
    | ^[ ]* \| (?!\|) [^\n]* $                 # a table's row
    """,
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)
# An unfinished construct.
_UNFINISHED = re.compile(
    r"""(?:
      \$\$ [^$]* \$?
    | \$ (?=\S) [^$\n]{0,80}
    | \\\[ (?: (?!\\[\[\]]) . )*
    | \\\( (?: (?!\\[()]) . )*
    | \[ [^\[\]\n]* (?: \] (?: \( (?: [^()\s] | \( [^()\s]* \) )*+ (?: \( [^()\s]* )? )? )?
    | `{1,2} [^`\n]* `?
    )\Z""",
    re.VERBOSE | re.DOTALL,
)

_COLUMN = r"[ ]*+:?-++:?[ ]*+"
_DELIMITER = rf"[ ]*+\|?{_COLUMN}(?:\|{_COLUMN})*+\|?[ ]*+"
_TABLE = re.compile(
    rf"^([^\n]+\n(?=[^\n]*\|){_DELIMITER}\n)((?:[^|\n]*\|[^\n]*(?:\n|\Z))*)", re.MULTILINE
)
_HEADING = re.compile(r"^(?:\#{1,3}[ ][^\n]*|\*\*[^*\n]+\*\*:?)\n+(?=[^\n])", re.MULTILINE)
_QUOTE = re.compile(r"(?:>>>|>) ")
_QUOTED_TO_THE_END = re.compile(r"^>>> ", re.MULTILINE)


@dataclass(frozen=True)
class Fence:
    start: int
    end: int
    language: str | None  # None if it closes


@dataclass(frozen=True)
class Table:
    start: int
    rows: int  # the start of the rows under the header
    end: int


def fences(text: str) -> Iterator[Fence]:
    """Every fence of `text`, opening and closing by turns."""
    at, is_open = 0, False
    while found := _FENCE.search(text, at):
        if is_open:
            at = found.start() + len(TICKS)
            yield Fence(found.start(), at, None)
        else:
            at = found.end()
            yield Fence(found.start(), at, found[1] or "")
        is_open = not is_open


@dataclass(frozen=True)
class MarkdownSpans:
    """The constructs of one text."""

    text: str

    @cached_property
    def fences(self) -> list[Fence]:
        return list(fences(self.text))

    @cached_property
    def spans(self) -> list[tuple[int, int]]:
        """Return the ranges that must not be cut, in order and without overlaps."""
        return [m.span() for m in _WHOLE.finditer(self.text) if self.language(m.start()) is None]

    @cached_property
    def open_start(self) -> int | None:
        """Return where a construct starts that the end of the text leaves open."""
        found = _UNFINISHED.search(self.text, self.spans[-1][1] if self.spans else 0)
        return found.start() if found and self.language(found.start()) is None else None

    @cached_property
    def tables(self) -> list[Table]:
        found = (
            m
            for m in _TABLE.finditer(self.text)
            if "|" in m[1].partition("\n")[0] and self.language(m.start()) is None
        )
        return [Table(m.start(), m.start(2), m.end()) for m in found]

    @cached_property
    def headings(self) -> list[tuple[int, int]]:
        """Headings, with the line ends that follow each."""
        return [m.span() for m in _HEADING.finditer(self.text)]

    def fence_before(self, at: int) -> Fence | None:
        number = bisect_right(self._fence_starts, at - 1) - 1
        return self.fences[number] if number >= 0 else None

    def language(self, at: int) -> str | None:
        """Return the language of the code block that is open at `at`, or None outside of one."""
        fence = self.fence_before(at)
        return fence.language if fence else None

    def span_around(self, at: int) -> tuple[int, int] | None:
        """Return the span that a cut at `at` would break."""
        number = bisect_right(self._span_starts, at - 1) - 1
        if number >= 0 and at < self.spans[number][1]:
            return self.spans[number]
        return None

    def table_head(self, at: int) -> str:
        """Return the header of the table whose rows are around `at`."""
        inside = (table for table in self.tables if table.rows < at < table.end)
        return next((self.text[table.start : table.rows] for table in inside), "")

    def quote(self, at: int) -> str:
        """Return the prefix that continues the quotation of `at` in another message."""
        if any(m.start() < at for m in self._outside_code(_QUOTED_TO_THE_END)):
            return ">>> "
        line = self.text.rfind("\n", 0, at) + 1
        return "> " if line < at and _QUOTE.match(self.text, line) else ""

    def _outside_code(self, pattern: re.Pattern[str]) -> Iterator[re.Match[str]]:
        return (m for m in pattern.finditer(self.text) if self.language(m.start()) is None)

    @cached_property
    def _fence_starts(self) -> list[int]:
        return [fence.start for fence in self.fences]

    @cached_property
    def _span_starts(self) -> list[int]:
        return [start for start, _ in self.spans]
