"""The seeing half of a model: a picture's file becomes vectors that the decoder reads as tokens."""

import asyncio
import hashlib
import io
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Self
from weakref import WeakValueDictionary

import torch
from PIL import Image as Pillow
from torch import Tensor
from transformers import AutoImageProcessor

from inference.engines.base import BadRequest, Image, Message
from inference.engines.pictures.gallery import Gallery, replaced
from inference.engines.pictures.tower import TILES_AT_ONCE, Tower

FORMATS = ("PNG", "JPEG")
MAX_PIXELS = 4_000_000  # the bot keeps them smaller

ONE_SHARE = 3  # of the context, one part of so many is one picture at most
ALL_SHARE = 2  # and all pictures of a message
GALLERY_TOKENS = 65_536


class Frames:
    """How many tokens a picture takes, and where they stand."""

    def __init__(
        self, folder: Path, tokenizer: Any, image_tokens: int, context_tokens: int
    ) -> None:
        self.processor = AutoImageProcessor.from_pretrained(folder, local_files_only=True)
        self.mark: str = tokenizer.context_image_token  # in the text of the chat template
        self.blank: int = tokenizer.context_image_token_id
        self._ends = (tokenizer.start_image_token_id, tokenizer.end_image_token_id)
        self._image_tokens = image_tokens  # of one tile
        self._context = context_tokens

    @property
    def tile(self) -> tuple[int, int]:
        """Height and width in pixels."""
        size = self.processor.size
        return int(size["height"]), int(size["width"])

    def ids(self, image: Image, together: int) -> list[int]:
        """Of a picture that is one of `together` in its message."""
        tiles = self.tiles(image, together)
        begin, end = self._ends
        return [begin, *[self.blank] * (tiles * self._image_tokens), end]

    def tiles(self, image: Image, together: int) -> int:
        width, height = size_of(image.data)
        return int(self.processor.get_number_of_image_patches(height, width, self.wanted(together)))

    def wanted(self, together: int) -> dict[str, Any]:
        """Fewer tiles where the context is short; the overview beside them counts as one."""
        room = min(self._context // ONE_SHARE, self._context // ALL_SHARE // together)
        most = max(1, room // self._image_tokens - 1)
        return {"crop_to_patches": True, "max_patches": min(most, self.processor.max_patches)}


@dataclass(frozen=True, slots=True)
class _Waiting:
    tiles: Tensor  # [tiles, 3, height, width]
    seen: "asyncio.Future[Tensor]"  # [tiles · tokens, width]


class Eye:
    def __init__(self, whole: Any, decoder: Any, frames: Frames) -> None:
        self._tower = Tower(whole, frames.tile)
        self._frames = frames
        self._gallery = Gallery.of(decoder, GALLERY_TOKENS)
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
    async def seen(
        self, messages: Sequence[Message], prompt: Sequence[int]
    ) -> AsyncIterator[list[int]]:
        """`prompt` with the ids of the pictures themselves; they hang until this is left."""
        shown = [(i, len(message.images)) for message in messages for i in message.images]
        async with AsyncExitStack() as stack:
            ids: list[int] = []
            for image, together in shown:
                name = _name(image, together)
                async with self._locks.setdefault(name, asyncio.Lock()):
                    if name not in self._gallery:
                        await self._gallery.hang(name, await self._features(image, together))
                    await stack.enter_async_context(self._gallery.viewing(name))
                ids += self._gallery.ids(name)
            yield replaced(prompt, self._frames.blank, iter(ids))

    async def _features(self, image: Image, together: int) -> Tensor:
        tiles = await asyncio.to_thread(self._tiles, image, together)
        waiting = _Waiting(tiles, asyncio.get_running_loop().create_future())
        self._waiting.put_nowait(waiting)
        return await waiting.seen

    def _tiles(self, image: Image, together: int) -> Tensor:
        picture = decoded(image.data)
        wanted = self._frames.wanted(together)
        pixels = self._frames.processor(images=[picture], return_tensors="pt", **wanted)
        return torch.as_tensor(pixels["pixel_values"])

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
        """Of each picture [tiles · tokens, width], on the device and computed."""
        seen = self._tower.see(torch.cat(list(pictures)))
        parts = torch.split(seen, [len(tiles) for tiles in pictures])
        return [part.flatten(0, 1) for part in parts]


def _count(waiting: Sequence[_Waiting]) -> int:
    return sum(len(each.tiles) for each in waiting)


def _name(image: Image, together: int) -> str:
    return f"{hashlib.sha256(image.data).hexdigest()} {together}"


@lru_cache(maxsize=256)
def size_of(data: bytes) -> tuple[int, int]:
    """Width and height, from the head of the file; BadRequest where it is none."""
    with _opened(data) as picture:
        return int(picture.width), int(picture.height)


def decoded(data: bytes) -> Pillow.Image:
    with _opened(data) as picture:
        try:
            return picture.convert("RGB")
        except (OSError, SyntaxError, ValueError) as error:
            raise BadRequest(f"a picture is broken: {error}") from error


def _opened(data: bytes) -> Pillow.Image:
    try:
        picture = Pillow.open(io.BytesIO(data), formats=FORMATS)
    except (OSError, SyntaxError, ValueError, Pillow.DecompressionBombError) as error:
        raise BadRequest(f"a picture cannot be read: {error}") from error
    if picture.width * picture.height > MAX_PIXELS:
        raise BadRequest(f"a picture has {picture.width}×{picture.height} pixels")
    return picture
