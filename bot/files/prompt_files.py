"""The part of a question that its files become, and what the person is told of each."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.files.file_reader import MAX_BYTES, MAX_PAGES, Content, ReadImage, Skipped, Text
from bot.notices import Notice
from bot.sanitize import MAX_NAME_CHARS, clean_name

MIN_FENCE = 3
BEGINNING_CHARS = 1_500
MAX_POSTED_CHARS = 260  # of a name as Discord tells it; what follows is not looked at
MAX_ENDING_CHARS = 10
NAMELESS_FILE = "file"
# Names that Windows reserves, with any extension.
_RESERVED_NAMES = frozenset(
    ("CON", "PRN", "AUX", "NUL", *(f"{port}{n}" for port in ("COM", "LPT") for n in range(1, 10)))
)
_SKIPPED_NOTES = {
    "pictures": "file-without-pictures",
    "charts": "file-without-charts",
    "diagrams": "file-without-diagrams",
    "objects": "file-without-objects",
}


@dataclass(frozen=True)
class ReadFile:
    """A file, read."""

    name: str
    content: Content

    @property
    def note(self) -> Notice:
        """Tell the person what was done with the file."""
        match self.content:
            case Skipped(reason, exactly):
                limits = {"megabytes": MAX_BYTES >> 20, "pages": MAX_PAGES}
                key = exactly or f"file-{reason}"
                return Notice(key, arguments={"name": self.name, **limits})
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

    @property
    def remarks(self) -> list[Notice]:
        """Return what was assumed, changed or left out while it was read."""
        if not isinstance(self.content, Text):
            return []
        name = {"name": self.name}
        text = self.content
        remarks = [Notice(_SKIPPED_NOTES[kind], arguments=name) for kind in text.skipped]
        if text.assumed_encoding:
            assumed = {**name, "encoding": text.assumed_encoding}
            remarks.append(Notice("file-assumed-encoding", arguments=assumed))
        if text.repaired:
            remarks.append(Notice("file-repaired", arguments=name))
        if text.cleaned:
            remarks.append(Notice("file-cleaned", arguments=name))
        return remarks


def clean_file_name(name: str) -> str:
    """Return a name that neither Discord, nor a model, nor a file system takes for more."""
    name = name.replace("\\", "/").rpartition("/")[2] or name
    plain = clean_name(name, limit=MAX_POSTED_CHARS).replace("__", "_")
    if not plain.strip(". "):
        return NAMELESS_FILE
    stem, dot, ending = plain.lstrip(".").rpartition(".")
    if not stem or len(ending) > MAX_ENDING_CHARS:
        stem, dot, ending = plain.lstrip("."), "", ""
    if stem.partition(".")[0].strip().upper() in _RESERVED_NAMES:
        stem = f"_{stem}"
    room = MAX_NAME_CHARS - len(dot + ending)
    return f"{stem[:room].rstrip('. ')}{dot}{ending}".rstrip(". ")


class FileNames:
    """Clean names of one question's files, no two of which are the same."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def add(self, name: str) -> str:
        """Return the clean name, with a number where another file has it already."""
        clean = unique = clean_file_name(name)
        stem, dot, ending = clean.rpartition(".")
        if not dot:
            stem, ending = clean, ""
        number = 1
        while unique.casefold() in self._taken:
            number += 1
            mark = f"-{number}"
            unique = f"{stem[: MAX_NAME_CHARS - len(mark + dot + ending)]}{mark}{dot}{ending}"
        self._taken.add(unique.casefold())
        return unique


def with_files(prompt: str, files: Sequence[ReadFile]) -> str:
    """Return the prompt with the files' texts quoted below it.

    A fence is longer than any in what it encloses, so no file can end its own quotation.
    """
    return "\n\n".join((prompt, *(_quote_file(f) for f in files if isinstance(f.content, Text))))


def first_lines(content: Content) -> Content:
    """Cut data that a program reads in full to its first lines, which show the model its form."""
    if not isinstance(content, Text):
        return content
    text = content.text[:BEGINNING_CHARS]
    if len(text) < len(content.text):
        text = text[: text.rfind("\n") + 1] or text
    return replace(content, text=text, cut=text != content.text or content.cut, beginning=True)


def _quote_file(file: ReadFile) -> str:
    assert isinstance(file.content, Text)  # noqa: S101 — for the type checker
    title = f'File "{file.name}"{_describe_extent(file.content)}:'
    return f"{title}\n{fence_text(file.content.text)}"


def _describe_extent(text: Text) -> str:
    if text.pages and text.cut:
        return f" (the first {text.pages[0]} of {text.pages[1]} pages)"
    return f" (its first {len(text.text)} characters)" if text.cut else ""


def fence_text(text: str) -> str:
    """Put the text into a code fence that it cannot close."""
    longest = max(map(len, re.findall(r"`+", text)), default=0)
    fence = "`" * max(longest + 1, MIN_FENCE)
    return f"{fence}\n{text.strip(chr(10))}\n{fence}"


def list_images(files: Sequence[ReadFile]) -> list[ReadFile]:
    return [file for file in files if isinstance(file.content, ReadImage)]
