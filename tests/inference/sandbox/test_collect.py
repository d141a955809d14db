"""Whatever a program writes, reading it neither raises nor grows."""

import io
import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.sandbox import output_collector
from inference.sandbox.config import Limits
from inference.sandbox.inside import messages
from inference.sandbox.output_collector import OutputCollector

LIMITS = Limits(output_bytes=1024, figure_bytes=1024, figures=2, figure_pixels=10_000)


def chunk(kind: bytes, body: bytes) -> bytes:
    checksum = zlib.crc32(kind + body)
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", checksum)


def picture(width: int = 2, height: int = 2, *extra: bytes) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(bytes((width + 1) * height)))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(extra) + pixels + chunk(b"IEND", b"")


def collected(data: bytes, size: int = 1 << 16) -> OutputCollector:
    collector = OutputCollector(LIMITS)
    stream = io.BytesIO(data)
    while piece := stream.read(size):
        collector.feed(piece)
    collector.finish()
    return collector


FRAMES = st.one_of(
    st.text().map(lambda text: messages.line(messages.Stdout(text))),
    st.text().map(lambda text: messages.line(messages.Raised(text))),
    st.binary().map(lambda data: messages.line(messages.FigurePng(data))),
    st.binary(),
    st.just(messages.SEPARATOR),
    st.just(b"\n"),
)


@settings(deadline=None, max_examples=300)
@given(st.lists(FRAMES).map(b"".join), st.integers(1, 50))
def test_no_bytes_pass_the_limits(data: bytes, size: int) -> None:
    result = collected(data, size)

    text = result.stdout + result.stderr + (result.value or "")
    assert len(text.encode()) <= LIMITS.output_bytes
    assert len(result.figures) <= LIMITS.figures


@settings(deadline=None)
@given(
    st.lists(
        st.text(st.characters(exclude_characters="\x1e", exclude_categories=["Cs"])), max_size=9
    ),
    st.integers(1, 9),
)
def test_frames_survive_any_cut(texts: list[str], size: int) -> None:
    data = b"".join(messages.line(messages.Stdout(text)) for text in texts)

    assert collected(data, size).stdout == "".join(texts)


def test_text_around_frames_is_kept_apart() -> None:
    data = b"raw\n" + b"half " + messages.line(messages.Value("7")) + b"tail \xff"
    result = collected(data)

    assert (result.stdout, result.value) == ("raw\nhalf tail �", "7")


def test_a_line_without_end_stops_the_program() -> None:
    collector = OutputCollector(LIMITS)
    for _ in range(1000):
        collector.feed(b"x" * 1000)
    assert collector.over


def test_what_was_written_before_the_limit_is_kept() -> None:
    result = collected(messages.line(messages.Stdout("é" * 2000)))

    assert result.over
    assert result.stdout == "é" * 512


def of_rows(rows: bytes, behind: bytes = b"", *, depth: int = 8, laced: int = 0) -> bytes:
    """A grey PNG, 6 wide and 2 high: 14 bytes with its filters."""
    head = struct.pack(">IIBBBBB", 6, 2, depth, 0, 0, 0, laced)
    data = chunk(b"IDAT", zlib.compress(rows) + behind)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + data + chunk(b"IEND", b"")


def test_data_of_the_right_size_is_taken() -> None:
    for data in (of_rows(bytes(14)), of_rows(bytes(17), laced=1)):
        assert output_collector.check_png(data, max_pixels=10_000) is not None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<svg/>",
        picture()[:-1],
        picture().replace(b"IDAT", b"IDAX"),
        picture(200, 200),
        picture(0, 5),
        b"\x89PNG\r\n\x1a\n" + chunk(b"IEND", b""),
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", b"short") + chunk(b"IDAT", b"") + chunk(b"IEND", b""),
        picture(2, 2, *[chunk(b"tEXt", b"")] * 2000),
        of_rows(bytes(14 * 100_000)),  # inflates beyond its size
        of_rows(bytes(15)),
        of_rows(bytes(13)),
        of_rows(bytes(14), b"hidden behind it"),
        of_rows(bytes(14), depth=3),
    ],
)
def test_what_is_no_acceptable_png_is_dropped(data: bytes) -> None:
    assert output_collector.check_png(data, max_pixels=10_000) is None


def test_a_png_keeps_its_picture_and_nothing_else() -> None:
    hidden = picture(2, 2, chunk(b"tEXt", b"Comment\0@everyone")) + b"<script>"

    figure = output_collector.check_png(hidden, max_pixels=10_000)

    assert figure is not None
    assert figure.png == picture(2, 2)
    assert (figure.width, figure.height) == (2, 2)
