"""What an operator does to a library: add pictures, build its index, check it for faults."""

import asyncio
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import msgspec

from inference import ocr
from inference.library.image_checks import contradiction, read_image_text
from inference.library.image_entry import (
    ImageEntry,
    LibraryError,
    file_of,
    kind_in,
    read_manifest,
    write_manifest,
)
from inference.library.image_file import (
    Unreadable,
    decode,
    fingerprint,
    read_file,
    suffix_of,
    to_article_image,
)
from inference.library.image_library import ImageLibrary, ImageText, Index, write_index
from inference.library.normalize import name_of
from jobqueue.article import ImageKind


def import_images(folder: Path, files: Sequence[Path], description: ImageEntry) -> list[ImageEntry]:
    """Add the files that are new, and return their entries.

    `description` holds for all of them; without a caption each has its file's name for one.
    Raises LibraryError, and then nothing was added.
    """
    folder.mkdir(parents=True, exist_ok=True)
    present = read_manifest(folder)
    known = {entry.sha256 for entry in present}
    new: list[ImageEntry] = []
    copies: list[tuple[Path, Path]] = []
    for file in files:
        entry = _describe(file, description, {each.path for each in (*present, *new)})
        if entry.sha256 not in known:
            known.add(entry.sha256)
            copies.append((file, folder / entry.path))
            new.append(entry)
    for file, place in copies:
        if file.resolve() != place.resolve():
            shutil.copyfile(file, place)
    write_manifest(folder, [*present, *new])
    return new


def _describe(file: Path, description: ImageEntry, paths: set[str]) -> ImageEntry:
    try:
        data = read_file(file)
        decode(data)
        suffix = suffix_of(data)
    except Unreadable as error:
        raise LibraryError(f"{file}: {error}") from error
    words = " ".join(file.stem.replace("_", " ").replace("-", " ").split())
    caption = description.caption or words
    stem = name_of(file.stem).replace(" ", "-")[:80] or "picture"
    names = (f"{stem}{suffix}", *(f"{stem}-{number}{suffix}" for number in range(2, 10_000)))
    return msgspec.structs.replace(
        description,
        path=next(name for name in names if name not in paths),
        caption=caption,
        sha256=sha256(data).hexdigest(),
        kind=description.kind or kind_in(caption),
    )


async def build_index(
    folder: Path, report: Callable[[int, int], None] = lambda _done, _total: None
) -> Index:
    """Read what was not read yet, and write the index. Raises LibraryError."""
    library = ImageLibrary.load(folder)
    written = {}
    for done, entry in enumerate(library.entries):
        report(done, len(library.entries))
        text = library.index.written.get(entry.sha256) or await _read_text(folder, entry)
        if text is not None:
            written[entry.sha256] = text
    index = Index(written=written)
    write_index(folder, index)
    return index


async def _read_text(folder: Path, entry: ImageEntry) -> ImageText | None:
    path = file_of(folder, entry)
    if path is None or not ocr.is_installed():
        return None
    try:
        data = await asyncio.to_thread(read_file, path)
        return await read_image_text(to_article_image(data).data)
    except Unreadable:
        return None


NEAR_BITS = 6  # of 240, by which two pictures may differ and look the same


@dataclass(frozen=True, slots=True)
class LibraryFault:
    path: str
    what: str
    is_serious: bool = True  # then the picture is not used


def find_faults(library: ImageLibrary) -> list[LibraryFault]:
    """Read every file. What is written in them is known once `index` has run."""
    fingerprints: dict[str, int] = {}
    found: list[LibraryFault] = []
    for at, entry in enumerate(library.entries):
        found += _file_faults(library, entry, fingerprints)
        found += _word_faults(entry)
        if unexplained := library.unexplained_terms(at):
            what = f"its caption says “{unexplained[0]}…”: give the years that the map shows"
            found.append(LibraryFault(entry.path, what, is_serious=False))
        if against := contradiction(entry, library.text_in(entry), library.known):
            found.append(LibraryFault(entry.path, against))
    return [*found, *_twins(library.entries, fingerprints)]


def _file_faults(
    library: ImageLibrary, entry: ImageEntry, fingerprints: dict[str, int]
) -> Iterator[LibraryFault]:
    path = file_of(library.folder, entry)
    if path is None:
        yield LibraryFault(entry.path, "leads out of the library")
    elif not path.is_file():
        yield LibraryFault(entry.path, "is missing")
    else:
        try:
            data = read_file(path)
            fingerprints[entry.path] = fingerprint(decode(data))
        except Unreadable as error:
            yield LibraryFault(entry.path, f"cannot be read: {error}")
            return
        if not entry.sha256:
            yield LibraryFault(
                entry.path, "has no sha256, so nobody notices when it is exchanged", False
            )
        elif sha256(data).hexdigest() != entry.sha256:
            yield LibraryFault(entry.path, "is another file than the one that was described")


def _word_faults(entry: ImageEntry) -> Iterator[LibraryFault]:
    if not entry.licence:
        yield LibraryFault(entry.path, "has no licence", is_serious=False)
    if not entry.author:
        yield LibraryFault(entry.path, "has no author", is_serious=False)
    if not entry.caption:
        yield LibraryFault(entry.path, "has no caption")
    elif not entry.names and any(word[:1].isupper() for word in entry.caption.split()[1:]):
        what = "its caption has names that neither place nor entities say"
        yield LibraryFault(entry.path, what, is_serious=False)
    if entry.kind in (ImageKind.MAP, ImageKind.PORTRAIT) and not entry.subjects:
        what = f"a {entry.kind} of nothing: name what it shows"
        yield LibraryFault(entry.path, what, is_serious=False)


def _twins(entries: Sequence[ImageEntry], fingerprints: dict[str, int]) -> Iterator[LibraryFault]:
    same: dict[str, list[str]] = defaultdict(list)
    for entry in filter(lambda each: each.sha256, entries):
        same[entry.sha256].append(entry.path)
    for first, *others in same.values():
        for other in others:
            yield LibraryFault(other, f"is the same file as {first}", is_serious=False)
    hashes = {entry.path: entry.sha256 for entry in entries}
    seen = list(fingerprints.items())
    for number, (path, bits) in enumerate(seen):
        for other, other_bits in seen[:number]:
            is_near = (bits ^ other_bits).bit_count() <= NEAR_BITS
            if is_near and hashes[path] != hashes[other]:
                yield LibraryFault(path, f"looks like {other}", is_serious=False)
                break
