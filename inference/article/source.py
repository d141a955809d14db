"""The assignment of an article, and the text that came with it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from inference.article.prompts import Language
from inference.library.normalize import capitalized_names
from inference.tools.search_tools import best, passages_of

# As the bot quotes a file.
_FILE = re.compile(r'^File "[^"\n]*"[^\n]*:\n(`{3,})\n(.*?)\n\1$', re.DOTALL | re.MULTILINE)
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
MAX_ASSIGNMENT = 1_500  # characters; what is longer is a text to go by
_STEM = 4
_OPENING = 120  # characters of each passage, where all of them are looked over


@dataclass(frozen=True)
class SourceText:
    assignment: str
    text: str = ""  # of files, or of a long assignment

    def about(self, words: str, room: int) -> str:
        """Return what it says of `words`, in its own order; all of it where it has at most `room`
        characters."""
        if len(self.text) <= room:
            return self.text
        return self._join(sorted(best(words, self._passages), key=self._passages.index), room)

    def passage(self, words: str) -> str:
        """Return the one that has most to do with `words`, of several."""
        return next(iter(best(words, self._passages)), "") if len(self._passages) > 1 else ""

    def beginning(self, room: int) -> str:
        return self._join(self._passages[:1], room)

    def overview(self, room: int) -> str:
        """Return how each part of it begins."""
        if len(self.text) <= room:
            return self.text
        every = max(1, len(self._passages) * _OPENING // max(room, 1) + 1)
        return self._join([each[:_OPENING] for each in self._passages[::every]], room)

    def supports(self, sentence: str, language: Language) -> bool:
        """Return whether all that can be checked of a sentence is here: numbers of more than one
        digit, and where both are English the beginnings of names: `Chinese` where `China` is. All
        is, where there is no text to go by."""
        if not self.text:
            return True
        numbers = {number for number in numbers_in(sentence) if len(number) > 1}
        english = language.is_english and " the " in self._folded_text
        names = capitalized_names(sentence) if english else []
        words = (word[:_STEM].casefold() for name in names for word in name.split())
        return numbers <= self._numbers and all(word in self._folded_text for word in words)

    @cached_property
    def _folded_text(self) -> str:
        return f"{self.assignment}\n{self.text}".casefold()

    @cached_property
    def _numbers(self) -> frozenset[str]:
        return numbers_in(f"{self.assignment}\n{self.text}")

    @cached_property
    def _passages(self) -> Sequence[str]:
        return list(passages_of(self.text))

    @staticmethod
    def _join(chosen: Sequence[str], room: int) -> str:
        return "\n\n".join(chosen)[:room]


def parse_source(prompt: str) -> SourceText:
    files = "\n\n".join(found[2] for found in _FILE.finditer(prompt))
    said = _FILE.sub("", prompt).strip()
    if len(said) <= MAX_ASSIGNMENT:
        return SourceText(said or _first_line(files), files)
    return SourceText(_first_line(said), "\n\n".join(filter(None, (said, files))))


def numbers_in(text: str) -> frozenset[str]:
    """Return numbers as they are written, but for separators of thousands."""
    return frozenset(map(plain_number, _NUMBER.findall(text)))


def plain_number(written: str) -> str:
    return re.sub(r",(?=\d{3}\b)", "", written)


def _first_line(text: str) -> str:
    first = next(filter(None, map(str.strip, text.splitlines())), "")
    return first.lstrip("# ")[:MAX_ASSIGNMENT]
