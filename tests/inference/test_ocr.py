"""What is read in pictures, by the models that rapidocr's wheel carries."""

import io
import sys

import pytest
from PIL import Image

from bot.render.svg_to_png import has_glyph
from inference import ocr
from inference.ocr import TextLine, Unread, in_rows, read_text
from tests.drawn import written

pytestmark = pytest.mark.usefixtures("reader")

WORDS = ("Anna buys 7 pens for 3 dollars each.", "She pays with 50 dollars.")


async def test_lines_with_their_places_in_the_picture_itself() -> None:
    drawn = Image.open(io.BytesIO(written(*WORDS))).convert("RGB")
    picture = drawn.resize((1_800, 320))
    large = io.BytesIO()
    picture.save(large, "JPEG")
    first, second = await read_text(large.getvalue())
    assert (first.text, second.text) == WORDS
    assert min(first.score, second.score) > 0.9
    left, top, right, bottom = first.box
    assert 20 < left < 60
    assert 900 < right < 1_800
    assert 30 < top < bottom < second.box[1] < 320


@pytest.mark.skipif(not has_glyph("苹"), reason="no font has Chinese")
async def test_chinese() -> None:
    lines = await read_text(written("小明有24个苹果，分给6个同学，", "每个同学分到几个？"))
    assert in_rows(lines) == "小明有24个苹果，分给6个同学，\n每个同学分到几个？"


async def test_nothing_is_read_where_nothing_is_written() -> None:
    assert await read_text(written("")) == ()


def large() -> bytes:
    file = io.BytesIO()
    Image.new("1", (8_000, 8_000)).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "why"),
    [(b"GIF89a", "damaged"), (written("x")[:200], "damaged"), (large(), "too many")],
    ids=["another-kind", "cut", "large"],
)
async def test_what_cannot_be_read_says_so(data: bytes, why: str) -> None:
    with pytest.raises(Unread, match=why):
        await read_text(data)


async def test_time_is_bounded_and_the_next_picture_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ocr, "TIMEOUT_S", 0.001)
    with pytest.raises(Unread, match="not read within"):
        await read_text(written(*WORDS))
    monkeypatch.undo()
    assert len(await read_text(written(*WORDS))) == 2


async def test_where_it_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ocr, "_reader", ocr._reader.__wrapped__)
    monkeypatch.setitem(sys.modules, "rapidocr", None)
    with pytest.raises(Unread, match="not installed"):
        await read_text(written("x"))


def test_what_stands_side_by_side_is_one_row() -> None:
    lines = (
        TextLine("x", 1, (0, 0, 10, 20)),
        TextLine("y", 1, (100, 4, 110, 24)),
        TextLine("3", 1, (0, 30, 10, 50)),
        TextLine("4", 1, (100, 31, 110, 51)),
    )
    assert in_rows(lines) == "x y\n3 4"
    assert in_rows(()) == ""
