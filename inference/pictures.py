"""Which pictures of a conversation the model is shown, and what they are called.

Turns keep their pictures by hash. The question's own come first, then the newest ones; what has
expired or does not fit is left out, and counted, so that the person can be told.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from inference.engines.base import Engine, Image
from jobqueue.schema import Attachment, Job, Turn

MOST = 8  # earlier pictures; from here on, few models tell them apart
MEDIA_TYPES = ("image/png", "image/jpeg")  # as the bot keeps them


class Blobs(Protocol):
    async def get(self, name: str) -> bytes | None: ...


@dataclass(frozen=True)
class Album:
    """Pictures by the job that they were asked with."""

    images: Mapping[str, tuple[Image, ...]] = field(default_factory=dict)
    posted: int = 0  # by the people of this conversation

    @property
    def unseen(self) -> int:
        return self.posted - sum(map(len, self.images.values()))

    def of(self, job: str) -> tuple[Image, ...]:
        """Each with its number, counted over all that are shown."""
        before = 0
        for name, images in self.images.items():
            if name == job:
                return tuple(
                    replace(image, label=f"Image-{before + number}")
                    for number, image in enumerate(images, 1)
                )
            before += len(images)
        return ()

    def without_oldest(self, keep: str) -> "Album | None":
        """With one turn's pictures less; None when only those of `keep` are left."""
        oldest = next((name for name in self.images if name != keep), None)
        if oldest is None:
            return None
        return replace(self, images={n: i for n, i in self.images.items() if n != oldest})


async def album(job: Job, turns: Sequence[Turn], blobs: Blobs | None, engine: Engine) -> Album:
    """Of the turns, oldest first, and of the job."""
    if blobs is None or "vision" not in engine.capabilities:
        return Album()
    own = await _images(job.attachments, blobs)
    posted = len(pictures_of(job.attachments))
    shown: dict[str, tuple[Image, ...]] = {}
    room = MOST
    for turn in reversed(turns):
        wanted = pictures_of(turn.attachments)
        posted += len(wanted)
        if wanted and room >= len(wanted) and (images := await _images(wanted, blobs)):
            shown[turn.job] = images
            room -= len(images)
    in_order = dict(reversed(shown.items()))
    return Album({**in_order, job.id: own} if own else in_order, posted)


def pictures_of(attachments: Sequence[Attachment]) -> list[Attachment]:
    return [each for each in attachments if each.media_type in MEDIA_TYPES]


async def _images(attachments: Sequence[Attachment], blobs: Blobs) -> tuple[Image, ...]:
    found = [(each, await blobs.get(each.sha256)) for each in pictures_of(attachments)]
    return tuple(Image(data, each.media_type) for each, data in found if data is not None)
