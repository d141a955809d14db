"""What each message of an answer should look like right now.

A face is all that is seen of one message. Showing an answer is then making the messages equal
their faces, whatever was shown before.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from bot.notices import Notice
from bot.render.split import MESSAGE_UNITS, split, units
from bot.words import Words


@dataclass(frozen=True)
class Face:
    content: str = ""
    notice: Notice | None = None  # shown as a card under the content
    stoppable: bool = False  # carries the Stop button


Faces = tuple[Face, ...]


def waiting(notice: Notice) -> Faces:
    return (Face(notice=notice, stoppable=True),)


def streaming(text: str) -> Faces:
    """The text so far, with the Stop button under its last message."""
    contents = _contents(text)
    return tuple(
        Face(content, stoppable=number == len(contents))
        for number, content in enumerate(contents, start=1)
    )


def finished(text: str, footnotes: Iterable[Notice], words: Words) -> Faces:
    contents = _contents(text)
    notes = "\n".join(f"-# {note.text(words)}" for note in footnotes)
    return tuple(Face(content) for content in _with_last_line(contents, notes))


def told(notice: Notice, text: str = "") -> Faces:
    """The notice, under what there is of an answer."""
    *before, last = _contents(text) or [""]
    return (*(Face(content) for content in before), Face(last, notice))


def _contents(text: str) -> list[str]:
    """The messages of `text`; Discord refuses a message of white space alone."""
    return [piece.content for piece in split(text) if piece.body.strip()]


def _with_last_line(contents: list[str], line: str) -> list[str]:
    if not line:
        return contents
    *before, last = contents or [""]
    joined = f"{last.rstrip()}\n{line}" if last else line
    return [*before, joined] if units(joined) <= MESSAGE_UNITS else [*contents, line]
