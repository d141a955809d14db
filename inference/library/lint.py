"""What is wrong with a library: what would be refused later, or should not be printed."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from inference.library import image_file, manifest
from inference.library.image_entry import Entry
from inference.library.image_file import Unreadable
from inference.library.image_library import Library
from inference.library.ocr_check import contradicted
from inference.library.store import Index, Written
from jobqueue.article import Kind

NEAR_BITS = 6  # of 240, by which two pictures may differ and are the same to the eye


@dataclass(frozen=True, slots=True)
class Fault:
    path: str
    what: str
    serious: bool = True  # the picture is not used; else it is, and should be seen to


def faults(library: Library) -> list[Fault]:
    """Reads every file. What is written in them is known once `index` has run."""
    fingerprints: dict[str, int] = {}
    found: list[Fault] = []
    for entry in library.entries:
        found += _of_file(library.folder, entry, fingerprints)
        found += _of_words(entry)
        found += _of_text(entry, library.index, library)
    found += _twins(library.entries, fingerprints)
    return found


def _of_file(folder: Path, entry: Entry, fingerprints: dict[str, int]) -> Iterator[Fault]:
    path = manifest.file_of(folder, entry)
    if path is None:
        yield Fault(entry.path, "leads out of the library")
    elif not path.is_file():
        yield Fault(entry.path, "is missing")
    else:
        try:
            data = image_file.read(path)
            fingerprints[entry.path] = image_file.fingerprint(image_file.opened(data))
        except Unreadable as error:
            yield Fault(entry.path, f"cannot be read: {error}")
            return
        if not entry.sha256:
            yield Fault(entry.path, "has no sha256, so nobody notices when it is exchanged", False)
        elif sha256(data).hexdigest() != entry.sha256:
            yield Fault(entry.path, "is another file than the one that was described")


def _of_words(entry: Entry) -> Iterator[Fault]:
    if not entry.licence:
        yield Fault(entry.path, "has no licence", serious=False)
    if not entry.author:
        yield Fault(entry.path, "has no author", serious=False)
    if not entry.caption:
        yield Fault(entry.path, "has no caption")
    elif not entry.names and any(word[:1].isupper() for word in entry.caption.split()[1:]):
        yield Fault(
            entry.path, "its caption has names that neither place nor entities say", serious=False
        )
    if entry.kind in (Kind.MAP, Kind.PORTRAIT) and not entry.subjects:
        yield Fault(entry.path, f"a {entry.kind} of nothing: name what it shows", serious=False)


def _of_text(entry: Entry, index: Index, library: Library) -> Iterator[Fault]:
    text = index.written.get(entry.sha256, Written())
    if against := contradicted(entry, text, library.known):
        yield Fault(entry.path, against)


def _twins(entries: Sequence[Entry], fingerprints: dict[str, int]) -> Iterator[Fault]:
    same: dict[str, list[str]] = defaultdict(list)
    for entry in filter(lambda each: each.sha256, entries):
        same[entry.sha256].append(entry.path)
    for first, *others in same.values():
        yield from (Fault(other, f"is the same file as {first}", serious=False) for other in others)
    of = {entry.path: entry for entry in entries}
    looked = list(fingerprints.items())
    for number, (path, print_) in enumerate(looked):
        for other, other_print in looked[:number]:
            near = (print_ ^ other_print).bit_count() <= NEAR_BITS
            if near and of[path].sha256 != of[other].sha256:
                yield Fault(path, f"looks like {other}", serious=False)
                break
