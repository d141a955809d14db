"""An operator's pictures, ready to be searched."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from inference.library import manifest, store
from inference.library.calibrate import Figures, calibrate
from inference.library.entry import Entry
from inference.library.gate import Wanted, refusal, settles
from inference.library.names import name_of
from inference.library.search import Search


class Sense(Protocol):
    """Texts and pictures compared by a model."""

    def nearest(self, text: str) -> Sequence[tuple[str, float]]:
        """Files' SHA-256, with how near they are: from the calibrated threshold on, above 0."""
        ...


@dataclass(frozen=True, slots=True)
class Candidate:
    entry: Entry
    share: float  # 0 to 1
    refused: str | None  # why it is out of question
    near: bool  # enough

    @property
    def fits(self) -> bool:
        return self.near and self.refused is None


@dataclass(frozen=True)
class Library:
    folder: Path
    entries: tuple[Entry, ...] = ()
    index: store.Index = field(default_factory=store.Index)
    sense: Sense | None = None

    @classmethod
    def load(cls, folder: Path) -> "Library":
        """Raises LibraryError."""
        return cls(folder, manifest.read(folder), store.read(folder))

    @cached_property
    def search(self) -> Search:
        return Search(self.entries)

    @cached_property
    def known(self) -> frozenset[str]:
        """Names of what its pictures are about."""
        return frozenset(name_of(name) for entry in self.entries for name in entry.subjects) - {""}

    @cached_property
    def figures(self) -> Figures:
        """The stored ones, while they are of this manifest."""
        if self.index.manifest == version(self.entries):
            return self.index.figures
        return calibrate(self.search, self.entries)

    @cached_property
    def _named(self) -> Mapping[str, Sequence[int]]:
        named: dict[str, list[int]] = defaultdict(list)
        for at, entry in enumerate(self.entries):
            for name in {name_of(each) for each in entry.names}:
                named[name].append(at)
        return named

    def candidates(self, wanted: Wanted) -> list[Candidate]:
        """What has a word or a name of it, those that fit before the others, the nearest first."""
        sensed = dict(self.sense.nearest(wanted.text)) if self.sense else {}
        return sorted(
            (self._judged(at, wanted, sensed) for at in set(self._found(wanted, sensed))),
            key=lambda each: (
                not each.fits,
                each.refused is not None,
                -each.share,
                each.entry.path,
            ),
        )

    def _found(self, wanted: Wanted, sensed: Mapping[str, float]) -> Iterator[int]:
        yield from self.search.ranked(wanted.text)
        for name in wanted.names:
            yield from self._named.get(name, ())
        yield from (at for at, entry in enumerate(self.entries) if entry.sha256 in sensed)

    def _judged(self, at: int, wanted: Wanted, sensed: Mapping[str, float]) -> Candidate:
        entry = self.entries[at]
        refused = refusal(wanted, entry, self.known)
        share = self.search.share(wanted.text, at, named=() if refused else wanted.names)
        near = share >= self.figures.threshold or entry.sha256 in sensed
        return Candidate(entry, share, refused, near or settles(wanted, entry))


def version(entries: Sequence[Entry]) -> str:
    return sha256(repr(entries).encode()).hexdigest()
