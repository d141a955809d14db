"""A model's text as it streams, made fit for an article, sentence by sentence.

Models repeat headings, introduce what they are about to write and wish people well. Small ones say
a thing twice, start on what was not asked, and break off within a sentence. None of this reaches
the article: a sentence is told when it is whole, and only if it belongs there.
"""

import re
from collections.abc import Callable, Iterator

from inference.article.sentence_splitter import Piece, pieces

_LIST = re.compile(r"(?:[-*+•>|]|\d+[.)、])\s*\S|```|\$\$")
_HEADING = re.compile(r"#{1,6}\s|\*\*[^*\n]+\*\*[:：]?$|_{2}[^_\n]+_{2}$|-{3,}$|\*{3,}$|```\w*$")
_WRAPPING = re.compile(r"^\s*```(?:markdown|md|text|plaintext)?[^\S\n]*\n")
_LABEL = re.compile(
    r"^(?:\*\*)?(?:title|section|part|heading|paragraph(?: \d+)?|text|标题|小标题|正文|第.段)"
    r"(?:\*\*)?[:：](?:\*\*)?\s*",
    re.IGNORECASE,
)
_BEFORE = re.compile(r"(?:sure|certainly|of course|absolutely|okay|当然|好的)\b", re.IGNORECASE)
_ABOUT = re.compile(
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
_LEAST = 20  # letters; shorter sentences may come twice
_ALIKE = 0.75  # of the words of two sentences that say the same
_LONGEST = 10_000  # characters of a sentence or a block; a longer one never ends
_TURNED_DOWN = 3  # repetitions, after which a model says nothing new


class Said:
    """The sentences of an article so far."""

    def __init__(self) -> None:
        self._sentences: list[frozenset[str]] = []

    def again(self, sentence: str) -> bool:
        """Whether it was said, nearly in the same words; from now on it is."""
        words = frozenset(_words(sentence))
        if len(re.sub(r"\W", "", sentence)) < (_LEAST if sentence.isascii() else _LEAST // 2):
            return False
        if any(len(words & each) >= _ALIKE * len(words | each) for each in self._sentences):
            return True
        self._sentences.append(words)
        return False


class Prose:
    """One section's text. `text` is what was told of it, and is all that an article keeps."""

    def __init__(
        self,
        headings: frozenset[str],
        said: Said,
        *,
        paragraphs: int,
        characters: int,
        given: Callable[[str], bool],
    ) -> None:
        """`headings` are dropped where a line repeats one. Text ends after so many `paragraphs`, or
        with the sentence that brings it to so many `characters`. A sentence that is not `given` by
        the text to go by is left out.
        """
        self._headings = frozenset(map(_plain, headings))
        self._said = said
        self._most = paragraphs
        self._characters = characters
        self._given = given
        self._rest = ""  # what is no whole piece yet
        self._starts = True  # a line begins with it
        self._space = ""  # between what was told and what comes
        self._opening = ""  # of a list or a quotation, told only with what it opens
        self._again = 0
        self._endless = False
        self.text = ""

    @property
    def enough(self) -> bool:
        """No more is to be asked for."""
        full = self._paragraphs >= self._most or len(self.text) >= self._characters
        return full or self._again >= _TURNED_DOWN or self._endless

    @property
    def _paragraphs(self) -> int:
        """That are whole; a list belongs to what is before it, and may go on."""
        *_, last = self.text.splitlines() or [""]
        ended = "\n\n" in self._space and not self._opening and not _LIST.match(last)
        return ended + sum(not _LIST.match(each) for each in self.text.split("\n\n")[1:])

    def take(self, more: str) -> str:
        """What can be told now."""
        if self.enough:
            return ""
        self._rest += more
        told = self._told(ended=False)
        if len(self._rest) > _LONGEST:
            self._rest, self._endless = "", True
        return told

    def end(self, *, cut: bool) -> str:
        """The last of it; a sentence that was `cut` is not told."""
        self._rest = self._rest.rstrip()
        return self._told(ended=True, cut=cut)

    def _told(self, *, ended: bool, cut: bool = False) -> str:
        before = len(self.text)
        if not self.text:
            self._rest = _WRAPPING.sub("", self._rest)
        rest, read = self._rest, 0
        for piece in pieces(rest, ended=ended, starts=self._starts):
            read += len(piece.text) + len(piece.space)
            self._starts = "\n" in piece.space
            if self.enough:
                break
            if ended and read == len(rest) and self._breaks_off(piece, cut=cut):
                break
            self._add(piece)
        self._rest = rest[read:]
        return self.text[before:]

    def _breaks_off(self, last: Piece, *, cut: bool) -> bool:
        """What no mark ends is kept where it is all there is: there may be no such marks."""
        if last.whole:
            return False
        return _is_heading(last.text) or (cut and bool(self.text or last.text.isascii()))

    def _add(self, piece: Piece) -> None:
        text = _LABEL.sub("", piece.text, count=1) if piece.starts else piece.text
        if _is_quoted_text(text, first=not self.text):
            text = text.strip('"')
        if self._belongs(piece, text):
            self._opening += self._space + text
            self._space = ""
            if not text.endswith((":", "：")):
                self.text, self._opening = self.text + self._opening, ""
        if self.text or self._opening:
            self._space = _wider(self._space, piece.space)

    def _belongs(self, piece: Piece, text: str) -> bool:
        plain = _plain(text)
        if not plain or plain in self._headings or _ABOUT.match(text):
            return False
        if (piece.starts and _HEADING.match(text)) or (not self.text and _BEFORE.match(text)):
            return False
        if piece.line and not piece.whole and _is_heading(text):
            return False
        if not self._given(text):
            return False
        again = self._said.again(text)
        self._again += again
        return not again


def _is_heading(line: str) -> bool:
    """Without a mark, of a line that ends as no sentence does."""
    return len(line) <= _HEADING_CHARS and not _LIST.match(line)


def _is_quoted_text(sentence: str, *, first: bool) -> bool:
    """Quotation marks around more than a sentence, or around the first: the text is in them."""
    marks = sentence.count('"')
    return marks == 1 or (first and marks == len('""') and sentence[0] == sentence[-1] == '"')


def _wider(space: str, other: str) -> str:
    """White space between paragraphs is more than between lines, and that more than a blank."""
    if space.count("\n") >= 2 or other.count("\n") >= 2:
        return "\n\n"
    if "\n" in space or "\n" in other:
        return "\n"
    return space or other


def _plain(text: str) -> str:
    return re.sub(r"[\W_]+", " ", text).strip().casefold()


def _words(text: str) -> Iterator[str]:
    """Chinese by pairs of characters."""
    for word in re.findall(r"[^\W_]+", text.casefold()):
        if word.isascii() or len(word) < 2:
            yield word
        else:
            yield from (word[at : at + 2] for at in range(len(word) - 1))
