"""Runs one program in this confined process and reports by frames on a descriptor."""

import ast
import io
import linecache
import os
import sys
import traceback
import warnings
from types import CodeType, ModuleType
from typing import TYPE_CHECKING, TextIO

from inference.sandbox.inside import figures, messages

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

PROGRAM = "<program>"
_PIECE = 32 << 10  # characters of text in one frame, so that a line stays short
_OUT_OF_MEMORY = messages.line(messages.Raised("MemoryError\n", memory=True))


class FrameWriter:
    """Frames as lines on a descriptor, complete or not at all."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def send(self, frame: messages.Frame) -> None:
        self.write(messages.line(frame))

    def write(self, line: bytes) -> None:
        rest = memoryview(line)
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]


class FrameStream(io.RawIOBase):
    """The raw end of `sys.stdout` or `sys.stderr`."""

    def __init__(self, writer: FrameWriter, kind: type[messages.Stdout | messages.Stderr]) -> None:
        self._writer = writer
        self._kind = kind

    def writable(self) -> bool:
        return True

    def write(self, data: "ReadableBuffer") -> int:
        text = bytes(view := memoryview(data)).decode("utf-8", "replace")
        for start in range(0, len(text), _PIECE):
            self._writer.send(self._kind(text[start : start + _PIECE]))
        return len(view)

    def text(self) -> TextIO:
        return io.TextIOWrapper(
            io.BufferedWriter(self, _PIECE), encoding="utf-8", errors="replace", line_buffering=True
        )


def run(task: messages.Task, output: int) -> None:
    """Run the program and write its frames as it goes.

    Nothing that the program does raises here.
    """
    frames = FrameWriter(output)
    sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115  (lives as long as the process)
    sys.stdout = FrameStream(frames, messages.Stdout).text()
    sys.stderr = FrameStream(frames, messages.Stderr).text()
    sys.set_int_max_str_digits(0)  # 2000! has 5736 digits; the CPU limit bounds the work
    warnings.formatwarning = _short_warning
    shown = figures.FigureSender(frames.send, task)
    shown.install()
    try:
        value = _execute(task.program)
        shown.all_open()
        _flush()
        if value is not None:
            frames.send(messages.Value(_cut(value, task.output_bytes)))
    except MemoryError:
        frames.write(_OUT_OF_MEMORY)  # made beforehand: there is no memory to make it now
    except BaseException as error:
        _flush()
        if not _left_quietly(error):
            text = _own_frames(error)
            frames.send(messages.Raised(_cut(text, task.output_bytes)))


def _execute(source: str) -> str | None:
    """repr of the last statement where that is an expression with a value to show."""
    main = ModuleType("__main__")
    sys.modules["__main__"] = main  # dataclasses and pickle look a class's module up
    linecache.cache[PROGRAM] = (len(source), None, source.splitlines(keepends=True), PROGRAM)
    body, last = _compile(source)
    exec(body, main.__dict__)  # noqa: S102  (the purpose of it all)
    if last is None:
        return None
    value = eval(last, main.__dict__)  # noqa: S307
    return None if value is None or _is_drawing(value) else repr(value)


def _compile(source: str) -> tuple[CodeType, CodeType | None]:
    tree = ast.parse(source, PROGRAM)
    last = None
    if tree.body and isinstance(tree.body[-1], ast.Expr):
        expression = ast.Expression(tree.body.pop().value)  # type: ignore[attr-defined]
        last = compile(expression, PROGRAM, "eval")
    return compile(tree, PROGRAM, "exec"), last


def _is_drawing(value: object) -> bool:
    """Return whether the last line draws, such as `plt.plot(…)`.

    Its value, a list of lines, is not printed.
    """
    sample = value[0] if isinstance(value, list | tuple) and value else value
    return type(sample).__module__.partition(".")[0] in ("matplotlib", "mpl_toolkits")


def _short_warning(
    message: Warning | str, category: type[Warning], *_: object, **__: object
) -> str:
    return f"{category.__name__}: {message}\n"


def _left_quietly(error: BaseException) -> bool:
    return isinstance(error, SystemExit) and error.code in (None, 0)


def _own_frames(error: BaseException) -> str:
    """The traceback as the program's author sees it: without this file, without libraries."""
    report = traceback.TracebackException.from_exception(error)
    seen: list[traceback.TracebackException] = [report]
    for one in seen:
        one.stack[:] = [frame for frame in one.stack if frame.filename == PROGRAM]
        seen += [linked for linked in (one.__cause__, one.__context__) if linked is not None]
        seen += one.exceptions or ()
    return "".join(report.format())


def _cut(text: str, limit: int) -> str:
    """Cut the text to `limit` bytes of UTF-8: leave out its middle, and replace lone surrogates."""
    data = text.encode("utf-8", "replace")
    if len(data) > limit:
        half = limit // 2 - 8
        data = data[:half] + "\n…\n".encode() + data[-half:]
    return data.decode("utf-8", "ignore")


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):  # closed by the program, or nobody reads any more
            continue
