"""Cleans a model's text for an article while it streams, sentence by sentence.

Models repeat headings, introduce what they are about to write and wish people well. Small ones say
a thing twice, start on what was not asked, and break off within a sentence. None of this reaches
the article: a sentence is released when it is whole, and only if it belongs there.
"""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

# An abbreviation, an initial or an item's number, whose full stop ends nothing.
_SHORT = re.compile(
    r"(?:^\d{1,2}|\b[A-Z]|\b(?:Dr|Mr|Mrs|Ms|Prof|St|No|vs|ca|cf|approx|e\.g|i\.e))\.$"
)
# Each run of marks or of white space is looked at once, from its beginning.
_END = re.compile(
    r"(?:[。！？…।؟۔]+[”’」』）)\"'*_]*|(?<![.!?])[.!?]++[”’\"')\]*_]*+(?=\s))\s*"
    r"|(?<![^\S\n])[^\S\n]*+\n\s*"
)
_SHORTEST = 12  # characters, in which every abbreviation is found
_SPACE = re.compile(r"\s*")
_WHOLE = re.compile(r"[.!?。！？…:：।؟۔][”’」』）\"')\]*_]*$")
_BLOCKS = ("```", "$$")  # what is between two of them stands as it is


class TextPiece(NamedTuple):
    text: str
    space: str  # what follows it: white space
    starts: bool = False  # a line begins with it

    @property
    def whole(self) -> bool:
        """Return whether it ends as sentences do."""
        return bool(_WHOLE.search(self.text)) and not _SHORT.search(self.text)

    @property
    def line(self) -> bool:
        """Return whether it is all of a line."""
        return self.starts and "\n" in self.space


def pieces(text: str, *, ended: bool, starts: bool = True) -> Iterator[TextPiece]:
    """Yield those that surely end within `text`; once it has `ended`, what is left, too.

    `starts`: a line begins where it begins.
    """
    at, search = 0, 0
    while at < len(text):
        if starts and (block := _block_end(text, at)) is not None:
            end = block if block >= 0 else len(text) if ended else -1
            if end < 0:
                return
            space = _SPACE.match(text, end)
            stop = space.end() if space else end
        elif found := _END.search(text, search or at):
            search = found.end()
            end, stop = found.start() + len(found[0].rstrip()), found.end()
            if "\n" not in found[0] and _SHORT.search(text[max(at, end - _SHORTEST) : end]):
                continue
        else:
            end = stop = len(text)
        if stop == len(text) and not ended:
            return
        yield TextPiece(text[at:end], text[end:stop], starts)
        starts = "\n" in text[end:stop]
        at = search = stop


def _block_end(text: str, at: int) -> int | None:
    """Return where a block that begins at `at` ends, -1 if it does not, None if none begins."""
    mark = next((each for each in _BLOCKS if text.startswith(each, at)), None)
    if mark is None:
        return None
    close = text.find(mark, at + len(mark))
    return close + len(mark) if close >= 0 else -1


_LIST = re.compile(r"(?:[-*+•>|]|\d+[.)、])\s*\S|```|\$\$")
_HEADING = re.compile(r"#{1,6}\s|\*\*[^*\n]+\*\*[:：]?$|_{2}[^_\n]+_{2}$|-{3,}$|\*{3,}$|```\w*$")
_WRAPPING = re.compile(r"^\s*```(?:markdown|md|text|plaintext)?[^\S\n]*\n")
_LABEL = re.compile(
    r"^(?:\*\*)?(?:title|section|part|heading|paragraph(?: \d+)?|text|标题|小标题|正文|第.段)"
    r"(?:\*\*)?[:：](?:\*\*)?\s*",
    re.IGNORECASE,
)
_GREETING = re.compile(r"(?:sure|certainly|of course|absolutely|okay|当然|好的)\b", re.IGNORECASE)
_META = re.compile(
    r"here(?:'s|’s| is| are)\b.*:$|(?:以下|下面)是.*[:：]$|note:|注[:：]|\(?\d+ words"
    r"|(?:in )?this (?:section|article|paragraph|essay)\b|in this (?:part|text)\b"
    r"|as an ai\b|i(?:'m|’m| am) (?:sorry|excited|happy|glad|delighted)\b|welcome to\b"
    r"|i hope this\b|let me know\b|feel free to\b"
    r"|if you have any (?:more |other |further )?questions?\b|.*\bi(?:'ll|’ll| will) (?:describe"
    r"|explain|discuss|explore|write)\b"
    r"|(?:本节|这一节|本文|这篇文章)(?:将|会|主要|旨在|介绍)|希望这|如果您有|如有任何|如有疑问",
    re.IGNORECASE,
)
_HEADING_CHARS = 90  # where no mark ends sentences, as in Thai, a longer line is text
_MIN_LETTERS = 20  # letters; shorter sentences may come twice
_SAME_SHARE = 0.75  # of the words of two sentences that say the same
_MAX_SENTENCE = 10_000  # characters of a sentence or a block; a longer one never ends
_MAX_REPETITIONS = 3  # repetitions, after which a model says nothing new


