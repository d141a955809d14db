"""Reads the text in a picture, in English, Chinese and mixtures of both.

PP-OCRv6's small models, which the wheel of rapidocr carries: nothing is fetched. They read lines,
not mathematics in two dimensions: of a fraction they see its parts.
"""

import asyncio
import io
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

from common import tracing
from common.image_depth import to_eight_bits

MAX_PIXELS = 50_000_000  # of a picture; more are not even decoded
LONGEST_SIDE = 1_280  # as it is read; text of fewer than about 8 pixels is lost in larger ones
MOST_LINES = 120
TIMEOUT_S = 30.0  # a full page takes about 3 s on two cores
THREADS = 2  # of the CPU, which others need as well

_MODELS = {
    "Det": "PP-OCRv6_det_small.onnx",
    "Cls": "ch_ppocr_mobile_v2.0_cls_mobile.onnx",
    "Rec": "PP-OCRv6_rec_small.onnx",
}
# One picture at a time: its models are no safer from several threads than they are faster.
_thread = ThreadPoolExecutor(1, "ocr")


class Unread(Exception):
    """The picture's text cannot be had: no reader is installed, or it is damaged or too large."""


@dataclass(frozen=True, slots=True)
class TextLine:
    text: str
    score: float  # 0 to 1, how sure the reader is; below one half it says nothing
    box: tuple[int, int, int, int]  # left, top, right, bottom, in pixels of the picture


@cache
def is_installed() -> bool:
    return find_spec("rapidocr") is not None and find_spec("onnxruntime") is not None


async def read_text(data: bytes) -> tuple[TextLine, ...]:
    """The lines of a PNG or JPEG file, from top to bottom and left to right.

    Raises Unread.
    """
    loop = asyncio.get_running_loop()
    try:
        with tracing.start_span("read picture") as span:
            async with asyncio.timeout(TIMEOUT_S):
                lines = await loop.run_in_executor(_thread, _read, data)
                span.set_attributes(tracing.attributes(lines=len(lines)))
                return lines
    except TimeoutError as error:
        raise Unread(f"not read within {TIMEOUT_S:g} s") from error


def in_rows(lines: Sequence[TextLine]) -> str:
    """Their text: what stands side by side in a row of its own."""
    if not lines:
        return ""
    parts = [lines[0].text]
    for before, line in pairwise(lines):
        parts += [" " if _beside(before, line) else "\n", line.text]
    return "".join(parts)


def _beside(one: TextLine, other: TextLine) -> bool:
    """Return whether two boxes share at least half of the lower one's height with nothing below."""
    shared = min(one.box[3], other.box[3]) - max(one.box[1], other.box[1])
    lower = min(one.box[3] - one.box[1], other.box[3] - other.box[1])
    return 2 * shared > lower and one.box[0] < other.box[0]


def _read(data: bytes) -> tuple[TextLine, ...]:
    picture, scale = _decode_pixels(data)
    found = _reader()(picture)
    if found.txts is None or found.boxes is None:
        return ()
    return tuple(
        TextLine(text, round(float(score), 3), _box(corners, scale))
        for text, score, corners in zip(found.txts, found.scores, found.boxes, strict=True)
    )


def _decode_pixels(data: bytes) -> tuple[Any, float]:
    """Return the pixels in OpenCV's order, and how much larger the picture itself is."""
    import numpy as np  # noqa: PLC0415  (as below: only where pictures are read)
    from PIL import Image  # noqa: PLC0415

    try:
        with Image.open(io.BytesIO(data), formats=("PNG", "JPEG")) as image:
            if image.width * image.height > MAX_PIXELS:
                raise Unread(f"{image.width} by {image.height} pixels are too many")
            width = image.width
            image.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
            small = to_eight_bits(image).convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise Unread(f"damaged: {type(error).__name__}") from error
    small.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    return np.asarray(small)[:, :, ::-1], width / small.width


def _box(corners: Any, scale: float) -> tuple[int, int, int, int]:
    left, top = (round(float(each) * scale) for each in corners.min(axis=0))
    right, bottom = (round(float(each) * scale) for each in corners.max(axis=0))
    return left, top, right, bottom


@cache
def _reader() -> Any:
    """Loads in about two seconds. Raises Unread where it is not installed."""
    try:
        import rapidocr  # noqa: PLC0415
    except ImportError as error:
        raise Unread("rapidocr is not installed: pip install 'commonroom[ocr]'") from error
    models = Path(rapidocr.__file__).parent / "models"
    return rapidocr.RapidOCR(
        params={
            "Global.log_level": "critical",  # it has a handler of its own, and warns of no text
            "Global.max_side_len": LONGEST_SIDE,
            "EngineConfig.onnxruntime.intra_op_num_threads": THREADS,
            "Det.limit_type": "max",  # its own way enlarges a narrow strip to megapixels
            "Det.limit_side_len": LONGEST_SIDE,
            "Det.max_candidates": MOST_LINES,
            # Named, they are never looked for on the network.
            **{f"{part}.model_path": str(models / name) for part, name in _MODELS.items()},
        }
    )
