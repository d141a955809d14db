r"""Emphasis: bold, italic, underlined, struck and hidden text, and how to cut it.

Discord reads two marks of a kind as a pair, whatever is between them; a message with one of them
shows it, and is bold up to its next pair. So what is cut within emphasis is closed before the cut
and opened again behind it. Marks count as CommonMark counts them where that is stricter: one that
opens touches the word behind it, one that closes the word before it. So `2 * 3` and `snake_case`
open nothing, nor does `**kwargs` where its paragraph ends before any mark closes it.
"""

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from bot.render.formulas import extract

SPOILER = "||"
MOST_UNITS = len("***___~~||")  # of all marks that can be open at once

_TOKEN = re.compile(
    r"""
      \\[!-/:-@\[-`{-~]                                         # an escaped character
    | (?P<fence> ``` )
    | (?<!`) (?P<ticks> `{1,2}) (?!`) [^`\n]+ (?P=ticks) (?!`)  # code
    | \] \( [^()\s]* \)                                         # the destination of a link
    | (?P<address> https?:// [!-;=?-~]+ )
    | ^ [ ]* \| (?!\|) [^\n]*                                 # a table's row
    | (?P<end> \n (?= [ >]*
        (?: \n | [-*+][ ] | \d{1,9}[.)][ ] | \#{1,3}[ ] | -\#[ ] | ``` | \|(?!\|) ) ) )
    | (?P<run> \*+ | _+ | ~+ | \|+ )
    """,
    re.VERBOSE | re.MULTILINE,
)
_KINDS = {"*": ["*"], "**": ["**"], "***": ["**", "*"], "_": ["_"], "__": ["__"],
          "___": ["__", "_"], "~~": ["~~"], SPOILER: [SPOILER]}  # fmt: skip
_WORD = re.compile(r"[A-Za-z0-9]")
_SAYS_SOMETHING = re.compile(r"[^\s*_~|>]")
# The markup before the words of a line; it stays before a mark that is opened again.
_LEAD = re.compile(r"\s*(?:>{1,3} )*\s*")


@dataclass(frozen=True)
class EmphasisSpan:
    mark: str
    start: int  # of the opening mark
    end: int  # of what is emphasized: where the closing mark starts

    @property
    def inner_start(self) -> int:
        return self.start + len(self.mark)


@dataclass(frozen=True)
class Emphasis:
    """The emphasis of one text."""

    spans: tuple[EmphasisSpan, ...]
    unclosed: tuple[EmphasisSpan, ...]  # whose paragraph goes on to the end of the text

    def open_at(self, at: int) -> list[str]:
        """Return the marks that are open at `at`, the outermost first."""
        around = (_span_around(spans, at) for spans in self._by_mark.values())
        found = sorted((s for s in around if s), key=lambda span: (span.start, -len(span.mark)))
        return [span.mark for span in found]

    @cached_property
    def edges(self) -> frozenset[int]:
        """The positions right behind opening marks and right before closing marks."""
        return frozenset(
            at for span in self.spans + self.unclosed for at in (span.inner_start, span.end)
        )

    @cached_property
    def closed_at(self) -> dict[int, str]:
        """The marks that close, by where each stands."""
        return {span.end: span.mark for span in self.spans}

    @cached_property
    def _by_mark(self) -> dict[str, list[EmphasisSpan]]:
        groups: dict[str, list[EmphasisSpan]] = {}
        for span in sorted(self.spans + self.unclosed, key=lambda span: span.start):
            groups.setdefault(span.mark, []).append(span)
        return groups


def _span_around(spans: Sequence[EmphasisSpan], at: int) -> EmphasisSpan | None:
    number = bisect_left(spans, at, key=lambda span: span.start) - 1
    return spans[number] if number >= 0 and at <= spans[number].end else None


def find_emphasis(text: str, inherited: Sequence[str] = ()) -> Emphasis:
    r"""Find the emphasis of `text`, before which the marks of `inherited` are open already."""
    # Places before the text, in their order.
    before = range(-100, -100 + len(inherited))
    spans = [EmphasisSpan(mark, at, len(text)) for at, mark in zip(before, inherited, strict=True)]
    reader = _Reader(text, spans)
    start = 0
    for segment in extract(text):
        source = segment if isinstance(segment, str) else segment.source
        # Escaped brackets look like a formula: `\[0, 1) is **not** (0, 1\]`.
        if isinstance(segment, str) or "**" in source or "~~" in source:
            reader.read(start, start + len(source))
        start += len(source)
    return Emphasis(tuple(reader.spans), tuple(reader.open_spans))


