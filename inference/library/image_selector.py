"""Selects the picture that surely fits a place of an article, or leaves the place empty.

Each candidate has to pass: the rules on kind, names and time; enough words in common; no other
candidate as near; the text that is written in it; and the look of a model that sees. What rules do
not settle, a model has to choose twice, with "none" among the options. The first that passes is
placed.
"""

import asyncio
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from inference.library.eligibility import ImageQuery, SurroundingText, have_same_subject, refusal
from inference.library.image_checks import VisionChecker, contradiction, objection, read_image_text
from inference.library.image_entry import ImageEntry, file_of, kind_in
from inference.library.image_file import ArticleImage, Unreadable, read_file, to_article_image
from inference.library.image_library import Candidate, ImageLibrary, LibraryReader
from inference.library.normalize import is_among
from jobqueue.article import ArticleFigure, ImageRequest, ImageSlot, NoImageReason
from jobqueue.blobs import Blobs
from jobqueue.errors import QueueError
from jobqueue.history import select_images
from jobqueue.structs import Attachment

MAX_EXAMINED = 4  # candidates whose files are looked into
MARGIN = 0.03  # of shares, within which another picture is as near
MAX_OFFERED = 5  # to a person


class ImageSelector:
    def __init__(
        self, reader: LibraryReader, blobs: Blobs, checker: VisionChecker | None = None
    ) -> None:
        self._reader = reader
        self._blobs = blobs
        self._checker = checker

    async def library(self) -> ImageLibrary:
        return await self._reader.current()

    async def fill(
        self,
        need: ImageRequest,
        *,
        own: Sequence[Attachment] = (),
        excluded: Collection[str] = (),
        passage: SurroundingText | None = None,
        seed: int = 0,
    ) -> ImageSlot:
        """Return a place for a picture, filled where one surely fits.

        `own` are the person's pictures; `excluded` are the SHA-256 of pictures that are in the
        article or were not wanted; `passage` is the text beside which the picture is to stand.
        """
        library = await self._reader.current()
        query = library.query_for(need, passage)
        theirs = {own_entry(each): each for each in select_images(own)}
        found = [_judge_own(query, entry, library) for entry in theirs]
        found.sort(key=lambda each: not each.fits)
        found += library.candidates(query)
        selection = _Selection(library, query, theirs, excluded, self._blobs, self._checker, seed)
        try:
            placed, why, detail = await selection.first_that_passes(found)
            offered = await selection.alternatives(found, placed)
        except QueueError as error:
            return ImageSlot(
                need=need, why=NoImageReason.NOTHING, detail=f"no room to keep a picture: {error}"
            )
        if placed:
            return ImageSlot(need=need, figure=placed, candidates=offered)
        return ImageSlot(need=need, why=why, detail=detail, candidates=offered)


