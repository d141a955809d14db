"""How each model family represents pictures as tokens.

Only the families' image processors are used, which exist without torchvision. Their whole
processors do not: each wants one for videos, or torchvision itself.
"""

import io
from abc import ABC, abstractmethod
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

from PIL import Image as Pillow
from torch import Tensor
from transformers import AutoImageProcessor
from transformers.models.smolvlm.processing_smolvlm import get_image_prompt_string

from common.image_depth import to_eight_bits
from inference.engines.base import BadRequest, Image

# Decodes a picture's file, with the same limits for every model.

FORMATS = ("PNG", "JPEG")
MAX_PIXELS = 4_000_000  # the bot keeps them smaller


@lru_cache(maxsize=256)
def size_of(data: bytes) -> tuple[int, int]:
    """Width and height, from the head of the file; BadRequest where it is none."""
    with _open_image(data) as picture:
        return int(picture.width), int(picture.height)


def decode_image(data: bytes) -> Pillow.Image:
    with _open_image(data) as picture:
        try:
            return to_eight_bits(picture).convert("RGB")
        except (OSError, SyntaxError, ValueError) as error:
            raise BadRequest(f"a picture is broken: {error}") from error


def _open_image(data: bytes) -> Pillow.Image:
    try:
        picture = Pillow.open(io.BytesIO(data), formats=FORMATS)
    except (OSError, SyntaxError, ValueError, Pillow.DecompressionBombError) as error:
        raise BadRequest(f"a picture cannot be read: {error}") from error
    if picture.width * picture.height > MAX_PIXELS:
        raise BadRequest(f"a picture has {picture.width}×{picture.height} pixels")
    return picture


ONE_SHARE = 3  # of the context, one part of so many is one picture at most
ALL_SHARE = 2  # and all pictures of a message


