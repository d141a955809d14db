"""Images with more than 8 bits per channel, wherever images are decoded."""

import math
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from PIL.Image import Image as PillowImage


def to_eight_bits(image: "PillowImage") -> "PillowImage":
    """Scale an image of 16 or 32 bits, or of floats, to 8 bits; return others unchanged.

    Pillow's own conversion clips such values at 255, so that nearly all become white.
    """
    if not image.mode.startswith(("I", "F")):
        return image
    from PIL import Image, ImageChops, ImageMath  # noqa: PLC0415 — not every container has Pillow

    fine = image.convert("F")
    low, high = cast("tuple[float, float]", fine.getextrema())
    if image.mode.startswith("I;16"):
        low, high = 0, 65_535
    elif not math.isfinite(high - low):  # some values are NaN or infinite
        low, high = 0, 1
    else:
        low, high = _guess_range(low, high, whole=image.mode == "I")
    scale = 255 / (high - low)
    scaled = fine.point(lambda value: value * scale + (0.5 - low * scale)).convert("L")
    transparent = image.info.get("transparency")
    if not isinstance(transparent, int):
        return scaled
    hidden = ImageMath.lambda_eval(lambda given: given["tone"] == float(transparent), tone=fine)
    mask = ImageChops.invert(hidden.convert("L").point(lambda value: 255 if value else 0))
    return Image.merge("LA", (scaled, mask))


def _guess_range(low: float, high: float, *, whole: bool) -> tuple[float, float]:
    """Guess the darkest and the brightest value that an image with these extremes may have."""
    for brightest in (*(() if whole else (1.0,)), 255.0, 65_535.0):
        if low >= 0 and high <= brightest:
            return 0.0, brightest
    return (low, high) if high > low else (low - 1, low + 1)