class _Reader:
    """Pairs the marks of a text. At most one of each kind is open at a time."""

    def __init__(self, text: str, inherited: list[EmphasisSpan]) -> None:
        self._text = text
        self.open = inherited
        self.spans: list[EmphasisSpan] = []
        self._lapsed: set[int] = set()  # starts of what is open over the end of its paragraph

    def read(self, at: int, end: int) -> None:
        while found := _TOKEN.search(self._text, at, end):
            at = found.end()
            if found["fence"]:
                self.open = [span for span in self.open if span.mark == SPOILER]
                closes = self._text.find("```", at, end)
                at = closes + 3 if closes >= 0 else end
            elif address := found["address"]:
                at -= len(address) - len(address.rstrip("*_~|"))
            elif found["end"]:
                self._lapsed.update(span.start for span in self.open if span.mark != SPOILER)
            elif (run := found["run"]) in _KINDS:
                self._mark(run, found.start())

    @property
    def open_spans(self) -> list[EmphasisSpan]:
        return [span for span in self.open if span.start not in self._lapsed]

    def _mark(self, run: str, at: int) -> None:
        before, after = self._text[at - 1 : at], self._text[at + len(run) : at + len(run) + 1]
        can_open, can_close = bool(after.strip()), bool(before.strip()) or at == 0
        if run == SPOILER:
            can_open = can_open and not (before and (before.isalnum() or before == "|"))
            can_close = True
        elif run in ("*", "_", "__", "___"):
            can_open = can_open and not _WORD.match(before)
            can_close = can_close and not (run != "*" and _WORD.match(after))
        if not (can_close and self._close(run, at, can_open=can_open)) and can_open:
            for mark in _KINDS[run]:
                self.open = [span for span in self.open if span.mark != mark]
                self.open.append(EmphasisSpan(mark, at, len(self._text)))
                at += len(mark)

    def _close(self, run: str, at: int, *, can_open: bool) -> bool:
        """Close an open mark. Marks that were opened within it then open nothing.

        Over the end of a paragraph only what cannot open closes.
        """
        found = self.open_spans if can_open else self.open
        closed = [span for span in found if span.mark in _KINDS[run]]
        if not closed:
            return False
        for span in reversed(closed):
            self.spans.append(EmphasisSpan(span.mark, span.start, at))
            at += len(span.mark)
        outer = closed[0]
        rest = [span for span in self.open if span not in closed]
        self.open = [span for span in rest if span.start < outer.start or _is_one_run(outer, span)]
        return True


def _is_one_run(left: EmphasisSpan, right: EmphasisSpan) -> bool:
    """Return whether the two were opened by one run of three."""
    return left.inner_start == right.start and left.mark[0] == right.mark[0]


def balance(texts: Sequence[str]) -> list[str]:
    """Return the texts of an answer, each with its own pairs of marks.

    Pictures stand between them: emphasis that goes on behind a picture is closed before it and
    opened again, and marks around nothing but pictures are dropped.
    """
    cores = [text.strip() for text in texts]
    whole = "\ufffc".join(cores)
    breaks: list[int] = []
    for core in cores[:-1]:
        breaks.append((breaks[-1] + 1 if breaks else 0) + len(core))
    parts: list[tuple[EmphasisSpan, int, int]] = []  # the part of a span between two breaks
    dropped: dict[int, int] = {}  # positions and lengths of marks around nothing
    for span in sorted(find_emphasis(whole).spans, key=lambda span: span.start):
        within = breaks[bisect_left(breaks, span.inner_start) : bisect_left(breaks, span.end)]
        starts = [span.inner_start, *(at + 1 for at in within)]
        for start, end in zip(starts, [*within, span.end], strict=True) if within else ():
            if _SAYS_SOMETHING.search(whole, start, end):
                parts.append((span, start, end))
                continue
            if start == span.inner_start:
                dropped[span.start] = len(span.mark)
            if end == span.end:
                dropped[span.end] = len(span.mark)
    dropped_ends = {at + removed: at for at, removed in dropped.items()}
    edits = [(at, 0, removed, "") for at, removed in dropped.items()]
    for order, (span, start, end) in enumerate(parts):
        if start != span.inner_start:
            edits.append((_first_word(whole, start, dropped), order, 0, span.mark))
        if end != span.end:
            edits.append((_last_word(whole, end, dropped_ends), -order, 0, span.mark))
    edited = _edit(cores, breaks, sorted(edits))
    return [
        text[: len(text) - len(text.lstrip())] + core + text[len(text.rstrip()) :]
        for text, core in zip(texts, edited, strict=True)
    ]


def _first_word(text: str, at: int, dropped: dict[int, int]) -> int:
    """Return where the first word behind `at` begins, marks aside that are dropped."""
    while (lead := _LEAD.match(text, at)) and lead.end() in dropped:
        at = lead.end() + dropped[lead.end()]
    return lead.end() if lead else at


def _last_word(text: str, at: int, dropped_ends: dict[int, int]) -> int:
    """Return where the last word before `at` ends, marks aside that are dropped."""
    while True:
        if text[at - 1 : at].isspace() or at in dropped_ends:
            at = dropped_ends.get(at, at - 1)
        elif text[at - 1 : at] == ">" and not text[text.rfind("\n", 0, at) + 1 : at].strip("> "):
            at -= 1  # a line of a quotation, on which nothing is said
        else:
            return at


def _edit(cores: list[str], breaks: list[int], edits: list[tuple[int, int, int, str]]) -> list[str]:
    results: list[str] = []
    begins = [0, *(at + 1 for at in breaks)]
    number = 0
    for begin, core in zip(begins, cores, strict=True):
        written: list[str] = []
        at = 0
        while number < len(edits) and edits[number][0] <= begin + len(core):
            place, _, removed, added = edits[number]
            written += [core[at : place - begin], added]
            at = place - begin + removed
            number += 1
        results.append("".join(written) + core[at:])
    return results