class VisionFamily(ABC):
    """Of a family. `together` is how many pictures a message has."""

    # Whether a picture's tokens have ordinary places in the sequence, one after the other: then it
    # is read in the batch like any text.
    in_batch: ClassVar[bool] = True

    def __init__(self, folder: Path, tokenizer: Any, config: Any, context_tokens: int) -> None:
        """`config` is of the model as a whole."""
        self.processor: Any = AutoImageProcessor.from_pretrained(folder, local_files_only=True)
        self.blank = int(config.image_token_id)  # stands for a piece of a picture
        self.mark: str = tokenizer.convert_ids_to_tokens(self.blank)  # in the chat template's text
        self._context = context_tokens

    @abstractmethod
    def ids(self, image: Image, together: int) -> list[int]:
        """The tokens that stand for it; BadRequest where the file is no picture."""

    @abstractmethod
    def processor_options(self, together: int) -> dict[str, Any]:
        """Return the image processor's options for this many tokens."""

    def pixels(self, image: Image, together: int) -> dict[str, Tensor]:
        wanted = self.processor_options(together)
        return dict(
            self.processor(images=[decode_image(image.data)], return_tensors="pt", **wanted)
        )

    def room(self, together: int) -> int:
        """Tokens that a picture may take."""
        return min(self._context // ONE_SHARE, self._context // ALL_SHARE // together)


class TiledFamily(VisionFamily):
    """Of a family that cuts pictures into tiles of one size."""

    captured: ClassVar[bool]  # whether a GPU's graph can hold the way through the tower

    @property
    @abstractmethod
    def tile(self) -> tuple[int, int]:
        """Height and width in pixels."""

    def tiles(self, image: Image, together: int) -> Tensor:
        """[tiles, 3, height, width]"""
        return self.pixels(image, together)["pixel_values"].view(-1, 3, *self.tile)

    @abstractmethod
    def features(self, whole: Any, tiles: Tensor) -> Tensor:
        """Return the vision tower's features of the tiles: [tiles, tokens, width]."""


class InternVL(TiledFamily):
    captured = True

    def __init__(self, folder: Path, tokenizer: Any, config: Any, context_tokens: int) -> None:
        super().__init__(folder, tokenizer, config, context_tokens)
        self._ends = (tokenizer.start_image_token_id, tokenizer.end_image_token_id)
        self._tile_tokens = int(config.image_seq_length)

    @property
    def tile(self) -> tuple[int, int]:
        size = self.processor.size
        return int(size["height"]), int(size["width"])

    def ids(self, image: Image, together: int) -> list[int]:
        width, height = size_of(image.data)
        wanted = self.processor_options(together)
        tiles = int(self.processor.get_number_of_image_patches(height, width, wanted))
        begin, end = self._ends
        return [begin, *[self.blank] * (tiles * self._tile_tokens), end]

    def processor_options(self, together: int) -> dict[str, Any]:
        """Fewer tiles where the context is short; the overview beside them counts as one."""
        most = max(1, self.room(together) // self._tile_tokens - 1)
        return {"crop_to_patches": True, "max_patches": min(most, self.processor.max_patches)}

    def features(self, whole: Any, tiles: Tensor) -> Tensor:
        seen: Tensor = whole.get_image_features(pixel_values=tiles).pooler_output
        return seen


AROUND, OVERVIEW = "<fake_token_around_image>", "<global-img>"


class SmolVLM(TiledFamily):
    """And Idefics3, from which it comes: rows and columns of tiles, each named in the text."""

    captured = False  # it asks the card which tiles are empty

    def __init__(self, folder: Path, tokenizer: Any, config: Any, context_tokens: int) -> None:
        super().__init__(folder, tokenizer, config, context_tokens)
        self._tokenizer = tokenizer
        self._edge = int(self.processor.max_image_size["longest_edge"])
        side = self._edge // config.vision_config.patch_size
        self._tile_tokens = side**2 // config.scale_factor**2

    @property
    def tile(self) -> tuple[int, int]:
        return self._edge, self._edge

    def ids(self, image: Image, together: int) -> list[int]:
        (width, height), wanted = size_of(image.data), self.processor_options(together)
        _, *cut = self.processor.get_number_of_image_patches(height, width, wanted)
        text = get_image_prompt_string(*cut, self._tile_tokens, AROUND, self.mark, OVERVIEW)
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False)
        return ids

    def processor_options(self, together: int) -> dict[str, Any]:
        """Return as many tiles a side as fit into a square; a single tile needs no overview."""
        tiles = self.room(together) // self._tile_tokens
        most = int(self.processor.size["longest_edge"]) // self._edge
        sides = (side for side in range(most, 1, -1) if side**2 + 1 <= tiles)
        return {"size": {"longest_edge": next(sides, 1) * self._edge}}

    def features(self, whole: Any, tiles: Tensor) -> Tensor:
        [seen] = whole.get_image_features(pixel_values=tiles[None]).pooler_output
        features: Tensor = seen.unflatten(0, (len(tiles), -1))
        return features


class QwenVL(VisionFamily):
    """Its pictures keep their shape, and their tokens have places in two dimensions."""

    in_batch = False

    def __init__(self, folder: Path, tokenizer: Any, config: Any, context_tokens: int) -> None:
        super().__init__(folder, tokenizer, config, context_tokens)
        self._patches = self.processor.merge_size**2  # that become a token
        self._token_pixels = self._patches * self.processor.patch_size**2

    def ids(self, image: Image, together: int) -> list[int]:
        width, height = size_of(image.data)
        size = self.processor_options(together)["size"]
        limits = {"min_pixels": size["shortest_edge"], "max_pixels": size["longest_edge"]}
        try:
            patches = self.processor.get_number_of_image_patches(height, width, limits)
        except ValueError as error:  # two hundred times as long as wide
            raise BadRequest(f"a picture cannot be seen: {error}") from error
        return [self.blank] * (patches // self._patches)

    def processor_options(self, together: int) -> dict[str, Any]:
        """Return the options; this family's "edges" are numbers of pixels."""
        size = self.processor.size
        most = min(int(size["longest_edge"]), self.room(together) * self._token_pixels)
        return {"size": {"shortest_edge": min(size["shortest_edge"], most), "longest_edge": most}}


# By the `model_type` of a checkpoint's configuration.
FAMILIES: dict[str, type[VisionFamily]] = {
    "internvl": InternVL,
    "smolvlm": SmolVLM,
    "idefics3": SmolVLM,
    "qwen2_vl": QwenVL,
    "qwen2_5_vl": QwenVL,
    "qwen3_vl": QwenVL,
}