class SentenceMemory:
    """The sentences of an article so far."""

    def __init__(self) -> None:
        self._sentences: list[frozenset[str]] = []

    def remember(self, sentence: str) -> bool:
        """Remember a sentence, and return whether nearly the same was said before."""
        words = frozenset(_words(sentence))
        if len(re.sub(r"\W", "", sentence)) < (
            _MIN_LETTERS if sentence.isascii() else _MIN_LETTERS // 2
        ):
            return False
        if any(len(words & each) >= _SAME_SHARE * len(words | each) for each in self._sentences):
            return True
        self._sentences.append(words)
        return False


class StreamCleaner:
    """Cleans one section's text. `text` is what was released, and all that an article keeps."""

    def __init__(
        self,
        headings: frozenset[str],
        memory: SentenceMemory,
        *,
        paragraphs: int,
        characters: int,
        is_supported: Callable[[str], bool],
    ) -> None:
        """`headings` are dropped where a line repeats one. Text ends after so many `paragraphs`, or
        with the sentence that brings it to so many `characters`. A sentence that the text to go by
        does not support is left out.
        """
        self._headings = frozenset(map(_plain, headings))
        self._memory = memory
        self._max_paragraphs = paragraphs
        self._characters = characters
        self._is_supported = is_supported
        self._rest = ""  # what is no whole piece yet
        self._starts = True  # a line begins with it
        self._space = ""  # between what was released and what comes
        self._opening = ""  # of a list or a quotation, released only with what it opens
        self._repetitions = 0
        self._is_endless = False
        self.text = ""

    @property
    def is_full(self) -> bool:
        """Return whether no more text is wanted."""
        full = self._paragraphs >= self._max_paragraphs or len(self.text) >= self._characters
        return full or self._repetitions >= _MAX_REPETITIONS or self._is_endless

    @property
    def _paragraphs(self) -> int:
        """The number of whole ones; a list belongs to what is before it, and may go on."""
        *_, last = self.text.splitlines() or [""]
        ended = "\n\n" in self._space and not self._opening and not _LIST.match(last)
        return ended + sum(not _LIST.match(each) for each in self.text.split("\n\n")[1:])

    def feed(self, more: str) -> str:
        """Add a piece of the stream, and return what can be released now."""
        if self.is_full:
            return ""
        self._rest += more
        released = self._release(ended=False)
        if len(self._rest) > _MAX_SENTENCE:
            self._rest, self._is_endless = "", True
        return released

    def finish(self, *, cut: bool) -> str:
        """Return the last of it, without a sentence that was `cut`."""
        self._rest = self._rest.rstrip()
        return self._release(ended=True, cut=cut)

    def _release(self, *, ended: bool, cut: bool = False) -> str:
        before = len(self.text)
        if not self.text:
            self._rest = _WRAPPING.sub("", self._rest)
        rest, read = self._rest, 0
        for piece in pieces(rest, ended=ended, starts=self._starts):
            read += len(piece.text) + len(piece.space)
            self._starts = "\n" in piece.space
            if self.is_full:
                break
            if ended and read == len(rest) and self._is_cut_off(piece, cut=cut):
                break
            self._add(piece)
        self._rest = rest[read:]
        return self.text[before:]

    def _is_cut_off(self, last: TextPiece, *, cut: bool) -> bool:
        """Keep what no mark ends where it is all there is: there may be no such marks."""
        if last.whole:
            return False
        return _is_heading(last.text) or (cut and bool(self.text or last.text.isascii()))

    def _add(self, piece: TextPiece) -> None:
        text = _LABEL.sub("", piece.text, count=1) if piece.starts else piece.text
        if _is_quoted_text(text, first=not self.text):
            text = text.strip('"')
        if self._belongs(piece, text):
            self._opening += self._space + text
            self._space = ""
            if not text.endswith((":", "：")):
                self.text, self._opening = self.text + self._opening, ""
        if self.text or self._opening:
            self._space = _wider_space(self._space, piece.space)

    def _belongs(self, piece: TextPiece, text: str) -> bool:
        plain = _plain(text)
        if not plain or plain in self._headings or _META.match(text):
            return False
        if (piece.starts and _HEADING.match(text)) or (not self.text and _GREETING.match(text)):
            return False
        if piece.line and not piece.whole and _is_heading(text):
            return False
        if not self._is_supported(text):
            return False
        is_repeated = self._memory.remember(text)
        self._repetitions += is_repeated
        return not is_repeated


def _is_heading(line: str) -> bool:
    """Return whether a line without a mark, which ends as no sentence does, is short enough for
    one."""
    return len(line) <= _HEADING_CHARS and not _LIST.match(line)


def _is_quoted_text(sentence: str, *, first: bool) -> bool:
    """Return whether the text is in quotation marks: around more than a sentence, or the first
    one."""
    marks = sentence.count('"')
    return marks == 1 or (first and marks == len('""') and sentence[0] == sentence[-1] == '"')


def _wider_space(space: str, other: str) -> str:
    """Return the wider one: between paragraphs, then between lines, then a blank."""
    if space.count("\n") >= 2 or other.count("\n") >= 2:
        return "\n\n"
    if "\n" in space or "\n" in other:
        return "\n"
    return space or other


def _plain(text: str) -> str:
    return re.sub(r"[\W_]+", " ", text).strip().casefold()


def _words(text: str) -> Iterator[str]:
    """Yield words, or pairs of characters where a script has no spaces."""
    for word in re.findall(r"[^\W_]+", text.casefold()):
        if word.isascii() or len(word) < 2:
            yield word
        else:
            yield from (word[at : at + 2] for at in range(len(word) - 1))
