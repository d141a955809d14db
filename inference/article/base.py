"""What whoever writes an article asks of others."""

from collections.abc import Collection, Sequence
from typing import Protocol

from inference.library.image_library import Subject
from jobqueue.article import Need, Slot
from jobqueue.schema import Attachment


class Illustrator(Protocol):
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
        """A place for a picture, filled where one surely fits.

        `own` are the person's pictures; `taken` are the SHA-256 of pictures that the article
        already has, `avoid` those of pictures that the person did not want here; `beside` is the
        text that it stands beside, where it is to be one that this speaks of.
        """
        ...

    async def subjects(self, lines: Sequence[str]) -> Sequence[Subject]:
        """What lines of a text, sentences and headings, name of what there are pictures of."""
        ...

    async def belonging(self, topic: str) -> Sequence[tuple[str, ...]]:
        """What there are pictures of that belongs to a topic: each by all of its names."""
        ...


class Keeper(Protocol):
    async def put(self, data: bytes) -> str:
        """Keeps a picture; returns its SHA-256. Raises QueueFull."""
        ...
