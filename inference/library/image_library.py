"""An operator's pictures, ready to be searched, and read anew when the manifest changes."""

import asyncio
import logging
import os
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import msgspec

from inference.library import image_entry
from inference.library.eligibility import (
    ImageQuery,
    SurroundingText,
    is_settled_by_name,
    name_doubt,
    refusal,
)
from inference.library.image_entry import ImageEntry, LibraryError, read_manifest
from inference.library.keyword_search import KeywordSearch
from inference.library.normalize import (
    NameSet,
    capitalized_names,
    is_among,
    mentioned_names,
    name_of,
    terms,
)
from jobqueue.article import ImageKind, ImageRequest
from jobqueue.structs import Struct

INDEX_NAME = "pictures.index.json"
LEAST_SHARE = 0.5  # of a query's weight, from which on a picture is near enough
CAPTION_SHARE = 0.6  # of a caption's weight, from which on a text speaks of it

# Returns the SHA-256 of files that look near to a text, with how near each is.
NearestImages = Callable[[str], Sequence[tuple[str, float]]]

log = logging.getLogger(__name__)


class ImageText(Struct, frozen=True):
    """The text that was read in a picture."""

    titles: tuple[str, ...] = ()  # its largest lines
    lines: tuple[str, ...] = ()


class Index(Struct, frozen=True):
    """The results of `pictures index`, stored beside the manifest, so that no article waits for
    them."""

    written: Mapping[str, ImageText] = {}  # by a file's SHA-256


def read_index(folder: Path) -> Index:
    """Return an empty one where there is none, or one of another version."""
    try:
        return msgspec.json.decode((folder / INDEX_NAME).read_bytes(), type=Index)
    except (OSError, msgspec.DecodeError):
        return Index()


def write_index(folder: Path, index: Index) -> None:
    new = folder / f".{INDEX_NAME}.new"
    new.write_bytes(msgspec.json.format(msgspec.json.encode(index), indent=1))
    os.replace(new, folder / INDEX_NAME)


@dataclass(frozen=True, slots=True)
class Candidate:
    entry: ImageEntry
    share: float  # 0 to 1
    refused: str | None  # why it is none
    doubt: str | None  # why rules alone do not tell that it is right
    near: bool  # enough
    context: int = 0  # of its names, how many the passage says

    @property
    def fits(self) -> bool:
        return self.near and self.refused is None and self.doubt is None


@dataclass(frozen=True, slots=True)
class Subject:
    """Something that there are pictures of."""

    name: str  # as `name_of` writes it
    kind: ImageKind | None  # MAP of those that maps show, else None
    is_identified: (
        bool  # the name alone tells what the pictures show; else they are views of a place
    )
    around: frozenset[str]  # its other names, and what it belongs to


