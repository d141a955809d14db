"""The pictures of a conversation for `/history`: those that the model still sees, small, and the
names of those that it does not."""

import asyncio
import io
from collections.abc import Sequence
from dataclasses import dataclass

import discord
from PIL import Image

from bot.i18n import Words
from jobqueue.blobs import Blobs
from jobqueue.history_images import load_visible_images, select_images
from jobqueue.schema import READ, VISION, Turn, WorkerStatus
from jobqueue.structs import Attachment

SIDE = 320  # pixels, of a small one
MOST_NAMES = 10  # of those that are gone


@dataclass(frozen=True)
class VisibleImages:
    seen: tuple[tuple[Attachment, bytes], ...] = ()  # in the order in which they are numbered
    gone: tuple[str, ...] = ()  # names

    def lines(self, workers: Sequence[WorkerStatus], say: Words) -> list[str]:
        """What is seen by those models that run."""
        able = {name for worker in workers for name in worker.capabilities}
        if not self.seen and not self.gone:
            return []
        if VISION not in able:
            return [say("history-pictures-read" if READ in able else "history-pictures-blind")]
        said = []
        if self.seen:
            names = [f"Image-{n} `{each.name}`" for n, (each, _) in enumerate(self.seen, 1)]
            said.append(say("history-pictures", {"names": ", ".join(names)}))
        if self.gone:
            names = [f"`{name}`" for name in self.gone[-MOST_NAMES:]]
            said.append(say("history-pictures-gone", {"names": ", ".join(names)}))
        return said

    async def thumbnails(self) -> list[discord.File]:
        return await asyncio.to_thread(self._drawn)

    def _drawn(self) -> list[discord.File]:
        return [
            discord.File(_small(data), f"image-{number}.jpg", description=attachment.name)
            for number, (attachment, data) in enumerate(self.seen, 1)
        ]


async def load_images(turns: Sequence[Turn], blobs: Blobs) -> VisibleImages:
    """Of the turns, oldest first, that the model reads word for word."""
    seen = await load_visible_images(turns, blobs)
    gone = [
        each.name
        for turn in turns
        for each in select_images(turn.attachments)
        if all(each is not shown for shown, _ in seen.get(turn.job, ()))
    ]
    return VisibleImages(tuple(each for found in seen.values() for each in found), tuple(gone))


def _small(data: bytes) -> io.BytesIO:
    """Of a picture that the files' reader wrote, so that it is safe to decode."""
    out = io.BytesIO()
    with Image.open(io.BytesIO(data), formats=("PNG", "JPEG")) as image:
        image.draft("RGB", (SIDE, SIDE))
        small = image.convert("RGB")
    small.thumbnail((SIDE, SIDE))
    small.save(out, "JPEG", quality=85)
    out.seek(0)
    return out
