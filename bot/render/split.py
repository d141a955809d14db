"""Cuts an answer into messages that Discord takes and shows well.

A message holds 2000 characters. The server counts code points (Discord's staff said so in
discord-api-docs#1315), clients may count UTF-16 units; units are never fewer, so a piece that
fits by units always fits.

Cuts fall where a reader would pause: between paragraphs, else lines, else sentences, else words,
and only then between graphemes; not behind a heading, and not within a formula, a link, inline
code or a table's row where that can be avoided. What a cut leaves open is closed at the end of
the one piece and opened again at the start of the next: a code block with its language, a
quotation, a spoiler. A table that goes on does so under its header.

A piece that is followed by another is sealed: more text never changes it. So a cut is decided
from a window of the text that is complete before the piece is sealed.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import regex

from bot.render.marks import TICKS, Marks

MESSAGE_UNITS = 2000

_CLOSING_UNITS = len(f"\n> {TICKS}||")
_LOOKAHEAD = 8  # code points after the cut that the decision may see
_CLOSES_NEXT = re.compile(rf"\s*{TICKS}")

_PARAGRAPH = re.compile(r"\n[^\S\n]*\n+")
_LINE = re.compile(r"\n")
_SENTENCE = re.compile(r"[.!?…]+[\"'”’)\]]*\s+|[。！？；…｡]+[”’」』）】》]*")
_WORD = re.compile(r"\s+|(?<=[，、])")
_EXTENDS = regex.compile(r"[\p{Grapheme_Extend}\u200d]")


@dataclass(frozen=True)
class Piece:
    """One message of an answer. The bodies, joined, are the text."""

    body: str
    opening: str = ""  # repeats what the previous piece had to close
    closing: str = ""

    @property
    def content(self) -> str:
        return self.opening + self.body + self.closing


def split(text: str, limit: int = MESSAGE_UNITS) -> list[Piece]:
    """`text` as pieces of at most `limit` UTF-16 units; no text is no pieces."""
    pieces = []
    opening = ""
    while text:
        window = _Window.of(text, opening, limit)
        at = window.cut() if window.more else len(window.text)
        body = text[: at - len(opening)]
        pieces.append(Piece(body, opening, window.closing(at)))
        opening = window.reopening(at)
        text = text[len(body) :]
    return pieces


def units(text: str) -> int:
    """UTF-16 code units of `text`: what JavaScript calls its length."""
    return len(text) + sum(c > "\uffff" for c in text)


def _prefix(text: str, limit: int) -> str:
    # Half a pair at the end is what "ignore" drops.
    return text[:limit].encode("utf-16-le")[: 2 * max(limit, 0)].decode("utf-16-le", "ignore")


@dataclass(frozen=True)
class _Window:
    """The part of the text from which a piece is made. Places count from the opening's start."""

    text: str  # the opening, what may become the piece, and the look-ahead
    start: int  # where the text proper begins, after the opening
    end: int  # the last place where a cut may fall
    more: bool  # there is text behind the window
    longest_head: int

    @classmethod
    def of(cls, text: str, opening: str, limit: int) -> "_Window":
        whole = opening + text[:limit]
        within = _prefix(whole, limit - _CLOSING_UNITS)
        more = len(within) < len(opening) + len(text)
        end = max(len(within) - _LOOKAHEAD, len(opening) + 1)
        return cls(within, len(opening), end, more, limit // 4)

    def cut(self) -> int:
        at = self._best()
        closes = _CLOSES_NEXT.match(self.text, at) if self._in_code(at) else None
        return closes.end() if closes else at

    def closing(self, at: int) -> str:
        """Ends what is open at `at`."""
        spoiler = self._marks.spoiler(at)
        if not self._in_code(at):
            return spoiler
        if self.text[:at].endswith("\n"):
            return TICKS + spoiler
        return f"\n{self._marks.quote(at)}{TICKS}{spoiler}"

    def reopening(self, at: int) -> str:
        """Takes up again, for the next piece, what `closing` ends."""
        marks = self._marks
        language = marks.language(at)
        block = self._table_head(at) if language is None else f"{TICKS}{language}\n"
        return marks.quote(at) + marks.spoiler(at) + block

    def _table_head(self, at: int) -> str:
        head = self._marks.table_head(at)
        return head if units(head) <= self.longest_head else ""

    # --- where to cut ---------------------------------------------------------------------------

    def _best(self) -> int:
        for good in (self._unbroken, self._possible):
            for pattern, in_code in (
                (_PARAGRAPH, False),
                (_LINE, False),
                (_LINE, True),
                (_SENTENCE, False),
                (_WORD, False),
                (_WORD, True),
            ):
                if at := self._last(pattern, good, in_code=in_code):
                    return at
            if at := self._before_a_long_span():
                return at
        # One endless cluster leaves no boundary; then the last place has to do.
        hard = _last_grapheme(self.text[: self.end + 1])
        return next((at for at in range(hard, self.start, -1) if self._possible(at)), self.end)

    def _last(
        self, pattern: re.Pattern[str], good: Callable[[int], bool], *, in_code: bool
    ) -> int | None:
        """The last good place in the second half, so that pieces do not become crumbs."""
        # Breaks may lie anywhere in the matched white space; its end reads best.
        places = (min(m.end(), self.end) for m in pattern.finditer(self.text, 0, self.end))
        later = (at for at in places if at > self._earliest and self._in_code(at) == in_code)
        return max((at for at in later if good(at)), default=None)

    def _before_a_long_span(self) -> int | None:
        span = self._marks.span_around(self.end)
        if span and span[0] > self.start and self._possible(span[0]):
            return span[0]
        return None

    @property
    def _earliest(self) -> int:
        return (self.start + self.end) // 2

    def _in_code(self, at: int) -> bool:
        return self._marks.language(at) is not None

    def _possible(self, at: int) -> bool:
        """Neither within a mark nor right behind one that opens, nor within a grapheme."""
        if self.text[at - 1 : at + 1] in ("``", "||", "\r\n"):
            return False
        if _EXTENDS.match(self.text, at):
            return False
        fence = self._marks.fence_before(at)
        return fence is None or at > fence.end or (at == fence.end and fence.language is None)

    def _unbroken(self, at: int) -> bool:
        """Possible, and it leaves spans, headings and tables' heads whole."""
        unfinished = self._marks.unfinished
        return (
            self._possible(at)
            and self._marks.span_around(at) is None
            and not (unfinished is not None and self._earliest < unfinished < at)
            and not any(start < at <= end for start, end in self._marks.headings)
            and not any(table.start < at <= table.rows for table in self._marks.tables)
        )

    @cached_property
    def _marks(self) -> Marks:
        return Marks(self.text)


def _last_grapheme(text: str) -> int:
    """Where the grapheme that holds the last character of `text` starts."""
    *_, last = regex.finditer(r"\X", text)
    start: int = last.start()
    return start
