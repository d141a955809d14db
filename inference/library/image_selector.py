"""Fills places for pictures, where one surely fits.

Each candidate has to pass: what it is about is what is needed, it is near enough, no other one is
as near, what is written in it agrees, and a model that sees agrees. The first that passes all is
placed; otherwise the place stays empty and says why.
"""

import asyncio
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from inference import ocr
from inference.config import Settings
from inference.engines.base import Engine
from inference.library import image_file, manifest
from inference.library.calibrate import alike
from inference.library.eligibility import Wanted, kind_in, refusal
from inference.library.image_entry import Entry
from inference.library.image_file import Still, Unreadable
from inference.library.image_library import Candidate, Library, Subject
from inference.library.normalize import among
from inference.library.ocr_check import contradicted, titles
from inference.library.shelf import Shelf
from inference.library.store import Written
from inference.library.vision_check import Looker, objection
from jobqueue.article import Figure, Need, Slot, Why
from jobqueue.errors import QueueError
from jobqueue.history_images import select_images
from jobqueue.structs import Attachment

EXAMINED = 4  # candidates whose files are looked into
OFFERED = 5  # to a person


class Keeper(Protocol):
    async def put(self, data: bytes) -> str: ...

    async def get(self, name: str) -> bytes | None: ...


class Source(Protocol):
    async def current(self) -> Library: ...


