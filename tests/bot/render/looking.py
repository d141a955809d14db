"""Reads a PNG as far as these tests look at one: its size and its ink."""

import struct
import zlib
from dataclasses import dataclass

_SIGNATURE = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class Seen:
    width: int
    height: int
    pixels: bytes  # four bytes each, red, green, blue and opacity

    def at(self, x: int, y: int) -> tuple[int, int, int, int]:
        place = 4 * (y * self.width + x)
        red, green, blue, opacity = self.pixels[place : place + 4]
        return red, green, blue, opacity

    def ink(self, left: int = 0, right: int | None = None) -> int:
        """How many pixels between two columns are bright, on a dark card."""
        columns = range(left, self.width if right is None else right)
        return sum(self.at(x, y)[1] > 140 for y in range(self.height) for x in columns)

    def bands(self, left: int = 0, right: int | None = None) -> list[tuple[int, int]]:
        """The runs of lines with ink between two columns: where each starts and ends."""
        starts = range(0, len(self.pixels), 4 * self.width)
        end = self.width if right is None else right
        greens = (self.pixels[start + 4 * left + 1 : start + 4 * end : 4] for start in starts)
        inked = [max(line) > 140 for line in greens]
        ends = [y for y in range(1, self.height) if inked[y] != inked[y - 1]]
        return list(zip(ends[::2], ends[1::2], strict=True))


def look(png: bytes) -> Seen:
    """The pixels of a PNG with eight bits of red, green, blue and opacity."""
    assert png.startswith(_SIGNATURE)
    chunks = list(_chunks(png))
    width, height, depth, colour = struct.unpack(">IIBB", chunks[0][1][:10])
    assert (depth, colour) == (8, 6)
    data = zlib.decompress(b"".join(body for kind, body in chunks if kind == b"IDAT"))
    return Seen(width, height, _unfiltered(data, 4 * width, height))


def _chunks(png: bytes) -> list[tuple[bytes, bytes]]:
    chunks, at = [], len(_SIGNATURE)
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        chunks.append((png[at + 4 : at + 8], png[at + 8 : at + 8 + length]))
        at += length + 12
    return chunks


def _unfiltered(data: bytes, stride: int, height: int) -> bytes:
    above, result = bytearray(stride), bytearray()
    for row in range(height):
        start = row * (stride + 1)
        line = bytearray(data[start + 1 : start + 1 + stride])
        _undo(data[start], line, above)
        result += line
        above = line
    return bytes(result)


def _undo(kind: int, line: bytearray, above: bytearray) -> None:
    for at in range(len(line)):
        left, up = line[at - 4] if at >= 4 else 0, above[at]
        corner = above[at - 4] if at >= 4 else 0
        guess = (0, left, up, (left + up) // 2, _paeth(left, up, corner))[kind]
        line[at] = (line[at] + guess) & 0xFF


def _paeth(left: int, up: int, corner: int) -> int:
    estimate = left + up - corner
    return min((left, up, corner), key=lambda value: abs(estimate - value))
