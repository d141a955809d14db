"""Decodes a picture's file, with the same limits for every model."""

import io
from functools import lru_cache

from PIL import Image as Pillow

from common.image_depth import to_eight_bits
from inference.engines.base import BadRequest

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