@dataclass(frozen=True, slots=True)
class _Selection:
    """The selection of a picture for one place."""

    library: ImageLibrary
    query: ImageQuery
    own: Mapping[ImageEntry, Attachment]
    excluded: Collection[str]
    blobs: Blobs
    checker: VisionChecker | None
    seed: int

    async def first_that_passes(
        self, found: Sequence[Candidate]
    ) -> tuple[ArticleFigure | None, NoImageReason, str]:
        """Return it, or none and what speaks against the last one that was examined."""
        fitting, why, detail = await self._settle(found)
        for entry in (each.entry for each in fitting[:MAX_EXAMINED]):
            image = await self._read(entry)
            if isinstance(image, str):
                why, detail = NoImageReason.SEEN, f"{entry.path}: {image}"
            elif _hash(image) in self.excluded:
                continue
            elif against := await self._text_objection(entry, image):
                why, detail = NoImageReason.SEEN, f"{entry.path}: {against}"
            elif refused := await self._vision_objection(entry, image):
                why, detail = refused
            else:
                return await self._figure(entry, image), why, ""
        return None, why, detail

    async def alternatives(
        self, found: Sequence[Candidate], placed: ArticleFigure | None
    ) -> tuple[ArticleFigure, ...]:
        """Return what a person may take instead: about the right thing, whether near or not, and
        whatever they brought themselves."""
        gone = {*self.excluded, *([placed.picture.sha256] if placed else [])}
        figures: dict[str, ArticleFigure] = {}
        eligible = [each.entry for each in found if not each.refused or each.entry in self.own]
        for entry in eligible[: MAX_OFFERED + 1]:
            image = await self._read(entry)
            if isinstance(image, str) or _hash(image) in gone:
                continue
            if entry in self.own or not await self._text_objection(entry, image):
                figures[_hash(image)] = await self._figure(entry, image)
        return tuple(figures.values())[:MAX_OFFERED]

    async def _settle(
        self, found: Sequence[Candidate]
    ) -> tuple[Sequence[Candidate], NoImageReason, str]:
        """Return those that may be placed, the best first: of several as near, or of one in doubt,
        what a model chose."""
        fitting = [each for each in found if each.fits]
        # Of namesakes, first the one whose surroundings the text names too.
        fitting.sort(key=self._precedence)
        doubted = [each for each in found if each.doubt and each.near and not each.refused]
        if not fitting and not doubted:
            return [], *_why_none(found)
        options = fitting[:1]
        if options:
            first = options[0]
            options += [each for each in fitting[1:] if self._is_rival(first, each)]
            options += [each for each in doubted if each.share > first.share]
        if len(options) == 1:
            return fitting, NoImageReason.NOTHING, "what fits is in the article, or was not wanted"
        options = (options or doubted)[:MAX_EXAMINED]
        detail = " and ".join(each.entry.path for each in options)
        detail += f": {options[0].doubt}" if options[0].doubt else " are as near"
        if self.checker is None:
            return [], NoImageReason.UNSURE, detail
        captions = [each.entry.caption for each in options]
        chosen = await self.checker.choose(self.query.text, captions, self.seed)
        return ([] if chosen is None else [options[chosen]]), NoImageReason.UNSURE, detail

    def _is_rival(self, first: Candidate, other: Candidate) -> bool:
        """Return whether another one is as near and about something else, and the text tells
        neither."""
        if first.entry in self.own or have_same_subject(first.entry, other.entry):
            return False
        if self._is_named(first.entry):  # and so may be its namesake
            return self._is_named(other.entry) and first.context <= other.context
        return first.share - other.share < MARGIN

    def _precedence(self, each: Candidate) -> tuple[bool, int]:
        return each.entry not in self.own, -each.context if self._is_named(each.entry) else 0

    def _is_named(self, entry: ImageEntry) -> bool:
        names = entry.shown_names or entry.nearest
        return any(is_among(name, names) for name in self.query.names)

    async def _read(self, entry: ImageEntry) -> ArticleImage | str:
        """Return the picture as the article has it, or why there is none."""
        try:
            if own := self.own.get(entry):
                data = await self.blobs.get(own.sha256)
                return ArticleImage(data, own.media_type, 0, 0) if data else "it has expired"
            path = file_of(self.library.folder, entry)
            if path is None:
                return "its path leads out of the library"
            data = await asyncio.to_thread(read_file, path)
            if entry.sha256 and sha256(data).hexdigest() != entry.sha256:
                return "its file is no longer the one that was described"
            return await asyncio.to_thread(to_article_image, data)
        except Unreadable as error:
            return str(error)

    async def _text_objection(self, entry: ImageEntry, image: ArticleImage) -> str | None:
        """Compare the text in it: as `index` read it, else as it is read now."""
        text = self.library.index.written.get(entry.sha256) or await read_image_text(image.data)
        return contradiction(entry, text, self.library.known)

    async def _vision_objection(
        self, entry: ImageEntry, image: ArticleImage
    ) -> tuple[NoImageReason, str] | None:
        if self.checker is None or not self.checker.can_see:
            return None
        report = await self.checker.describe(image)
        if report is None:
            return (
                NoImageReason.UNREADABLE,
                f"{entry.path}: the model that looked gave no clear answer",
            )
        against = objection(report, entry, self.library.known)
        return (NoImageReason.SEEN, f"{entry.path}: {against}") if against else None

    async def _figure(self, entry: ImageEntry, image: ArticleImage) -> ArticleFigure:
        own = self.own.get(entry)
        if own is None:
            await self.blobs.put(image.data)
        return ArticleFigure(
            picture=own or image.attachment(entry.path),
            caption=entry.caption,
            alt=entry.alt or entry.caption,
            kind=entry.kind,
            author=entry.author,
            licence=entry.licence,
            source=entry.source,
            entry="" if own else entry.path,
        )


class MemoryBlobs(Blobs):
    """Keeps pictures in this process, for the terminal and for benchmarks."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    async def put(self, data: bytes, *, user: str = "", server: str = "") -> str:  # noqa: ARG002
        name = sha256(data).hexdigest()
        self.kept[name] = data
        return name

    async def get(self, name: str) -> bytes | None:
        return self.kept.get(name)


def own_entry(attachment: Attachment) -> ImageEntry:
    """Describe a person's picture, of which nothing is known but what they called it."""
    caption = " ".join(re.split(r"[\W_]+", Path(attachment.name).stem)).strip()
    return ImageEntry(
        path=attachment.name, caption=caption, sha256=attachment.sha256, kind=kind_in(caption)
    )


def _judge_own(query: ImageQuery, entry: ImageEntry, library: ImageLibrary) -> Candidate:
    """Take a person's own picture as near where it is called by the name of what is needed."""
    refused = refusal(query, entry, library.known)
    return Candidate(entry, 1.0, refused, None, near=bool(query.names))


def _why_none(found: Sequence[Candidate]) -> tuple[NoImageReason, str]:
    if not found:
        return NoImageReason.NOTHING, ""
    nearest = max(found, key=lambda each: (each.refused is None, each.share))
    if nearest.refused:
        return NoImageReason.ANOTHER, f"{nearest.entry.path}: {nearest.refused}"
    return NoImageReason.WEAK, f"{nearest.entry.path}: {nearest.share:.2f} is not near enough"


def _hash(image: ArticleImage) -> str:
    return sha256(image.data).hexdigest()
