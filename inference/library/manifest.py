"""The library's manifest: `pictures.jsonl`, a picture a line, made to be edited by hand."""

import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

from inference.library.image_entry import Entry

NAME = "pictures.jsonl"


class LibraryError(Exception):
    """One sentence for the operator, with the way out."""


def read(folder: Path) -> tuple[Entry, ...]:
    """Empty without a manifest. Raises LibraryError, which names the line."""
    path = folder / NAME
    if not folder.is_dir():
        raise LibraryError(f"there is no folder {folder}")
    try:
        lines = path.read_text("utf-8").splitlines() if path.exists() else []
    except (OSError, UnicodeDecodeError) as error:
        raise LibraryError(f"{path} cannot be read: {error}") from error
    entries = tuple(
        _entry(f"{path}:{number}", line) for number, line in enumerate(lines, 1) if line.strip()
    )
    if twice := {e.path for e in entries if sum(e.path == each.path for each in entries) > 1}:
        raise LibraryError(f"{path} has {', '.join(sorted(twice))} more than once")
    return entries


def _entry(where: str, line: str) -> Entry:
    try:
        return msgspec.json.decode(line, type=Entry)
    except (msgspec.DecodeError, RecursionError) as error:
        raise LibraryError(f"{where}: {error}") from error


def write(folder: Path, entries: Sequence[Entry]) -> None:
    """All of it or nothing, whatever happens meanwhile."""
    lines = (msgspec.json.encode(entry).decode() + "\n" for entry in entries)
    new = folder / f".{NAME}.new"
    new.write_text("".join(lines), "utf-8")
    os.replace(new, folder / NAME)


def file_of(folder: Path, entry: Entry) -> Path | None:
    """Where its file lies; None for a path that leads out of the folder, links included."""
    root = folder.resolve()
    path = (root / entry.path).resolve()
    return path if path.is_relative_to(root) else None
