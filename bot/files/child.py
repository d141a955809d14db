"""Reads one hostile file, in a process of its own with hard limits.

    python -I child.py KIND MAX_CHARS MAX_PAGES < file > one line of JSON

It is run by its path and imports nothing of this project, so that `-I` and an empty environment
leave it neither secrets nor search paths. It ends by itself: by its CPU time, its memory, or
with `{"error": …}`.
"""

import base64
import io
import json
import resource
import sys
import zipfile
from collections.abc import Iterator
from typing import Any

MEMORY = 1 << 30  # bytes of address space
CPU_S = 8
MAX_UNPACKED = 100 << 20  # bytes of a docx
MAX_PIXELS = 50_000_000
FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "AVIF")
MOST_FRAMES = 4  # of an animation
LONGEST_SIDE = 2_048  # of what is kept of a picture
STILL_PIXELS = 4_000_000
STILL_BYTES = 1_500_000  # from here on a PNG becomes a JPEG


def main() -> None:
    kind, max_chars, max_pages = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    data = sys.stdin.buffer.read()
    _confine(threads=kind == "heic")
    try:
        result = _READERS[kind](data, max_chars, max_pages)
    except MemoryError:
        result = {"error": "memory"}
    except Exception as error:  # the process's edge: a parser may raise anything over such files
        result = {"error": type(error).__name__}
    sys.stdout.write(json.dumps(result))


def _confine(*, threads: bool) -> None:
    """Nothing else may be started; but the one decoder of HEIC that is free needs a thread, which
    counts as a process."""
    for what, limit in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, CPU_S),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        *(() if threads else ((resource.RLIMIT_NPROC, 0),)),
    ):
        resource.setrlimit(what, (limit, limit))


def _pdf(data: bytes, max_chars: int, max_pages: int) -> dict[str, Any]:
    import pypdf  # noqa: PLC0415 — each process needs one parser

    document = pypdf.PdfReader(io.BytesIO(data))
    if document.is_encrypted and not document.decrypt(""):
        return {"error": "encrypted"}
    pages = len(document.pages)
    gathered = _Gathered(max_chars)
    read = 0
    for page in document.pages[:max_pages]:
        if gathered.full:
            break
        gathered.add(page.extract_text())
        read += 1
    return {"text": gathered.text, "cut": gathered.full or read < pages, "pages": [read, pages]}


def _docx(data: bytes, max_chars: int, _max_pages: int) -> dict[str, Any]:
    import docx  # noqa: PLC0415

    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if sum(entry.file_size for entry in archive.infolist()) > MAX_UNPACKED:
            return {"error": "bomb"}
    gathered = _Gathered(max_chars)
    for block in docx.Document(io.BytesIO(data)).iter_inner_content():
        if gathered.full:
            break
        for line in _lines(block):
            gathered.add(line)
    return {"text": gathered.text, "cut": gathered.full}


def _lines(block: Any) -> Iterator[str]:
    """Of a paragraph, or of a table row by row."""
    if hasattr(block, "rows"):
        for row in block.rows:
            yield " | ".join(cell.text for cell in row.cells)
    else:
        yield block.text


def _image(data: bytes, _max_chars: int, _max_pages: int) -> dict[str, Any]:
    from PIL import AvifImagePlugin  # noqa: PLC0415

    AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # none besides this one
    return _stills(data, FORMATS)


def _heic(data: bytes, _max_chars: int, _max_pages: int) -> dict[str, Any]:
    import pi_heif  # noqa: PLC0415

    pi_heif.register_heif_opener()
    return _stills(data, ("HEIF",))


def _stills(data: bytes, formats: tuple[str, ...]) -> dict[str, Any]:
    """Still pictures that any model can take: upright, opaque, of a bounded size.

    Whoever sees them later decodes what was written here, and nothing that was posted.
    """
    from PIL import Image, ImageOps  # noqa: PLC0415

    Image.MAX_IMAGE_PIXELS = None  # our own limit has its own word
    with Image.open(io.BytesIO(data), formats=formats) as image:
        if image.width * image.height > MAX_PIXELS:
            return {"error": "pixels"}
        image.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))  # a large JPEG is read small at once
        stills = []
        for number in _frames(getattr(image, "n_frames", 1)):
            image.seek(number)
            still = _fitting(_opaque(ImageOps.exif_transpose(image.copy())))
            stills.append(_written(still, drawn=image.format in ("PNG", "GIF")))
        return {"stills": stills}


def _frames(count: int) -> list[int]:
    """Of an animation a few, from the first to the last."""
    if count <= MOST_FRAMES:
        return list(range(count))
    return [round(i * (count - 1) / (MOST_FRAMES - 1)) for i in range(MOST_FRAMES)]


def _opaque(image: Any) -> Any:
    """On white, where it is transparent."""
    from PIL import Image  # noqa: PLC0415

    if not image.has_transparency_data:
        return image.convert("RGB")
    seen = image.convert("RGBA")
    ground = Image.new("RGBA", seen.size, "white")
    return Image.alpha_composite(ground, seen).convert("RGB")


def _fitting(image: Any) -> Any:
    width, height = image.size
    share = min(LONGEST_SIDE / max(width, height), (STILL_PIXELS / (width * height)) ** 0.5, 1)
    if share == 1:
        return image
    return image.resize((max(1, int(width * share)), max(1, int(height * share))))


def _written(still: Any, *, drawn: bool) -> dict[str, str]:
    """What was drawn keeps its sharp edges while that is small; photographs stay JPEG."""
    kinds: list[tuple[str, dict[str, Any]]] = [("image/png", {"format": "PNG"})] if drawn else []
    kinds.append(("image/jpeg", {"format": "JPEG", "quality": 92}))
    for media_type, options in kinds:
        out = io.BytesIO()
        still.save(out, **options)
        if out.tell() <= STILL_BYTES or media_type == "image/jpeg":
            return {"media_type": media_type, "data": base64.b64encode(out.getvalue()).decode()}
    raise AssertionError("JPEG is always taken")


class _Gathered:
    """Text up to a limit."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._parts: list[str] = []
        self._length = 0

    @property
    def full(self) -> bool:
        return self._length > self._limit

    @property
    def text(self) -> str:
        """Never half a character of UTF-16, which fonts of a PDF may claim their letters to be."""
        whole = "\n".join(self._parts).encode("utf-16", "surrogatepass")
        return whole.decode("utf-16", "replace")[: self._limit]

    def add(self, text: str) -> None:
        if not self.full:
            self._parts.append(text[: self._limit + 1])
            self._length += len(text) + 1


_READERS = {"pdf": _pdf, "docx": _docx, "image": _image, "heic": _heic}

if __name__ == "__main__":
    main()
