"""Files become part of a question: what the model reads, and what the person is told of it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.files.read import MAX_BYTES, MAX_PAGES, Content, Picture, Skipped, Text
from bot.notices import Notice
from bot.question import clean_name

MIN_FENCE = 3
BEGINNING_CHARS = 1_500


@dataclass(frozen=True)
class Quoted:
    """A file, read."""

    name: str
    content: Content

    @property
    def note(self) -> Notice:
        """What became of it, for its person."""
        match self.content:
            case Skipped(reason):
                limits = {"megabytes": MAX_BYTES >> 20, "pages": MAX_PAGES}
                return Notice(f"file-{reason}", arguments={"name": self.name, **limits})
            case Text(beginning=True):
                return Notice("file-data", arguments={"name": self.name})
            case Text(text, cut=True, pages=None):
                cut = {"name": self.name, "characters": len(text)}
                return Notice("file-cut", arguments=cut)
            case Text(cut=True, pages=(read, pages)):
                cut = {"name": self.name, "read": read, "pages": pages}
                return Notice("file-cut-pages", arguments=cut)
            case _:
                return Notice("file-read", arguments={"name": self.name})


def clean_file_name(name: str) -> str:
    """A name that neither Discord nor a model could take for markup."""
    return clean_name(name).replace("__", "_")


def with_files(prompt: str, files: Sequence[Quoted]) -> str:
    """The question, and below it the texts of the files as quotations.

    A fence is longer than any in what it encloses, so no file can end its own quotation.
    """
    return "\n\n".join((prompt, *(_quotation(f) for f in files if isinstance(f.content, Text))))


def beginning(content: Content) -> Content:
    """The first lines of data that a program reads whole: enough to see what it is like."""
    if not isinstance(content, Text):
        return content
    text = content.text[:BEGINNING_CHARS]
    if len(text) < len(content.text):
        text = text[: text.rfind("\n") + 1] or text
    return replace(content, text=text, cut=text != content.text or content.cut, beginning=True)


def _quotation(file: Quoted) -> str:
    assert isinstance(file.content, Text)  # noqa: S101 — for the type checker
    title = f'File "{file.name}"{_extent(file.content)}:'
    return f"{title}\n{quote(file.content.text)}"


def _extent(text: Text) -> str:
    if text.pages and text.cut:
        return f" (the first {text.pages[0]} of {text.pages[1]} pages)"
    return f" (its first {len(text.text)} characters)" if text.cut else ""


def quote(text: str) -> str:
    """`text` in a code fence that it cannot end."""
    longest = max(map(len, re.findall(r"`+", text)), default=0)
    fence = "`" * max(longest + 1, MIN_FENCE)
    return f"{fence}\n{text.strip(chr(10))}\n{fence}"


def pictures(files: Sequence[Quoted]) -> list[Quoted]:
    return [file for file in files if isinstance(file.content, Picture)]
