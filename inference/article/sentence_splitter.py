"""Text in pieces: sentences, and lines where a line is what counts."""

import re
from collections.abc import Iterator
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


class Piece(NamedTuple):
    text: str
    space: str  # what follows it: white space
    starts: bool = False  # a line begins with it

    @property
    def whole(self) -> bool:
        """It ends as sentences do."""
        return bool(_WHOLE.search(self.text)) and not _SHORT.search(self.text)

    @property
    def line(self) -> bool:
        """All of a line."""
        return self.starts and "\n" in self.space


def pieces(text: str, *, ended: bool, starts: bool = True) -> Iterator[Piece]:
    """Those that surely end within `text`; once it has `ended`, what is left, too.

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
        yield Piece(text[at:end], text[end:stop], starts)
        starts = "\n" in text[end:stop]
        at = search = stop


def _block_end(text: str, at: int) -> int | None:
    """Where the block that begins at `at` ends, -1 where it does not, None where none begins."""
    mark = next((each for each in _BLOCKS if text.startswith(each, at)), None)
    if mark is None:
        return None
    close = text.find(mark, at + len(mark))
    return close + len(mark) if close >= 0 else -1
