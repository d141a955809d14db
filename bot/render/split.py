"""Cuts an answer into messages that Discord takes and shows well.

A message holds 2000 characters. The server counts code points (Discord's staff said so in
discord-api-docs#1315), clients may count UTF-16 units; units are never fewer, so a piece that
fits by units always fits.

Cuts fall where a reader would pause: between paragraphs, else lines, else sentences, else words,
and only then between graphemes; not behind a heading, and not within a formula, a link, inline
code or a table's row where that can be avoided. What a cut leaves open is closed at the end of
the one piece and opened again at the start of the next: a code block with its language, a
quotation, bold, italic, underlined, struck and hidden text. A table that goes on does so under its
header.

A piece that is followed by another is sealed: more text never changes it. So a cut is decided
from a window of the text that is complete before the piece is sealed.
"""

import re
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache

import regex

from bot.render.emphasis import MOST_UNITS, SPOILER, Emphasis, find_emphasis
from bot.render.markdown_spans import TICKS, MarkdownSpans

MESSAGE_UNITS = 2000

_CLOSING_UNITS = max(len(f"\n> {TICKS}{SPOILER}"), MOST_UNITS)
_LOOKAHEAD = 8  # code points after the cut that the decision may see
_CLOSES_NEXT = re.compile(rf"\s*{TICKS}")

_PARAGRAPH = re.compile(r"\n[^\S\n]*\n+")
_LINE = re.compile(r"\n")
_SENTENCE = re.compile(r"(?<![.!?…])[.!?…]++[\"'”’)\]]*+\s+|[。！？；…｡]+[”’」』）】》]*\s*")
_WORD = re.compile(r"\s+|(?<=[，、])")
_PAIRS = ("``", "||", "**", "__", "~~", "\r\n")
_EXTENDS = regex.compile(r"[\p{Grapheme_Extend}\u200d]")


# The markup before the words of a line.
_LEAD = re.compile(r"\s*(?:>{1,3} )?\s*")


@dataclass(frozen=True)
class MessagePart:
    """One message of an answer. The bodies, joined, are the text."""

    body: str
    opening: str = ""  # repeats what the previous piece had to close
    closing: str = ""
    resumed: str = ""  # marks of emphasis that the previous piece closed; they touch a word
    ended: str = ""  # marks of emphasis that the next piece opens again; they touch a word

    @property
    def content(self) -> str:
        body = self.body
        if self.ended and (words := _without_empty_end(body)):
            body = words + self.ended
        if self.resumed and (lead := _LEAD.match(body)) and lead.end() < len(body):
            body = lead[0].lstrip() + self.resumed + body[lead.end() :]
        return self.opening + body + self.closing


def _without_empty_end(text: str) -> str:
    """Return the text up to its last word; a quotation mark at its end may begin a line."""
    *_, last = ("", *text.rstrip().rpartition("\n"))
    return text.rstrip() if last.strip("> ") else text.rstrip().rstrip("> ").rstrip()


@dataclass(frozen=True)
class _CarriedMarkup:
    """The open markup that a piece continues from the one before it."""

    quote: str = ""
    marks: tuple[str, ...] = ()
    block: str = ""  # a code block's beginning, or a table's head

    @property
    def before(self) -> str:
        return self.quote + self.block


def split(text: str, limit: int = MESSAGE_UNITS) -> list[MessagePart]:
    """Split the text into pieces of at most `limit` UTF-16 units; an empty text gives none."""
    pieces: list[MessagePart] = []
    carried = _CarriedMarkup()
    while text:
        window = _Window.of(text, carried, limit)
        if not window.more:
            return [*pieces, window.piece_until(len(window.text), carried)]
        piece, carried = _end_piece(window, carried)
        pieces.append(piece)
        text = text[len(piece.body) :]
    return pieces


def units(text: str) -> int:
    """Count the text's UTF-16 code units, which JavaScript calls its length."""
    return len(text) + sum(c > "\uffff" for c in text)


def _longest_prefix(text: str, limit: int) -> str:
    # "ignore" drops half a surrogate pair at the end.
    return text[:limit].encode("utf-16-le")[: 2 * max(limit, 0)].decode("utf-16-le", "ignore")


