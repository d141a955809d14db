"""Collects the bytes of a program's pipe into the parts of its result.

The program owns the other end and may write anything there: forged frames, half lines, lines
without end, invalid UTF-8. Nothing it writes raises here or takes more memory than the limits
allow. A forged frame is only an unusual way to print. A line that is not a frame is text that
was written past Python's `sys.stdout`, as C libraries do.
"""

import struct
import zlib
from collections.abc import Callable, Iterator

import msgspec

from inference.sandbox.config import Limits
from inference.sandbox.inside import messages
from inference.sandbox.result import ProgramFigure

# Checks a PNG without decoding it.
#
# The bytes come from a program that may have been written to harm whoever opens its pictures. The
# container is walked: the chunks that make the picture are kept, text and everything after the
# end are not, so a picture carries no message and no second file. Its data is inflated as far as
# its width, height and depth allow: it has to end there, so that no viewer inflates more.

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


OnOutput = Callable[[str], None]

_ROOM = 1 << 10  # for a frame's own words
_ESCAPED = 6  # bytes for one, at worst: \u0000


class OutputCollector:
    """Feed it what arrives. `over` turns true when a limit is passed: kill the program then."""

    def __init__(self, limits: Limits, on_output: OnOutput | None = None) -> None:
        self._limits = limits
        self._on_output = on_output or (lambda _: None)
        self._line = bytearray()  # the unfinished one
        self._longest = _ROOM + max(
            limits.figure_bytes * 4 // 3, min(limits.output_bytes, 1 << 20) * _ESCAPED
        )
        self._text_left = limits.output_bytes
        self._bytes_left = (
            limits.output_bytes * _ESCAPED * 2
            + limits.figures * (limits.figure_bytes * 4 // 3 + _ROOM)
            + (1 << 16)
        )
        self._stdout: list[str] = []
        self._stderr: list[str] = []
        self.value: str | None = None
        self.figures: list[ProgramFigure] = []
        self.raised = False
        self.out_of_memory = False
        self.over = False

    @property
    def stdout(self) -> str:
        return "".join(self._stdout)

    @property
    def stderr(self) -> str:
        return "".join(self._stderr)

    def feed(self, data: bytes) -> None:
        self._bytes_left -= len(data)
        if self._bytes_left < 0:
            self.over = True
        if self.over:
            return
        *lines, rest = data.split(b"\n")
        for line in lines:
            self._take(bytes(self._line) + line)
            self._line.clear()
        self._line += rest
        if len(self._line) > self._longest:
            self.over = True

    def finish(self) -> None:
        """The pipe is closed."""
        if self._line and not self.over:
            self._take(bytes(self._line), end="")
            self._line.clear()

    def _take(self, line: bytes, end: str = "\n") -> None:
        if self.over or len(line) > self._longest:
            self.over = True
            return
        text, separator, json = line.rpartition(messages.SEPARATOR)
        frame = _frame(json) if separator else None
        if frame is None:
            self._write(self._stdout, line.decode("utf-8", "replace") + end)
            return
        self._write(self._stdout, text.decode("utf-8", "replace"))
        self._file(frame)

    def _file(self, frame: messages.Frame) -> None:
        match frame:
            case messages.Stdout(text):
                self._write(self._stdout, text)
            case messages.Stderr(text):
                self._write(self._stderr, text)
            case messages.Value(text):
                self.value = self._truncate(text)
            case messages.Raised(text, memory):
                self.raised = True
                self.out_of_memory |= memory
                self._write(self._stderr, text)
            case messages.FigurePng(png_bytes):
                self._draw(png_bytes)

    def _write(self, stream: list[str], text: str) -> None:
        if text := self._truncate(text):
            stream.append(text)
            self._on_output(text)

    def _truncate(self, text: str) -> str:
        """Return the part of the text that may still be written."""
        data = text.encode("utf-8", "replace")
        if len(data) > self._text_left:
            self.over = True
            data = data[: self._text_left]
        self._text_left -= len(data)
        return data.decode("utf-8", "ignore")

    def _draw(self, data: bytes) -> None:
        if len(self.figures) >= self._limits.figures or len(data) > self._limits.figure_bytes:
            return
        figure = check_png(data, max_pixels=self._limits.figure_pixels)
        if figure:
            self.figures.append(figure)


def _frame(line: bytes) -> messages.Frame | None:
    try:
        frame: messages.Frame = messages.decode_frame(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return frame
