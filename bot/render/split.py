"""Cuts an answer into messages that Discord takes and shows well.

A message holds 2000 characters. Discord's documentation leaves open whether it counts code
points or UTF-16 units; units are never fewer, so a piece that fits by units always fits.

Cuts fall where a reader would pause: between paragraphs, else lines, else sentences, else words,
and only then between graphemes. A code block that must be cut is closed at the end of one piece
and opened again, with its language, at the start of the next. Blocks are found as Discord finds
them: three backticks open, the next three close, wherever they stand.

A piece that is followed by another is sealed: more text never changes it. So a cut is decided
from a window of the text that is complete before the piece is sealed.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import regex

MESSAGE_UNITS = 2000

_TICKS = "```"
_CLOSING_UNITS = len("\n" + _TICKS)
_LOOKAHEAD = 8  # code points after the cut that the decision may see
_MAX_LANGUAGE = 32

# Discord's own rule for the language of a block: these characters, then a line end.
_FENCE = re.compile(rf"{_TICKS}(?:([A-Za-z0-9_+\-.#]{{0,{_MAX_LANGUAGE}}})(\n|\Z))?")
_CLOSES_NEXT = re.compile(rf"\s*{_TICKS}")

_PARAGRAPH = re.compile(r"\n[^\S\n]*\n+")
_LINE = re.compile(r"\n")
_SENTENCE = re.compile(r"[.!?…]+[\"'”’)\]]*\s+|[。！？；…]+[”’」』）]*")
_WORD = re.compile(r"\s+|(?<=[，、])")


@dataclass(frozen=True)
class Piece:
    """One message of an answer. The bodies, joined, are the text."""

    body: str
    opening: str = ""  # repeats the fence that the previous piece had to close
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
        cut = len(text) if window is None else window.cut()
        body, text = text[:cut], text[cut:]
        language = _language_left_open(opening + body)
        pieces.append(Piece(body, opening, _closing(body) if language is not None else ""))
        opening = "" if language is None else f"{_TICKS}{language}\n"
    return pieces


def units(text: str) -> int:
    """UTF-16 code units of `text`: what JavaScript calls its length."""
    return len(text) + sum(c > "\uffff" for c in text)


def _prefix(text: str, limit: int) -> str:
    # Half a pair at the end is what "ignore" drops.
    return text[:limit].encode("utf-16-le")[: 2 * max(limit, 0)].decode("utf-16-le", "ignore")


def _closing(body: str) -> str:
    return _TICKS if body.endswith("\n") else "\n" + _TICKS


def _fences(text: str) -> Iterator[tuple[int, int, str | None]]:
    """Every fence of `text`: where it starts and ends, and its language or None if it closes."""
    at, is_open = 0, False
    while found := _FENCE.search(text, at):
        if is_open:
            at = found.start() + len(_TICKS)
            yield found.start(), at, None
        else:
            at = found.end()
            yield found.start(), at, found[1] or ""
        is_open = not is_open


def _language_left_open(text: str) -> str | None:
    """The language of the block that `text` ends inside of, or None outside of any."""
    language = None
    for _, _, language in _fences(text):  # noqa: B007 - the last one counts
        pass
    return language


@dataclass(frozen=True)
class _Window:
    """The part of a too long text from which its first piece is cut."""

    text: str  # the opening, what may become the piece, and the look-ahead
    start: int  # where the text proper begins, after the opening
    end: int  # the last place where a cut may fall

    @classmethod
    def of(cls, text: str, opening: str, limit: int) -> "_Window | None":
        """None while all of `text` fits: then nothing is cut yet."""
        whole = opening + text
        within = _prefix(whole, limit - _CLOSING_UNITS)
        if len(within) == len(whole):
            return None
        end = max(len(within) - _LOOKAHEAD, len(opening) + 1)
        return cls(within, len(opening), end)

    def cut(self) -> int:
        """How many characters of the text make the first piece."""
        at = self._best()
        closes = _CLOSES_NEXT.match(self.text, at) if self._inside(at) else None
        return (closes.end() if closes else at) - self.start

    def _best(self) -> int:
        for pattern, inside in (
            (_PARAGRAPH, False),
            (_LINE, False),
            (_LINE, True),
            (_SENTENCE, False),
            (_WORD, False),
            (_WORD, True),
        ):
            if at := self._last(pattern, inside=inside):
                return at
        # One endless cluster leaves no boundary; then the last place has to do.
        hard = _last_grapheme(self.text[: self.end + 1])
        return next((at for at in range(hard, self.start, -1) if self._allowed(at)), self.end)

    def _last(self, pattern: re.Pattern[str], *, inside: bool) -> int | None:
        """The last good place in the second half, so that pieces do not become crumbs."""
        earliest = (self.start + self.end) // 2
        # Breaks may lie anywhere in the matched white space; its end reads best.
        places = (min(m.end(), self.end) for m in pattern.finditer(self.text, 0, self.end))
        good = (at for at in places if at > earliest and self._inside(at) == inside)
        return max((at for at in good if self._allowed(at)), default=None)

    def _inside(self, at: int) -> bool:
        """Whether a code block is open at `at`."""
        return bisect_right(self._fence_starts, at - 1) % 2 == 1

    def _allowed(self, at: int) -> bool:
        """Neither within a fence nor right behind one that opens, nor within a run of ticks."""
        if self.text[at - 1 : at + 1] == "``":
            return False
        nearest = bisect_right(self._fence_starts, at - 1) - 1
        if nearest < 0:
            return True
        _, end, language = self._found[nearest]
        return at > end or (at == end and language is None)

    @cached_property
    def _found(self) -> list[tuple[int, int, str | None]]:
        return list(_fences(self.text))

    @cached_property
    def _fence_starts(self) -> list[int]:
        return [start for start, _, _ in self._found]


def _last_grapheme(text: str) -> int:
    """Where the grapheme that holds the last character of `text` starts."""
    *_, last = regex.finditer(r"\X", text)
    start: int = last.start()
    return start
