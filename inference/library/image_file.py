"""Files of pictures, decoded within bounds, and in the size of an article."""

import io
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

from PIL import Image, ImageOps

from common.image_depth import to_eight_bits
from jobqueue.structs import Attachment

FORMATS = ("PNG", "JPEG", "GIF", "WEBP")
MAX_BYTES = 64 << 20  # of a file
MAX_PIXELS = 50_000_000
LONGEST_SIDE = 1_600
PNG_BYTES = 1_000_000  # from here on what was drawn becomes a JPEG


class Unreadable(Exception):
    """A file that is no picture, a broken one, or too large; the message says which."""


@dataclass(frozen=True, slots=True)
class ArticleImage:
    """A picture as an article shows it."""

    data: bytes
    media_type: str
    width: int
    height: int

    def attachment(self, name: str) -> Attachment:
        return Attachment(
            sha256=sha256(self.data).hexdigest(),
            name=f"{Path(name).stem}.{'png' if self.media_type == 'image/png' else 'jpg'}",
            media_type=self.media_type,
            size=len(self.data),
        )


def read_file(path: Path) -> bytes:
    """Raises Unreadable."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise Unreadable(f"more than {MAX_BYTES >> 20} MiB")
        return path.read_bytes()
    except OSError as error:
        raise Unreadable(error.strerror or "not to be read") from error


def decode(data: bytes) -> Image.Image:
    """Return the first frame, upright, opaque and no longer than an article needs.

    Raises Unreadable.
    """
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise Unreadable(f"{image.width} × {image.height} pixels")
            image.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
            upright = ImageOps.exif_transpose(image)
            small = _opaque(to_eight_bits(upright))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise Unreadable(f"no picture that can be read ({type(error).__name__})") from error
    small.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    return small


def suffix_of(data: bytes) -> str:
    """Return the suffix of its true format, whatever the file was called. Raises Unreadable."""
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            known = {"JPEG": ".jpg", "MPO": ".jpg"}  # the latter with a gain map, from a phone
            return known.get(str(image.format), f".{str(image.format).lower()}")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise Unreadable(f"no picture that can be read ({type(error).__name__})") from error


def to_article_image(data: bytes) -> ArticleImage:
    """Encode a picture for an article: drawings keep their sharp edges while that is small."""
    image = decode(data)
    png = io.BytesIO()
    image.save(png, "PNG")
    if not data.startswith(b"\xff\xd8") and png.tell() <= PNG_BYTES:
        return ArticleImage(png.getvalue(), "image/png", *image.size)
    jpeg = io.BytesIO()
    image.save(jpeg, "JPEG", quality=88)
    return ArticleImage(jpeg.getvalue(), "image/jpeg", *image.size)


def fingerprint(image: Image.Image) -> int:
    """Return 240 bits, which of two neighbours is lighter; size and compression change few."""
    wide, high = 16, 15
    pixels = image.convert("L").resize((wide + 1, high)).tobytes()
    rows = (pixels[at : at + wide + 1] for at in range(0, len(pixels), wide + 1))
    bits = (left < right for row in rows for left, right in pairwise(row))
    return sum(bit << at for at, bit in enumerate(bits))


def _opaque(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        return image.convert("RGB")
    seen = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", seen.size, "white"), seen).convert("RGB")
