"""Checks a PNG without decoding it.

The bytes come from a program that may have been written to harm whoever opens its pictures.
The container is walked: the chunks that make the picture are kept, text and everything after the
end are not, so a picture carries no message and no second file. Its data is inflated as far as its
width, height and depth allow: it has to end there, so that no viewer inflates more.
"""

import struct
import zlib
from collections.abc import Iterator

from inference.sandbox.result import ProgramFigure

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_KEPT = {b"IHDR", b"PLTE", b"tRNS", b"pHYs", b"IDAT", b"IEND"}
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by the kind of colours
_PASSES = (  # Adam7: first column and row, and the steps between them
    (0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4),
    (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2),
)  # fmt: skip
_PIECE = 1 << 20  # bytes that are inflated at once
_MAX_CHUNKS = 1024  # libpng cuts the data into pieces of 8 to 64 KiB


def check_png(data: bytes, *, max_pixels: int) -> ProgramFigure | None:
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
    if not _inflates_to(_data_size(header), b"".join(b for kind, b in chunks if kind == b"IDAT")):
        return None
    kept = b"".join(_pack_chunk(kind, body) for kind, body in chunks if kind in _KEPT)
    return ProgramFigure(_SIGNATURE + kept, width, height)


def _data_size(header: bytes) -> int:
    """Return how many bytes the picture's rows are, each with its filter's byte; 0 for no PNG."""
    width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", header)
    bits = depth * _CHANNELS.get(colour, 0)
    if depth not in (1, 2, 4, 8, 16) or not bits or interlaced > 1:
        return 0
    size = 0
    for left, top, across, down in _PASSES if interlaced else ((0, 0, 1, 1),):
        columns, rows = -(-(width - left) // across), -(-(height - top) // down)
        if columns > 0 and rows > 0:
            size += rows * (1 + (columns * bits + 7) // 8)
    return size


def _inflates_to(size: int, data: bytes) -> bool:
    """Return whether it inflates to exactly so many bytes; it is never inflated further."""
    inflater = zlib.decompressobj()
    seen = 0
    try:
        while data and seen <= size:
            seen += len(inflater.decompress(data, _PIECE))
            data = inflater.unconsumed_tail
    except zlib.error:
        return False
    return size > 0 and seen == size and inflater.eof and not inflater.unused_data


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


def _pack_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", len(body), kind) + body + struct.pack(">I", zlib.crc32(kind + body))