@dataclass(frozen=True)
class _Window:
    """The part of the text from which a piece is made. Places count from the opening's start."""

    text: str  # the carried markup, the possible piece, and the look-ahead
    start: int  # the index of the text after the carried markup
    end: int  # the last place where a cut may fall
    more: bool  # there is text behind the window
    longest_head: int
    marks: tuple[str, ...]  # of emphasis, open before it

    @classmethod
    def of(cls, text: str, carried: _CarriedMarkup, limit: int) -> "_Window":
        whole = carried.before + text[:limit]
        within = _longest_prefix(whole, limit - _CLOSING_UNITS - units("".join(carried.marks)))
        start = len(carried.before)
        more = len(within) < start + len(text)
        end = max(len(within) - _LOOKAHEAD, start + 1)
        return cls(within, start, end, more, limit // 4, carried.marks)

    def find_cut(self) -> int:
        at = self._best_cut()
        closes = _CLOSES_NEXT.match(self.text, at) if self._in_code(at) else None
        return closes.end() if closes else at

    def piece_until(self, at: int, carried: _CarriedMarkup) -> MessagePart:
        """Return the piece that ends at `at`, with its open markup closed."""
        body = self.text[self.start : at]
        resumed = "".join(self._open_marks)
        ended = "".join(reversed(self._open_at(at)))
        block = ""
        if self._in_code(at):
            is_at_line = self.text[:at].endswith("\n")
            block = TICKS if is_at_line else f"\n{self._marks.quote(at)}{TICKS}"
        opening = carried.before
        if carried.block:
            opening, resumed = f"{carried.quote}{resumed}{carried.block}", ""
        if block:
            block, ended = block + ended, ""
        return MessagePart(body, opening, block, resumed, ended)

    def carry(self, at: int) -> _CarriedMarkup:
        """Return the markup that the next piece opens again."""
        language = self._marks.language(at)
        block = self._table_head(at) if language is None else f"{TICKS}{language}\n"
        return _CarriedMarkup(self._marks.quote(at), tuple(self._open_at(at)), block)

    @property
    def _open_marks(self) -> list[str]:
        """The marks from before that close in this window, or go on behind it.

        One that does neither was none; the piece before had to guess.
        """
        spans = (*self._emphasis.spans, *(self._emphasis.unclosed if self.more else ()))
        kept = {span.mark for span in spans if span.start < 0}
        return [mark for mark in self.marks if mark in kept or mark == SPOILER]

    def _open_at(self, at: int) -> list[str]:
        found = self._emphasis.open_at(at)
        return found if self.more else [mark for mark in found if mark == SPOILER]

    def _table_head(self, at: int) -> str:
        head = self._marks.table_head(at)
        return head if units(head) <= self.longest_head else ""

    # --- where to cut ---------------------------------------------------------------------------

    def _best_cut(self) -> int:
        for good in (self._keeps_all_whole, self._keeps_blocks_whole, self._is_possible):
            for pattern, in_code in (
                (_PARAGRAPH, False),
                (_LINE, False),
                (_LINE, True),
                (_SENTENCE, False),
                (_WORD, False),
                (_WORD, True),
            ):
                if at := self._last_cut(pattern, good, in_code=in_code):
                    return at
            if at := self._before_a_long_span():
                return at
        # A very long cluster has no boundary. Then the last position is used.
        hard = _last_grapheme(self.text[: self.end + 1])
        return next((at for at in range(hard, self.start, -1) if self._is_possible(at)), self.end)

    def _last_cut(
        self, pattern: re.Pattern[str], good: Callable[[int], bool], *, in_code: bool
    ) -> int | None:
        """Return the last good place in the second half, so that pieces do not become too small."""
        # The break is put at the end of the white space.
        places = (min(m.end(), self.end) for m in pattern.finditer(self.text, 0, self.end))
        later = (at for at in places if at > self._min_cut and self._in_code(at) == in_code)
        return next((at for at in reversed([*later]) if good(at)), None)

    def _before_a_long_span(self) -> int | None:
        span = self._marks.span_around(self.end)
        if span and span[0] > self.start and self._is_possible(span[0]):
            return span[0]
        return None

    @property
    def _min_cut(self) -> int:
        return (self.start + self.end) // 2

    def _in_code(self, at: int) -> bool:
        return self._marks.language(at) is not None

    def _is_possible(self, at: int) -> bool:
        """Return whether it is neither within a mark, nor right behind an opening one, nor in a
        grapheme."""
        if self.text[at - 1 : at + 1] in _PAIRS or at in self._emphasis.edges:
            return False
        if _EXTENDS.match(self.text, at):
            return False
        fence = self._marks.fence_before(at)
        return fence is None or at > fence.end or (at == fence.end and fence.language is None)

    def _keeps_all_whole(self, at: int) -> bool:
        """Return whether a cut there leaves emphasis, spans, headings and table heads whole."""
        return not self._emphasis.open_at(at) and self._keeps_blocks_whole(at)

    def _keeps_blocks_whole(self, at: int) -> bool:
        """Return whether a cut there leaves all but emphasis whole, which can be closed and opened
        again."""
        unfinished = self._marks.open_start
        return (
            self._is_possible(at)
            and self._marks.span_around(at) is None
            and not (unfinished is not None and self._min_cut < unfinished < at)
            and not self._follows_head(at)
        )

    def _follows_head(self, at: int) -> bool:
        """Return whether it is in or right behind a heading or the header of a table."""
        number = bisect_left(self._table_heads, (at, 0)) - 1
        return number >= 0 and at <= self._table_heads[number][1]

    @cached_property
    def _table_heads(self) -> list[tuple[int, int]]:
        tables = ((table.start, table.rows) for table in self._marks.tables)
        return sorted([*self._marks.headings, *tables])

    @cached_property
    def _marks(self) -> MarkdownSpans:
        return MarkdownSpans(self.text)

    @cached_property
    def _emphasis(self) -> Emphasis:
        # A run of marks may continue behind the window.
        text = self.text.rstrip("*_~|") if self.more else self.text
        return find_emphasis(text, self.marks)


@lru_cache(maxsize=512)
def _end_piece(window: _Window, carried: _CarriedMarkup) -> tuple[MessagePart, _CarriedMarkup]:
    """Return a piece that another one follows, and the markup that the next one carries on.

    While an answer grows, it is cut again and again at the same places.
    """
    at = window.find_cut()
    return window.piece_until(at, carried), window.carry(at)


def _last_grapheme(text: str) -> int:
    """Return where the grapheme with the last character of `text` starts."""
    *_, last = regex.finditer(r"\X", text)
    start: int = last.start()
    return start
