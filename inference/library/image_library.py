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
from inference.library.eligibility import Wanted, refusal, settles
from inference.library.image_entry import Entry
from inference.library.keyword_search import Search
from inference.library.naming import naming
from inference.library.normalize import among, folded, mentioned, name_of, terms
from inference.library.ocr_check import contradicted
from jobqueue.article import Kind

SPOKEN = 0.6  # of a caption's words, by weight


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


@dataclass(frozen=True, slots=True)
class Subject:
    """Something that there are pictures of, and that is named in lines of a text."""

    name: str  # as `name_of` writes the one that is used there
    kind: Kind | None  # of those pictures, where they are maps
    shown: bool  # as itself; else they are views of a place, of which this name alone tells little
    around: frozenset[str]  # it, and what it belongs to
    named: frozenset[int]  # lines that name it
    plainly: frozenset[int]  # those that name nothing else that is known
    doubtful: frozenset[int]  # lines that may mean something else of that name


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

    @cached_property
    def _subjects(self) -> Mapping[tuple[str, Kind | None, bool], frozenset[str]]:
        """What may be named beside each."""
        around: dict[tuple[str, Kind | None, bool], set[str]] = defaultdict(set)
        for entry in self.entries:
            kind = Kind.MAP if entry.kind is Kind.MAP else None
            for name in filter(None, map(name_of, entry.subjects)):
                around[name, kind, among(name, entry.heart)].update(map(name_of, entry.names))
        return {subject: frozenset(names) for subject, names in around.items()}

    def subjects(self, lines: Sequence[str]) -> Iterator[Subject]:
        """What lines of a text, sentences and headings, name of what there are pictures of."""
        whole = folded("\n".join(lines))
        known = [name for name in self.known if name in whole]
        said = [mentioned(line, known) for line in lines]
        every = frozenset[str]().union(*said)
        for (name, kind, shown), around in self._subjects.items():
            if name not in every:
                continue
            longer = [other for other in known if name in other and other != name]
            named = {
                at: naming(line, name, longer=longer, around=around)
                for at, line in enumerate(lines)
            }
            itself = frozenset(at for at, is_it in named.items() if is_it)
            yield Subject(
                name,
                kind,
                shown,
                around,
                named=itself,
                plainly=frozenset(at for at in itself if said[at] <= around),
                doubtful=frozenset(at for at, is_it in named.items() if is_it is False),
            )

    def belonging(self, topic: str) -> Iterator[tuple[str, ...]]:
        """Of what there are pictures that is at, or of, what a topic names: by all its names, or
        as a caption says it where it has none."""
        named = {subject.name for subject in self.subjects([topic]) if subject.plainly}
        for entry in self.entries:
            names = entry.shown or (entry.caption,)
            if entry.kind is Kind.MAP or named.isdisjoint(map(name_of, entry.names)):
                continue
            written = self.index.written.get(entry.sha256, store.Written())
            if not named & set(map(name_of, names)) and not contradicted(
                entry, written, self.known
            ):
                yield names

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
        if wanted.beside and not self._spoken_of(at, wanted.beside):
            return Candidate(entry, share, refused or "the text does not speak of it", near=False)
        return Candidate(entry, share, refused, near or settles(wanted, entry))

    def _spoken_of(self, at: int, text: str) -> bool:
        """Whether a text says what a picture shows: by a name of it; of a place as such, that is
        what is needed; and of nothing by name most of its caption, or a word to find it by."""
        entry = self.entries[at]
        if entry.names:
            return not entry.shown or bool(mentioned(text, entry.shown))
        tagged = any(tag and folded(tag) in folded(text) for tag in entry.tags)
        unsaid = set(terms(entry.caption)) - set(terms(text))
        return tagged or self.search.share(entry.caption, at, lacks=unsaid) >= SPOKEN


def version(entries: Sequence[Entry]) -> str:
    return sha256(repr(entries).encode()).hexdigest()
