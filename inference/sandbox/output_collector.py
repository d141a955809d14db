"""Collects the bytes of a program's pipe into the parts of its result.

The program owns the other end and may write anything there: forged frames, half lines, lines
without end, invalid UTF-8. Nothing it writes raises here or takes more memory than the limits
allow. A forged frame is only an unusual way to print. A line that is not a frame is text that
was written past Python's `sys.stdout`, as C libraries do.
"""

from collections.abc import Callable

import msgspec

from inference.sandbox import png_check
from inference.sandbox.config import Limits
from inference.sandbox.inside import messages
from inference.sandbox.result import ProgramFigure  # noqa: TC001

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
        figure = png_check.check_png(data, max_pixels=self._limits.figure_pixels)
        if figure:
            self.figures.append(figure)


def _frame(line: bytes) -> messages.Frame | None:
    try:
        frame: messages.Frame = messages.decode_frame(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return frame
