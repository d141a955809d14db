"""Check a PNG without decoding it.

The bytes come from a program that may have been written to harm whoever opens its pictures.
Only the container is walked: the chunks that make the picture are kept, text and everything
after the end are not, so a picture carries no message and no second file. What is inside the
compressed data stays the viewer's business; the width and height bound what it inflates to.
"""

import struct
import zlib
from collections.abc import Iterator

from inference.sandbox.result import Figure

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_KEPT = {b"IHDR", b"PLTE", b"tRNS", b"pHYs", b"IDAT", b"IEND"}
_MAX_CHUNKS = 1024  # libpng cuts the data into pieces of 8 to 64 KiB


def checked(data: bytes, *, max_pixels: int) -> Figure | None:
    """The picture, or None where the bytes are not a PNG or it has too many pixels."""
    try:
        chunks = list(_chunks(data))
    except (ValueError, struct.error):
        return None
    kinds = [kind for kind, _ in chunks]
    if kinds[:1] != [b"IHDR"] or kinds.count(b"IHDR") != 1 or b"IDAT" not in kinds:
        return None
    header = chunks[0][1]
    if len(header) != 13:
        return None
    width, height = struct.unpack(">II", header[:8])
    if not 0 < width * height <= max_pixels:
        return None
    kept = b"".join(_packed(kind, body) for kind, body in chunks if kind in _KEPT)
    return Figure(_SIGNATURE + kept, width, height)


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Up to and with IEND; ValueError where the file is cut or a checksum is wrong."""
    if not data.startswith(_SIGNATURE):
        raise ValueError("signature")
    position = len(_SIGNATURE)
    for _ in range(_MAX_CHUNKS):
        length, kind = struct.unpack_from(">I4s", data, position)
        body = data[position + 8 : position + 8 + length]
        (checksum,) = struct.unpack_from(">I", data, position + 8 + length)
        if zlib.crc32(kind + body) != checksum:
            raise ValueError("checksum")
        position += 12 + length
        yield kind, body
        if kind == b"IEND":
            return
    raise ValueError("too many chunks")


def _packed(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", len(body), kind) + body + struct.pack(">I", zlib.crc32(kind + body))
