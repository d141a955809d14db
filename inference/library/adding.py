"""Pictures come into the library: copied, hashed, and described by a line of the manifest."""

import shutil
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import msgspec

from inference.library import image_file, manifest
from inference.library.eligibility import kind_in
from inference.library.image_entry import Entry
from inference.library.image_file import Unreadable
from inference.library.manifest import LibraryError
from inference.library.normalize import folded


def add(folder: Path, files: Sequence[Path], described: Entry) -> list[Entry]:
    """The entries that are new. `described` is what is said of all of them; without a caption each
    has its file's name for one. Raises LibraryError, and then nothing was added."""
    folder.mkdir(parents=True, exist_ok=True)
    there = manifest.read(folder)
    known = {entry.sha256 for entry in there}
    new: list[Entry] = []
    copies: list[tuple[Path, Path]] = []
    for file in files:
        entry = _entry(file, described, {each.path for each in (*there, *new)})
        if entry.sha256 not in known:
            known.add(entry.sha256)
            copies.append((file, folder / entry.path))
            new.append(entry)
    for file, place in copies:
        if file.resolve() != place.resolve():
            shutil.copyfile(file, place)
    manifest.write(folder, [*there, *new])
    return new


def _entry(file: Path, described: Entry, paths: set[str]) -> Entry:
    try:
        data = image_file.read(file)
        image_file.opened(data)
        suffix = image_file.suffix_of(data)
    except Unreadable as error:
        raise LibraryError(f"{file}: {error}") from error
    caption = described.caption or " ".join(file.stem.replace("_", " ").replace("-", " ").split())
    return msgspec.structs.replace(
        described,
        path=_free(file.stem, suffix, paths),
        caption=caption,
        sha256=sha256(data).hexdigest(),
        kind=described.kind or kind_in(caption),
    )


def _free(stem: str, suffix: str, paths: set[str]) -> str:
    plain = folded(stem).replace(" ", "-")[:80] or "picture"
    names = (f"{plain}{suffix}", *(f"{plain}-{number}{suffix}" for number in range(2, 10_000)))
    return next(name for name in names if name not in paths)
