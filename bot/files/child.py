"""Reads one hostile file, in a process of its own with hard limits.

    python -I child.py KIND MAX_CHARS MAX_PAGES < file > one line of JSON

It is run by its path and imports nothing of this project, so that `-I` and an empty environment
leave it neither secrets nor search paths. It ends by itself: by its CPU time, its memory, or
with `{"error": …}`.
"""

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


def main() -> None:
    kind, max_chars, max_pages = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    data = sys.stdin.buffer.read()
    _confine()
    try:
        result = _READERS[kind](data, max_chars, max_pages)
    except MemoryError:
        result = {"error": "memory"}
    except Exception as error:  # the process's edge: a parser may raise anything over such files
        result = {"error": type(error).__name__}
    sys.stdout.write(json.dumps(result))


def _confine() -> None:
    for what, limit in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, CPU_S),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NPROC, 0),
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
    """Only the header is read; whoever sees the picture decodes it."""
    from PIL import Image  # noqa: PLC0415

    Image.MAX_IMAGE_PIXELS = None  # our own limit has its own word
    with Image.open(io.BytesIO(data), formats=("PNG", "JPEG", "GIF", "WEBP")) as image:
        if image.width * image.height > MAX_PIXELS:
            return {"error": "pixels"}
        return {"media_type": Image.MIME[image.format or ""]}


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
        return "\n".join(self._parts)[: self._limit]

    def add(self, text: str) -> None:
        if not self.full:
            self._parts.append(text[: self._limit + 1])
            self._length += len(text) + 1


_READERS = {"pdf": _pdf, "docx": _docx, "image": _image}

if __name__ == "__main__":
    main()