@dataclass(frozen=True)
class ImageLibrary:
    folder: Path
    entries: tuple[ImageEntry, ...] = ()
    index: Index = field(default_factory=Index)
    nearest: NearestImages | None = None

    @classmethod
    def load(cls, folder: Path) -> "ImageLibrary":
        """Raises LibraryError."""
        return cls(folder, read_manifest(folder), read_index(folder))

    @cached_property
    def search(self) -> KeywordSearch:
        return KeywordSearch(self.entries)

    @cached_property
    def known(self) -> NameSet:
        """The names of what its pictures are about."""
        return NameSet.of(name for entry in self.entries for name in entry.subjects)

    @cached_property
    def _by_name(self) -> Mapping[str, Sequence[int]]:
        found: dict[str, list[int]] = defaultdict(list)
        for at, entry in enumerate(self.entries):
            for name in NameSet.of(entry.names):
                found[name].append(at)
        return found

    @cached_property
    def subjects(self) -> Mapping[str, Sequence[Subject]]:
        """The subjects of its pictures, by name."""
        found: dict[tuple[str, ImageKind | None, bool], set[str]] = defaultdict(set)
        for entry in self.entries:
            kind = ImageKind.MAP if entry.kind is ImageKind.MAP else None
            identifying = set(map(name_of, entry.identifying_names))
            for name in {name_of(each) for each in entry.subjects} - {""}:
                found[name, kind, name in identifying].update(map(name_of, entry.names))
        subjects: dict[str, list[Subject]] = defaultdict(list)
        for (name, kind, is_identified), around in found.items():
            subjects[name].append(Subject(name, kind, is_identified, frozenset(around)))
        return subjects

    @cached_property
    def captions(self) -> tuple[str, ...]:
        return tuple(entry.caption for entry in self.entries)

    def text_in(self, entry: ImageEntry) -> ImageText:
        return self.index.written.get(entry.sha256, ImageText())

    def query_for(self, need: ImageRequest, passage: SurroundingText | None = None) -> ImageQuery:
        return ImageQuery.from_need(need, self.known, passage, self.search.is_common)

    def candidates(self, query: ImageQuery) -> list[Candidate]:
        """Return what shares a word or a name with the query, the best ones first."""
        near = dict(self.nearest(query.text)) if self.nearest else {}
        found = set(self.search.rank(query.text))
        found.update(*(self._by_name.get(name, ()) for name in query.names))
        found |= {at for at, entry in enumerate(self.entries) if entry.sha256 in near}
        return sorted((self._judge(at, query, near) for at in found), key=_order)

    def _judge(self, at: int, query: ImageQuery, near: Mapping[str, float]) -> Candidate:
        entry, passage = self.entries[at], query.passage
        refused = refusal(query, entry, self.known)
        doubt = None if refused else name_doubt(query, entry) or self._doubt(at, query)
        share = self.search.share(query.text, at, given=() if refused else query.names)
        is_near = share >= LEAST_SHARE or entry.sha256 in near
        if passage and not self._is_spoken_of(at, passage):
            refused = refused or "the text does not speak of it"
        context = (
            mentioned_names(f"{passage.topic}\n{passage.text}", entry.names) if passage else ()
        )
        is_near = is_near or is_settled_by_name(query, entry)
        return Candidate(entry, share, refused, doubt, is_near, len(context))

    def _doubt(self, at: int, query: ImageQuery) -> str | None:
        """Return what only a model could tell: whether a thing without a name is what an article
        with another topic means; and whether the caption of a map without years names another
        time."""
        entry = self.entries[at]
        strange = [term for term in terms(query.text) if self.search.is_strange(term)]
        if strange and not entry.names and not mentioned_names(query.text, entry.tags):
            return f"no picture has the word “{strange[0]}…”"
        if query.passage and not entry.names:
            topic = [term for term in terms(query.passage.topic) if not self.search.is_common(term)]
            if not any(self.search.has(term, at) for term in topic):
                return "the topic is another"
        by_old_name = any(is_among(name, entry.also) for name in query.names)
        rest = self.unexplained_terms(at, only_capitals=by_old_name)
        if not rest or not set(rest).isdisjoint(terms(query.time_text)):
            return None
        return f"its caption also says “{rest[0]}…”"

    def unexplained_terms(self, at: int, *, only_capitals: bool = False) -> list[str]:
        """Return words of a map's caption that no other entry has, and that none of its names has,
        where the map is without years: those with a capital, if any. Other words tell nothing new
        of a map that is requested by a second name, as *Tenochtitlan before the conquest*."""
        entry = self.entries[at]
        if entry.kind is not ImageKind.MAP or entry.years:
            return []
        explained = (
            *entry.names,
            *mentioned_names(entry.caption, self.known),
            *image_entry.KIND_NAMES[ImageKind.MAP],
        )
        own = {term for name in explained for term in terms(name)}
        rest = [
            each for each in terms(entry.caption) if each not in own and self.search.is_unique(each)
        ]
        capitals = {term for each in capitalized_names(entry.caption) for term in terms(each)}
        named = [each for each in rest if each in capitals]
        return named if named or only_capitals else rest

    def _is_spoken_of(self, at: int, passage: SurroundingText) -> bool:
        """Return whether a text says what a picture shows: one of its names; of a place as such,
        that is what is needed; and of nothing by name most of its caption, or one of its tags."""
        entry, text = self.entries[at], f"{passage.topic}\n{passage.text}"
        if entry.names:
            return not entry.shown_names or bool(mentioned_names(text, entry.shown_names))
        unsaid = set(terms(entry.caption)) - set(terms(text))
        share = self.search.share(entry.caption, at, lacking=unsaid)
        return share >= CAPTION_SHARE or bool(mentioned_names(text, entry.tags))


def _order(each: Candidate) -> tuple[object, ...]:
    refused = each.refused is not None
    return (
        not each.fits,
        refused,
        each.doubt is not None,
        -each.share,
        -each.context,
        each.entry.path,
    )


class LibraryReader:
    """Reads the library again after its manifest was edited."""

    def __init__(
        self, folder: Path | None, load_vectors: Callable[[Path], NearestImages] | None = None
    ) -> None:
        """Without a folder the library is empty; without vectors it is searched by words alone."""
        self._folder = folder
        self._load_vectors = load_vectors
        self._library = ImageLibrary(folder or Path())
        self._read_at: tuple[int, ...] = ()
        self._lock = asyncio.Lock()

    async def current(self) -> ImageLibrary:
        """Return the last good one while a manifest is wrong, as somebody edits it."""
        if self._folder is None:
            return self._library
        async with self._lock:
            if (changed := _changed_at(self._folder)) != self._read_at:
                try:
                    self._library = await asyncio.to_thread(self._load, self._folder)
                except LibraryError as error:
                    log.warning("the library of pictures is as before: %s", error)
                self._read_at = changed
        return self._library

    def _load(self, folder: Path) -> ImageLibrary:
        library = ImageLibrary.load(folder)
        log.info("%d pictures are in the library", len(library.entries))
        if self._load_vectors is None:
            return library
        try:
            return replace(library, nearest=self._load_vectors(folder))
        except LibraryError as error:
            log.warning("pictures are found by words alone: %s", error)
            return library


def _changed_at(folder: Path) -> tuple[int, ...]:
    times = [0, 0]
    for at, name in enumerate((image_entry.NAME, INDEX_NAME)):
        with suppress(OSError):
            times[at] = (folder / name).stat().st_mtime_ns
    return tuple(times)
