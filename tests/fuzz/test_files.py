"""Files that begin well and go wrong: read within bounds, or not, and never anything else."""

import base64
import io
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from bot.files.file_reader import ReadImage, Text, _to_content
from bot.files.file_types import FileType, kind_of
from bot.files.reader_process import LONGEST_SIDE
from tests.bot.files import making
from tests.fuzz import warm

Found = dict[str, Any] | None
Read = Callable[[FileType, bytes], Found]

SEEDS = (
    making.pdf("hello one", "hello two"),
    making.pdf_of_halves("hello"),
    making.word("before", "after", table=[["a", "b"], ["1", "2"]]),
    *(making.picture(kind, (40, 30)) for kind in ("PNG", "JPEG", "GIF", "WEBP", "AVIF")),
    making.PHOTO,
)
# What parsers count, follow and allocate by.
PIECES = (
    b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", b"99999999999", b"-1", b"/Length 999999",
    b"<< >>", b"1 0 R", b"2 0 R", b"/FlateDecode", b"/LZWDecode", b"/Encrypt 1 0 R", b"stream\n",
    b"endobj", b"\\ud800", b"<D800>", b"(", b"[" * 500, b"<<" * 500, b"%%EOF", b"PK\x05\x06",
    b"IDAT", b"acTL", b"Exif\0\0", b"\xff\xe1", b"meta", b"iloc",
)  # fmt: skip
few = hypothesis.settings(max_examples=max(12, hypothesis.settings().max_examples // 5))


@st.composite
def damaged(draw: st.DrawFn) -> tuple[FileType, bytes]:
    seed = draw(st.sampled_from(SEEDS))
    data, kind = bytearray(seed), kind_of(seed)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(8, len(data)))
        taken = draw(st.sampled_from((0, 1, 4, 40, len(data))))
        piece = draw(st.sampled_from(PIECES) | st.binary(max_size=4))
        data[at : at + taken] = piece
    return kind, bytes(data)


@pytest.fixture(scope="module")
def read() -> Iterator[Read]:
    command = [sys.executable, "-m", warm.__name__]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as process:
        asking, answering = process.stdin, process.stdout
        assert asking is not None
        assert answering is not None

        def read(kind: FileType, data: bytes) -> Found:
            asked = {"kind": kind, "data": base64.b64encode(data).decode()}
            print(json.dumps(asked), file=asking)
            found: Found = json.loads(answering.readline())
            return found

        yield read
        asking.close()


def test_sound_files_are_read(read: Read) -> None:
    for seed in SEEDS:
        content = _to_content(read(kind_of(seed), seed) or {"error": "ended"})
        assert isinstance(content, Text | ReadImage)


@few
@given(file=damaged())
def test_damaged_files_are_read_within_bounds_or_not(
    read: Read, file: tuple[FileType, bytes]
) -> None:
    found = read(*file)
    content = _to_content(found) if found else None  # a limit ended it
    if isinstance(content, Text):
        assert 0 < len(content.text) <= warm.MAX_CHARS
        assert content.text.encode()
    if isinstance(content, ReadImage):
        for still in content.stills:
            with Image.open(io.BytesIO(still.data)) as image:
                assert max(image.size) <= LONGEST_SIDE
