"""The library's manifest, `pictures.jsonl`: one picture a line, edited by hand."""

import os
import re
from collections.abc import Sequence
from pathlib import Path

import msgspec

from inference.library.normalize import mentioned_names
from jobqueue.article import ImageKind
from jobqueue.structs import Struct

NAME = "pictures.jsonl"
_YEAR = re.compile(r"(?<![\d.,])\d{3,4}(?![\d]|[.,]\d)")

# As prompts, captions and file names call the kinds; a manifest's own field is better.
KIND_NAMES = {
    ImageKind.MAP: ("map", "地图"),
    ImageKind.PORTRAIT: ("portrait", "肖像"),
    ImageKind.CHART: ("chart", "图表"),
    ImageKind.DRAWING: ("drawing", "绘画"),
    ImageKind.PHOTO: ("photo", "照片"),
}


class LibraryError(Exception):
    """One sentence for the operator, with the way out."""


class ImageEntry(Struct, frozen=True):
    """One picture: what it shows, where and when, and whom to credit."""

    path: str  # below the library's folder; it is the entry's id too
    caption: str = ""  # printed below the picture
    sha256: str = ""  # of the file when it was added
    kind: ImageKind | None = None
    place: str = ""  # from the nearest on, other names behind a slash: "Luoyang/洛阳, Henan, China"
    entities: tuple[str, ...] = ()  # persons, works and places that it shows; a map's first is its
    also: tuple[str, ...] = ()  # other names of these, or of the place where there are none
    years: tuple[int, int] | None = None  # the time that it shows, first and last year
    period: str = ""  # names of that time, with slashes: "Tang/唐"
    tags: tuple[str, ...] = ()
    alt: str = ""
    licence: str = ""
    author: str = ""
    source: str = ""  # an address, or a name

    @property
    def nearest(self) -> tuple[str, ...]:
        """The names of the place itself."""
        return _split(self.place.split(",")[0])

    @property
    def shown_names(self) -> tuple[str, ...]:
        """The names of what it shows in particular; empty for a view of a place as such."""
        return (*self.entities, *self.also) if self.entities else ()

    @property
    def identifying_names(self) -> tuple[str, ...]:
        """The names of which any tells that the picture is right; empty for a view of a place."""
        if self.kind is ImageKind.MAP:
            return (*(self.entities[:1] or self.nearest), *self.also)
        return self.shown_names

    @property
    def subjects(self) -> tuple[str, ...]:
        """The names of what it shows, and of the place at its nearest."""
        return tuple(dict.fromkeys((*self.entities, *self.also, *self.nearest)))

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its subjects, and of what surrounds the place."""
        return tuple(dict.fromkeys((*self.subjects, *_split(self.place.replace(",", "/")))))

    @property
    def periods(self) -> tuple[str, ...]:
        return _split(self.period)


def kind_in(text: str) -> ImageKind | None:
    """Return the kind of picture that a caption names itself."""
    return next((kind for kind, names in KIND_NAMES.items() if mentioned_names(text, names)), None)


def years_in(text: str) -> frozenset[int]:
    return frozenset(int(year) for year in _YEAR.findall(text))


def read_manifest(folder: Path) -> tuple[ImageEntry, ...]:
    """Return no entries without a manifest. Raises LibraryError, which names the line."""
    path = folder / NAME
    if not folder.is_dir():
        raise LibraryError(f"there is no folder {folder}")
    try:
        lines = path.read_text("utf-8").splitlines() if path.exists() else []
    except (OSError, UnicodeDecodeError) as error:
        raise LibraryError(f"{path} cannot be read: {error}") from error
    entries = tuple(
        _parse(f"{path}:{number}", line) for number, line in enumerate(lines, 1) if line.strip()
    )
    if twice := {e.path for e in entries if sum(e.path == each.path for each in entries) > 1}:
        raise LibraryError(f"{path} has {', '.join(sorted(twice))} more than once")
    return entries


def _parse(where: str, line: str) -> ImageEntry:
    try:
        return msgspec.json.decode(line, type=ImageEntry)
    except (msgspec.DecodeError, RecursionError) as error:
        raise LibraryError(f"{where}: {error}") from error


def write_manifest(folder: Path, entries: Sequence[ImageEntry]) -> None:
    """Replace the manifest as a whole."""
    lines = (msgspec.json.encode(entry).decode() + "\n" for entry in entries)
    new = folder / f".{NAME}.new"
    new.write_text("".join(lines), "utf-8")
    os.replace(new, folder / NAME)


def file_of(folder: Path, entry: ImageEntry) -> Path | None:
    """Return where its file lies; None for a path that leads out of the folder, links included."""
    root = folder.resolve()
    path = (root / entry.path).resolve()
    return path if path.is_relative_to(root) else None


def _split(text: str) -> tuple[str, ...]:
    return tuple(filter(None, map(str.strip, text.split("/"))))
