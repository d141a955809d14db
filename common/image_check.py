"""Tones of pictures, wherever pictures are read."""

import math
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from PIL.Image import Image as Picture


def to_eight_bits(image: "Picture") -> "Picture":
    """Return a Pillow image of finer tones in 256 of them; others as they are.

    Pillow itself cuts such tones off at 255, so that nearly all become white.
    """
    if not image.mode.startswith(("I", "F")):
        return image
    from PIL import Image, ImageChops, ImageMath  # noqa: PLC0415 — not every image has Pillow

    fine = image.convert("F")
    low, high = cast("tuple[float, float]", fine.getextrema())
    if image.mode.startswith("I;16"):
        low, high = 0, 65_535
    elif not math.isfinite(high - low):  # some of them are no numbers
        low, high = 0, 1
    else:
        low, high = _range(low, high, whole=image.mode == "I")
    scale = 255 / (high - low)
    tones = fine.point(lambda tone: tone * scale + (0.5 - low * scale)).convert("L")
    hidden = image.info.get("transparency")
    if not isinstance(hidden, int):
        return tones
    only = ImageMath.lambda_eval(lambda given: given["tone"] == float(hidden), tone=fine)
    mask = ImageChops.invert(only.convert("L").point(lambda value: 255 if value else 0))
    return Image.merge("LA", (tones, mask))


def _range(low: float, high: float, *, whole: bool) -> tuple[float, float]:
    """Return the darkest and the brightest tone that a picture with these extremes can have."""
    for usual in (*(() if whole else (1.0,)), 255.0, 65_535.0):
        if low >= 0 and high <= usual:
            return 0.0, usual
    return (low, high) if high > low else (low - 1, low + 1)
