"""Which pictures of a conversation a model that sees is shown with the next question."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from jobqueue.schema import Turn
from jobqueue.structs import Attachment

MAX_IMAGES = 8  # earlier ones; from here on, few models tell them apart
MEDIA_TYPES = ("image/png", "image/jpeg")  # as the bot keeps them


class Kept(Protocol):
    async def get(self, name: str) -> bytes | None: ...


def select_images(attachments: Sequence[Attachment]) -> list[Attachment]:
    return [each for each in attachments if each.media_type in MEDIA_TYPES]


async def load_visible_images(
    turns: Sequence[Turn], blobs: Kept
) -> Mapping[str, tuple[tuple[Attachment, bytes], ...]]:
    """Those of the newest turns, in the turns' order, by job; what has expired takes no room.

    A model's context may hold fewer.
    """
    seen: dict[str, tuple[tuple[Attachment, bytes], ...]] = {}
    room = MAX_IMAGES
    for turn in reversed(turns):
        wanted = select_images(turn.attachments)
        if wanted and room >= len(wanted) and (found := await load_images(wanted, blobs)):
            seen[turn.job] = found
            room -= len(found)
    return dict(reversed(seen.items()))


async def load_images(
    attachments: Sequence[Attachment], blobs: Kept
) -> tuple[tuple[Attachment, bytes], ...]:
    """With their bytes, but for those that have expired."""
    found = [(each, await blobs.get(each.sha256)) for each in attachments]
    return tuple((each, data) for each, data in found if data is not None)
