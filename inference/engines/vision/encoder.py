"""The vision half of a model: a picture becomes vectors that the decoder reads as tokens."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Self
from weakref import WeakValueDictionary

import torch
from torch import Tensor

from inference.engines.base import BadRequest, Image, Message
from inference.engines.vision.embedding_slots import EmbeddingSlots, replace_placeholders
from inference.engines.vision.image_tokens import TiledFamily, VisionFamily
from inference.engines.vision.vision_tower import TILES_AT_ONCE, VisionTower

GALLERY_TOKENS = 65_536


@dataclass(frozen=True, slots=True)
class _Waiting:
    tiles: Tensor  # [tiles, 3, height, width]
    seen: "asyncio.Future[Tensor]"  # [tiles · tokens, width]


class ImageEncoder:
    def __init__(self, whole: Any, decoder: Any, frames: TiledFamily) -> None:
        self._tower = VisionTower(whole, frames)
        self._frames = frames
        self._gallery = EmbeddingSlots.for_decoder(decoder, GALLERY_TOKENS)
        self._waiting: asyncio.Queue[_Waiting] = asyncio.Queue()
        self._looking: asyncio.Task[None] | None = None
        # The same picture is looked at once, however many ask about it.
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def __aenter__(self) -> Self:
        self._looking = asyncio.create_task(self._look(), name="engine-eye")
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)

    @asynccontextmanager
    async def encode_prompt(
        self, messages: Sequence[Message], prompt: Sequence[int]
    ) -> AsyncIterator[list[int]]:
        """Encode the images and give the prompt their ids.

        Their slots are kept until the block is left.
        """
        shown = [(i, len(message.images)) for message in messages for i in message.images]
        async with AsyncExitStack() as stack:
            ids: list[int] = []
            for image, together in shown:
                name = _name(image, together)
                async with self._locks.setdefault(name, asyncio.Lock()):
                    if name not in self._gallery:
                        await self._gallery.store(name, await self._features(image, together))
                    await stack.enter_async_context(self._gallery.hold(name))
                ids += self._gallery.ids(name)
            yield replace_placeholders(prompt, self._frames.blank, iter(ids))

    async def _features(self, image: Image, together: int) -> Tensor:
        tiles = await asyncio.to_thread(self._frames.tiles, image, together)
        waiting = _Waiting(tiles, asyncio.get_running_loop().create_future())
        self._waiting.put_nowait(waiting)
        return await waiting.seen

    async def _look(self) -> None:
        """Pictures that wait together go through the tower together."""
        while True:
            some = [await self._waiting.get()]
            while not self._waiting.empty() and _count(some) < TILES_AT_ONCE:
                some.append(self._waiting.get_nowait())
            try:
                features = await asyncio.to_thread(self._through, [each.tiles for each in some])
            except RuntimeError as error:  # out of memory, mostly: theirs alone
                for each in some:
                    if not each.seen.done():
                        each.seen.set_exception(BadRequest(f"the pictures cannot be seen: {error}"))
                continue
            for each, seen in zip(some, features, strict=True):
                if not each.seen.done():
                    each.seen.set_result(seen)

    def _through(self, pictures: Sequence[Tensor]) -> list[Tensor]:
        """Compute the features of each picture [tiles · tokens, width] on the device."""
        seen = self._tower.see(torch.cat(list(pictures)))
        parts = torch.split(seen, [len(tiles) for tiles in pictures])
        return [part.flatten(0, 1) for part in parts]


def _count(waiting: Sequence[_Waiting]) -> int:
    return sum(len(each.tiles) for each in waiting)


def _name(image: Image, together: int) -> str:
    return f"{hashlib.sha256(image.data).hexdigest()} {together}"


# Pictures for a model that reads them with its own forward pass, beside the ids of its prompt.

Pixels = dict[str, Tensor]  # arguments of the model's `forward`


class PixelInputs:
    def __init__(self, frames: VisionFamily) -> None:
        self._frames = frames

    async def pixels(self, messages: Sequence[Message], prompt: Sequence[int]) -> Pixels:
        """Return the pixels of all pictures in `messages`. Raises BadRequest for a broken one."""
        return await asyncio.to_thread(self._pixels, messages, prompt)

    def _pixels(self, messages: Sequence[Message], prompt: Sequence[int]) -> Pixels:
        seen = [
            self._frames.pixels(image, len(message.images))
            for message in messages
            for image in message.images
        ]
        joined = {name: torch.cat([each[name] for each in seen]) for name in seen[0]}
        kinds = torch.tensor([[int(token == self._frames.blank) for token in prompt]])
        return {**joined, "mm_token_type_ids": kinds}
