"""The images of a conversation that the model is shown, and their names.

Turns keep their pictures by hash. The question's own come first, then the newest ones; what has
expired or does not fit is left out, and counted, so that the person can be told.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from inference.engines.base import Engine, Image
from jobqueue.blobs import BlobReader
from jobqueue.history import load_images, load_visible_images, select_images
from jobqueue.schema import Job, Turn
from jobqueue.structs import Attachment


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
        """Return the album without one turn's pictures; None when only those of `keep` are left."""
        oldest = next((name for name in self.images if name != keep), None)
        if oldest is None:
            return None
        return replace(self, images={n: i for n, i in self.images.items() if n != oldest})


async def album(job: Job, turns: Sequence[Turn], blobs: BlobReader | None, engine: Engine) -> Album:
    """Create the album of the turns, oldest first, and of the job."""
    if blobs is None or "vision" not in engine.capabilities:
        return Album()
    own = await load_images(select_images(job.attachments), blobs)
    shown = {**await load_visible_images(turns, blobs), job.id: own}
    every = [*job.attachments, *(file for turn in turns for file in turn.attachments)]
    return Album(
        {name: _images(found) for name, found in shown.items() if found}, len(select_images(every))
    )


def _images(found: Sequence[tuple[Attachment, bytes]]) -> tuple[Image, ...]:
    return tuple(Image(data, attachment.media_type) for attachment, data in found)
