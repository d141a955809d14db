"""The earlier images of a conversation that a model sees with the next question."""

from collections.abc import Mapping, Sequence

from jobqueue.blobs import BlobReader
from jobqueue.schema import Turn
from jobqueue.structs import Attachment

MAX_IMAGES = 8  # earlier ones; few models can tell more of them apart
MEDIA_TYPES = ("image/png", "image/jpeg")  # the bot stores images in these

LoadedImages = tuple[tuple[Attachment, bytes], ...]


def select_images(attachments: Sequence[Attachment]) -> list[Attachment]:
    return [each for each in attachments if each.media_type in MEDIA_TYPES]


async def load_visible_images(
    turns: Sequence[Turn], blobs: BlobReader
) -> Mapping[str, LoadedImages]:
    """Load the newest turns' images, MAX_IMAGES at most; return them by job, in the turns' order.

    Expired images do not count. A model's context may hold fewer.
    """
    visible: dict[str, LoadedImages] = {}
    room = MAX_IMAGES
    for turn in reversed(turns):
        images = select_images(turn.attachments)
        if images and room >= len(images) and (loaded := await load_images(images, blobs)):
            visible[turn.job] = loaded
            room -= len(loaded)
    return dict(reversed(visible.items()))


async def load_images(attachments: Sequence[Attachment], blobs: BlobReader) -> LoadedImages:
    """Load the images' bytes; leave out what has expired."""
    found = [(each, await blobs.get(each.sha256)) for each in attachments]
    return tuple((each, data) for each, data in found if data is not None)