class LibraryIllustrator:
    def __init__(self, source: Source, blobs: Keeper, looker: Looker | None = None) -> None:
        self._source = source
        self._blobs = blobs
        self._looker = looker  # it is asked where it sees

    async def fill(
        self,
        need: Need,
        *,
        own: Sequence[Attachment],
        taken: Collection[str],
        avoid: Collection[str] = (),
        beside: str = "",
        seed: int = 0,
    ) -> Slot:
        library = await self._source.current()
        wanted = Wanted.of(need, library.known, beside)
        theirs = {own_entry(each): each for each in select_images(own)}
        found = [_judged(wanted, entry, library) for entry in theirs]
        found.sort(key=lambda each: not each.fits)
        found += library.candidates(wanted)
        looker = self._looker if self._looker and self._looker.sees else None
        attempt = _Attempt(library, wanted, theirs, {*taken, *avoid}, self._blobs, looker)
        try:
            return await attempt.slot(need, found, seed)
        except QueueError as error:
            return Slot(need=need, why=Why.NOTHING, detail=f"no room to keep a picture: {error}")

    async def subjects(self, lines: Sequence[str]) -> Sequence[Subject]:
        """What lines of a text, sentences and headings, name of what is in the library."""
        library = await self._source.current()
        return await asyncio.to_thread(lambda: list(library.subjects(lines)))

    async def belonging(self, topic: str) -> Sequence[tuple[str, ...]]:
        """What there are pictures of that belongs to a topic: each by all of its names."""
        library = await self._source.current()
        return await asyncio.to_thread(lambda: list(library.belonging(topic)))


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One place to be filled."""

    library: Library
    wanted: Wanted
    own: Mapping[Entry, Attachment]
    gone: Collection[str]
    blobs: Keeper
    looker: Looker | None

    async def slot(self, need: Need, found: Sequence[Candidate], seed: int) -> Slot:
        fitting: Sequence[Candidate] = [each for each in found if each.fits]
        why, detail = _why_none(found)
        placed: Figure | None = None
        if fitting:
            fitting, unsure = await self._settled(fitting, seed)
            why, detail = Why.UNSURE, unsure
            if not unsure:
                placed, why, detail = await self._first(fitting[:EXAMINED])
        offered = await self._offered(found, placed)
        if placed:
            return Slot(need=need, figure=placed, candidates=offered)
        return Slot(need=need, why=why, detail=detail, candidates=offered)

    async def _first(self, fitting: Sequence[Candidate]) -> tuple[Figure | None, Why, str]:
        """The first that stands every look, else what is against the last one."""
        why, detail = Why.NOTHING, "what fits is in the article, or was not wanted"
        for entry in (each.entry for each in fitting):
            picture = await self._still(entry)
            if isinstance(picture, str):
                why, detail = Why.SEEN, f"{entry.path}: {picture}"
            elif _name(picture) in self.gone:
                continue
            elif against := await self._misread(entry, picture):
                why, detail = Why.SEEN, f"{entry.path}: {against}"
            elif refused := await self._looked(entry, picture):
                why, detail = refused
            else:
                return await self._figure(entry, picture), why, ""
        return None, why, detail

    async def _settled(
        self, fitting: Sequence[Candidate], seed: int
    ) -> tuple[Sequence[Candidate], str]:
        """The nearest first; and what speaks against each, where several are as near."""
        first, *rest = fitting
        rivals = [each for each in rest if self._rivals(first, each)]
        if not rivals:
            return fitting, ""
        names = " and ".join(each.entry.path for each in (first, rivals[0]))
        if self.looker is None:
            return fitting, f"{names} are as near"
        options = [first, *rivals]
        captions = [each.entry.caption for each in options]
        chosen = await self.looker.choice(self.wanted.text, captions, seed)
        if chosen is None:
            return fitting, f"of {names} none was chosen twice"
        return [options[chosen]], ""

    def _rivals(self, first: Candidate, other: Candidate) -> bool:
        """As near, about something else, and the need names the heart of neither."""
        if first.entry in self.own or alike(first.entry, other.entry):
            return False
        heart = first.entry.shown or first.entry.nearest
        if any(among(name, self.wanted.names) for name in heart):
            return False
        return first.share - other.share < self.library.figures.margin

    async def _still(self, entry: Entry) -> Still | str:
        """As the article has it, or why there is none."""
        try:
            if own := self.own.get(entry):
                data = await self.blobs.get(own.sha256)
                return Still(data, own.media_type, 0, 0) if data else "it has expired"
            path = manifest.file_of(self.library.folder, entry)
            if path is None:
                return "its path leads out of the library"
            data = await asyncio.to_thread(image_file.read, path)
            if entry.sha256 and sha256(data).hexdigest() != entry.sha256:
                return "its file is no longer the one that was described"
            return await asyncio.to_thread(image_file.still, data)
        except Unreadable as error:
            return str(error)

    async def _misread(self, entry: Entry, picture: Still) -> str | None:
        """What is written in it against what is said of it; None where nothing is."""
        return contradicted(entry, await self._written(entry, picture), self.library.known)

    async def _looked(self, entry: Entry, picture: Still) -> tuple[Why, str] | None:
        """None: whoever looked agrees, or nobody can look."""
        if self.looker is None:
            return None
        sight = await self.looker.look(picture)
        if sight is None:
            return Why.UNREADABLE, f"{entry.path}: whoever looked gave no clear word"
        against = objection(sight, entry, self.library.known)
        return (Why.SEEN, f"{entry.path}: {against}") if against else None

    async def _written(self, entry: Entry, picture: Still) -> Written:
        """As `index` read it, else read now, where that can be done."""
        if (stored := self.library.index.written.get(entry.sha256)) is not None:
            return stored
        return await text_in(picture.data)

    async def _figure(self, entry: Entry, picture: Still) -> Figure:
        own = self.own.get(entry)
        if own is None:
            await self.blobs.put(picture.data)
        return Figure(
            picture=own or picture.attachment(entry.path),
            caption=entry.caption,
            alt=entry.alt or entry.caption,
            kind=entry.kind,
            author=entry.author,
            licence=entry.licence,
            source=entry.source,
            entry="" if own else entry.path,
        )

    async def _offered(
        self, found: Sequence[Candidate], placed: Figure | None
    ) -> tuple[Figure, ...]:
        """What a person may take instead: about the right thing, whether near or not, and whatever
        they brought themselves."""
        gone = {*self.gone, *([placed.picture.sha256] if placed else [])}
        figures: dict[str, Figure] = {}
        may = [each.entry for each in found if each.refused is None or each.entry in self.own]
        for entry in may[: OFFERED + 1]:
            picture = await self._still(entry)
            if isinstance(picture, str) or _name(picture) in gone:
                continue
            if entry in self.own or not await self._misread(entry, picture):
                figures[_name(picture)] = await self._figure(entry, picture)
        return tuple(figures.values())[:OFFERED]


def illustrator(settings: Settings, blobs: Keeper, engine: Engine) -> LibraryIllustrator:
    """As the operator wants it. Whether the engine sees is known once it is loaded."""
    folder = Path(settings.pictures).expanduser() if settings.pictures else None
    return LibraryIllustrator(Shelf(folder, settings.pictures_model), blobs, Looker(engine))


def own_entry(attachment: Attachment) -> Entry:
    """A person's picture, of which nothing is known but what they called it."""
    caption = " ".join(re.split(r"[\W_]+", Path(attachment.name).stem)).strip()
    return Entry(
        path=attachment.name, caption=caption, sha256=attachment.sha256, kind=kind_in(caption)
    )


async def text_in(data: bytes) -> Written:
    """Nothing where no reader is installed, or it cannot be read."""
    try:
        lines = await ocr.read_text(data)
    except ocr.Unread:
        return Written()
    return Written(titles=tuple(titles(lines)), lines=tuple(line.text for line in lines))


def _judged(wanted: Wanted, entry: Entry, library: Library) -> Candidate:
    """A person's own: called by the name of what is needed, it is near."""
    refused = refusal(wanted, entry, library.known)
    return Candidate(entry, 1.0, refused, near=bool(wanted.names))


def _why_none(found: Sequence[Candidate]) -> tuple[Why, str]:
    if not found:
        return Why.NOTHING, ""
    nearest = max(found, key=lambda each: (each.refused is None, each.share))
    if nearest.refused:
        return Why.ANOTHER, f"{nearest.entry.path}: {nearest.refused}"
    return Why.WEAK, f"{nearest.entry.path}: {nearest.share:.2f} is not near enough"


def _name(picture: Still) -> str:
    return sha256(picture.data).hexdigest()
