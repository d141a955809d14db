"""What people post is read by what it is, within bounds, or skipped with the reason."""

import asyncio
import io
import json
import shutil
import socket
import subprocess
import sys
import zipfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

from bot.files import file_reader as reading
from bot.files.file_reader import FileReader, ReadImage, Skipped, Text
from bot.files.file_types import FileType, decode, kind_of
from bot.files.prompt_files import ReadFile
from bot.i18n import words
from common.confinement import landlock
from tests.bot.files import making


def landlock_is_here() -> bool:
    return sys.platform == "linux" and landlock.get_abi_version() > 0


@pytest.fixture
def reader() -> FileReader:
    return FileReader()


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"a,b\n1,2\n", "a,b\n1,2\n"),
        ("你好 ñ".encode(), "你好 ñ"),
        ("\ufeffhello".encode(), "hello"),
        ("你好，世界。这是一个测试。".encode("gb18030"), "你好，世界。这是一个测试。"),
        ("hello".encode("utf-16"), "hello"),
        (b"print('hi')\x0c\n", "print('hi')\x0c\n"),
    ],
)
async def test_text_in_the_encodings_people_use(reader: FileReader, data: bytes, text: str) -> None:
    assert kind_of(data) is FileType.TEXT
    assert await reader.read(data, max_chars=100) == Text(text)


@pytest.mark.parametrize("data", [b"\0\1\2\3" * 50, bytes(range(1, 32)) * 20, b"MZ\x90\0\3"])
def test_bytes_that_are_no_text(data: bytes) -> None:
    assert decode(data) is None
    assert kind_of(data) is FileType.UNKNOWN


async def test_long_text_is_cut(reader: FileReader) -> None:
    assert await reader.read(b"x" * 50, max_chars=20) == Text("x" * 20, cut=True)


async def test_a_pdf_page_by_page(reader: FileReader) -> None:
    found = await reader.read(making.pdf("hello one", "hello two"), max_chars=1000)
    assert isinstance(found, Text)
    assert found.text.split() == ["hello", "one", "hello", "two"]
    assert (found.cut, found.pages) == (False, (2, 2))


@pytest.mark.parametrize("cipher", ["RC4-40", "RC4-128", "AES-128", "AES-256-R5", "AES-256"])
async def test_a_pdf_that_anybody_may_open_is_read(reader: FileReader, cipher: str) -> None:
    data = making.pdf_locked("hello", "", cipher)
    assert await reader.read(data, max_chars=99) == Text("hello", pages=(1, 1))


async def test_a_broken_page_costs_no_other(reader: FileReader) -> None:
    data = making.pdf("hello one", "hello two").replace(b"/FlateDecode", b"/JBIG2Decode", 1)
    found = await reader.read(data, max_chars=99)
    assert found == Text("hello two", cut=True, pages=(1, 2))


async def test_a_long_pdf_is_cut_at_its_pages(
    reader: FileReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MAX_PAGES", 2)
    found = await reader.read(making.pdf("a", "b", "c"), max_chars=1000)
    assert isinstance(found, Text)
    assert (found.cut, found.pages) == (True, (2, 3))


async def test_half_a_character_is_none(reader: FileReader) -> None:
    found = await reader.read(making.pdf_of_halves("hello"), max_chars=1000)
    assert found == Text("\ufffdello", pages=(1, 1))


async def test_a_docx_with_its_tables(reader: FileReader) -> None:
    data = making.word("before", "after", table=[["a", "b"], ["1", "2"]])
    found = await reader.read(data, max_chars=1000)
    assert found == Text("before\nafter\na | b\n1 | 2")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "AVIF"])
async def test_a_picture_is_known_by_its_content(reader: FileReader, kind: str) -> None:
    found = await reader.read(making.picture(kind), max_chars=10)
    assert isinstance(found, ReadImage)
    written = {"PNG": "image/png", "GIF": "image/png"}.get(kind, "image/jpeg")
    assert [still.media_type for still in found.stills] == [written]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"x" * (reading.MAX_BYTES + 1), "large"),
        (b"OggS\0\2" + b"\0" * 40, "audio"),
        (b"\x7fELF\2\1\1\0" + b"\0" * 100, "unknown"),
        (b"%PDF-1.7 nothing more", "broken"),
        (b"PK\x03\x04 word/document.xml", "broken"),
        (b"\x89PNG\r\n\x1a\n", "broken"),
        (making.PHOTO[:400], "broken"),
        (b"\0\0\0\x18ftypisom" + b"\0" * 40, "unknown"),
        (making.pdf(""), "no-text"),
        (making.huge_picture(), "pixels"),
        (making.word_of(making.paragraph()), "no-text"),
    ],
)
async def test_what_cannot_be_read_has_a_reason(
    reader: FileReader, data: bytes, reason: str
) -> None:
    assert await reader.read(data, max_chars=100) == Skipped(reason)


def zipped(*names: str, locked: bool = False) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in names:
            name, _, content = name.partition("=")  # noqa: PLW2901
            archive.writestr(name, content or "x")
    data = bytearray(out.getvalue())
    data[6] |= locked
    return bytes(data)


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 504


@pytest.mark.parametrize(
    ("data", "key"),
    [
        (rb"{\rtf1\ansi Hello}", "file-rtf"),
        (OLE + "WordDocument".encode("utf-16-le"), "file-old-office"),
        (OLE + "EncryptedPackage".encode("utf-16-le"), "file-encrypted"),
        (zipped("a.txt"), "file-archive"),
        (zipped("a.txt", locked=True), "file-encrypted"),
        (zipped("[Content_Types].xml", "xl/workbook.xml"), "file-spreadsheet"),
        (zipped("[Content_Types].xml", "ppt/presentation.xml"), "file-slides"),
        (zipped("mimetype=application/vnd.oasis.opendocument.text"), "file-opendocument"),
        (zipped("mimetype=application/epub+zip"), "file-ebook"),
        (zipped("Index/Document.iwa", "preview.jpg"), "file-iwork"),
        (b"Rar!\x1a\x07\x01\0" + b"\0" * 40, "file-archive"),
        (b"\x1f\x8b\x08\0" + b"\0" * 40, "file-archive"),
        (b"\0\0\0\x18ftypisom" + b"\0" * 40, "file-video"),
        (b"\x1aE\xdf\xa3" + b"\0" * 40, "file-video"),
        (b"\x7fELF\2\1\1\0" + b"\0" * 100, "file-program"),
        (b"\x00\xff\x13\x37" * 50, "file-unknown"),
        (b"OggS\0\2" + b"\0" * 40, "file-audio"),
        (b"", "file-empty"),
        (b" \n\t\n", "file-empty"),
        (b"\x1b[0m\r\n", "file-empty"),
        (making.pdf_locked("secret"), "file-encrypted"),
        (making.pdf_locked("secret", cipher="RC4-128"), "file-encrypted"),
        (making.pdf_of_pictures(), "file-scanned"),
        (making.pdf(""), "file-no-text"),
    ],
)
async def test_the_reason_names_what_it_is(reader: FileReader, data: bytes, key: str) -> None:
    found = await reader.read(data, max_chars=100)
    assert isinstance(found, Skipped)
    note = ReadFile("a.bin", found).note
    assert note.key == key
    assert "a.bin" in note.text(words("en"))
    assert note.text(words("zh-CN")) != note.text(words("en"))


def readers() -> list[psutil.Process]:
    """The reading processes that are there."""
    found = []
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            if any(word.endswith("reader_process.py") for word in child.cmdline()):
                found.append(child)
    return found


async def test_a_word_bomb_is_not_unpacked(reader: FileReader) -> None:
    bomb = making.word_bomb(400 << 20)
    assert len(bomb) < 1 << 20
    assert await reader.read(bomb, max_chars=100) == Skipped("too-much")


async def test_a_pdf_bomb_ends_within_its_bounds(reader: FileReader) -> None:
    bomb = making.pdf_bomb(1 << 30)
    assert len(bomb) < reading.MAX_BYTES
    async with asyncio.timeout(reading.TIMEOUT_S + 5):
        found = await reader.read(bomb, max_chars=100)
    assert isinstance(found, Skipped)
    assert not readers()


async def test_a_reader_that_hangs_is_ended(
    reader: FileReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "TIMEOUT_S", 0.05)
    found = await reader.read(making.pdf("a"), max_chars=100)
    assert found == Skipped("too-much")
    assert not readers()


async def test_the_child_is_given_no_secrets(
    reader: FileReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", "secret")
    task = asyncio.create_task(reader.read(making.pdf_bomb(1 << 28), max_chars=100))
    async with asyncio.timeout(10):
        while not (children := readers()):  # noqa: ASYNC110 — nobody tells of a new process
            await asyncio.sleep(0.01)
    assert all("DISCORD_TOKEN" not in child.environ() for child in children)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert not readers()


REACH = Path(__file__).with_name("reach.py")


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret"
    path.write_text("TOKEN")
    path.chmod(0o666)
    return path


@pytest.mark.skipif(not landlock_is_here(), reason="this kernel has no Landlock")
@pytest.mark.parametrize("threads", [False, True])
def test_a_decoder_that_is_broken_into_reaches_nothing(secret: Path, threads: bool) -> None:
    """Not the bot's environment, files, memory or network, and no other process."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        command = [sys.executable, "-I", REACH, reading._CHILD.parent, secret, port]
        done = subprocess.run(
            [*map(str, command), *(["threads"] if threads else [])],
            input=b"", capture_output=True, check=True, env={},
        )  # fmt: skip
    assert json.loads(done.stdout) == {"missing": [], "reached": {}}
    assert secret.read_text() == "TOKEN"


STILL = b'{"media_type": "image/png", "data": "iVBORw0KGgo="}'


@pytest.mark.parametrize(
    "told",
    [
        b"",
        b"[]",
        b'{"text": 7}',
        b'{"text": null}',
        b'{"stills": [{"media_type": "text/html", "data": ""}]}',
        b'{"stills": [{"media_type": "image/png", "data": "R0lGODlh"}]}',
        b'{"stills": [' + b",".join([STILL] * 9) + b"]}",
        b'{"text": "a", "cut": "yes"}',
        b"x" * 100_000_000,
    ],
    ids=range(9),
)  # fmt: skip
async def test_what_a_broken_child_says_is_not_believed(
    reader: FileReader, told: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    liar, words_ = tmp_path / "child.py", tmp_path / "words"
    words_.write_bytes(told)
    liar.write_text(f"import sys; sys.stdout.buffer.write(open({str(words_)!r}, 'rb').read())")
    monkeypatch.setattr(reading, "_CHILD", liar)
    assert isinstance(await reader.read(making.picture(), max_chars=9), Skipped)


async def test_a_missing_layer_is_told_the_operator_once(
    reader: FileReader,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    bare = tmp_path / "child.py"
    bare.write_text('print(\'{"text": "a", "missing": ["Landlock"]}\')')
    monkeypatch.setattr(reading, "_CHILD", bare)
    for _ in range(2):
        assert await reader.read(making.pdf("a"), max_chars=9) == Text("a")
    assert [record.levelname for record in caplog.records].count("WARNING") == 1
    assert "Landlock" in caplog.text


def opened(found: object, number: int = 0) -> Image.Image:
    assert isinstance(found, ReadImage)
    return Image.open(io.BytesIO(found.stills[number].data))


async def test_a_photo_stands_upright(reader: FileReader) -> None:
    """As its EXIF tells, which no model reads."""
    exif, out = Image.Exif(), io.BytesIO()
    exif[0x0112] = 6  # turned by a quarter
    Image.new("RGB", (40, 20), "red").save(out, "JPEG", exif=exif)
    still = opened(await reader.read(out.getvalue(), max_chars=10))
    assert still.size == (20, 40)
    assert not still.getexif()


async def test_a_phones_photo_stands_upright_too(reader: FileReader) -> None:
    still = opened(await reader.read(making.PHOTO, max_chars=10))
    assert still.size == (64, 96)
    upper, lower = still.getpixel((32, 20)), still.getpixel((32, 80))
    assert (upper[1] < 60, lower[1] > 200) == (True, True)  # type: ignore[index]


NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", sys.executable, "-I")


OPENS = f"open({str(reading._CHILD)!r})"


@pytest.mark.skipif(not shutil.which("setpriv"), reason="nobody can be become")
@pytest.mark.parametrize(
    ("kind", "data"), [("image", making.picture("AVIF")), ("heic", making.PHOTO)]
)
def test_decoders_do_with_what_somebody_without_rights_is_left(kind: str, data: bytes) -> None:
    """The limit of processes binds everybody but root, and threads count."""
    if subprocess.run([*NOBODY, "-c", OPENS], capture_output=True, check=False).returncode:
        pytest.skip("only root can become nobody, who then has to read this code")
    command = [*NOBODY, str(reading._CHILD), kind, "10", "1"]
    done = subprocess.run(command, input=data, capture_output=True, check=True)
    assert [*json.loads(done.stdout)] == ["stills"]


async def test_what_is_transparent_is_white(reader: FileReader) -> None:
    out = io.BytesIO()
    Image.new("RGBA", (8, 8), (255, 0, 0, 0)).save(out, "PNG")
    still = opened(await reader.read(out.getvalue(), max_chars=10))
    assert (still.mode, still.getpixel((3, 3))) == ("RGB", (255, 255, 255))


@pytest.mark.parametrize("kind", ["GIF", "WEBP"])
async def test_of_an_animation_a_few_frames_are_seen(reader: FileReader, kind: str) -> None:
    frames = [Image.new("RGB", (16, 16), (25 * i, 0, 255 - 25 * i)) for i in range(10)]
    out = io.BytesIO()
    frames[0].save(out, kind, save_all=True, append_images=frames[1:], duration=50)
    found = await reader.read(out.getvalue(), max_chars=10)
    assert isinstance(found, ReadImage)
    assert len(found.stills) == 4
    reds = [opened(found, i).getpixel((8, 8))[0] for i in range(4)]  # type: ignore[index]
    assert reds == sorted(reds)
    assert (reds[0] < 20, reds[-1] > 200) == (True, True)


@pytest.mark.parametrize("size", [(1, 1), (6_000, 4_000), (30_000, 2)])
async def test_any_size_becomes_one_that_models_take(
    reader: FileReader, size: tuple[int, int]
) -> None:
    still = opened(await reader.read(making.picture("JPEG", size), max_chars=10))
    assert max(still.size) <= 2_048
    assert still.width * still.height <= 4_000_000


W = 256  # as wide as there are tones


def ramp(top: float, kind: str) -> np.ndarray:
    return np.tile(np.linspace(0, top, W), (32, 1)).round(6).astype(kind)


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


FINE = np.linspace(0, 65_535, W).round().astype(">u2")
TONES = {
    "16 bits": saved(Image.fromarray(ramp(65_535, "uint16")), "PNG"),
    "16 bits, the other way round": making.tiff_of_large_bytes_first(FINE.tobytes(), W),
    "16 bits in TIFF": saved(Image.fromarray(ramp(65_535, "uint16")), "TIFF"),
    "32 bits": saved(Image.fromarray(ramp(65_535, "int32")), "TIFF"),
    "32 bits, all of them": saved(Image.fromarray(ramp(2**31 - 1, "int32")), "TIFF"),
    "32 bits, eight used": saved(Image.fromarray(ramp(255, "int32")), "TIFF"),
    "fractions": saved(Image.fromarray(ramp(1, "float32")), "TIFF"),
    "fractions to 255": saved(Image.fromarray(ramp(255, "float32")), "TIFF"),
    "16 bits and opaque": making.png(16, 4, np.stack([FINE, FINE * 0 + 65_535], -1).tobytes(), W),
    "three colours of 16 bits": making.png(16, 2, np.stack([FINE] * 3, -1).tobytes(), W),
    "8 bits": saved(Image.fromarray(ramp(255, "uint8")), "PNG"),
    "print colours": saved(
        Image.fromarray(ramp(255, "uint8")).convert("RGB").convert("CMYK"), "TIFF"
    ),
}


@pytest.mark.parametrize("data", TONES.values(), ids=list(TONES))
async def test_tones_stay_what_they_are(reader: FileReader, data: bytes) -> None:
    still = opened(await reader.read(data, max_chars=10)).convert("L")
    tones = [still.getpixel((x, 0)) for x in range(W)]
    assert all(abs(int(tone) - x) <= 2 for x, tone in enumerate(tones)), tones  # type: ignore[arg-type]


async def test_fine_tones_and_their_transparency(reader: FileReader) -> None:
    """Black is what is to be seen through, so it becomes white, and nothing else does."""
    data = making.png(16, 0, FINE.tobytes(), W, hidden=b"\0\0")
    still = opened(await reader.read(data, max_chars=10)).convert("L")
    assert [still.getpixel((x, 0)) for x in (0, 1, 128, 255)] == [255, 1, 128, 255]
    both = making.png(16, 4, np.stack([FINE * 0, FINE], -1).tobytes(), W)
    still = opened(await reader.read(both, max_chars=10)).convert("L")
    assert [still.getpixel((x, 0)) for x in (0, 255)] == [255, 0]


async def test_what_a_photograph_carries_along_is_no_second_picture(reader: FileReader) -> None:
    """Phones write a gain map or a depth map behind it, in the format of many pictures."""
    photo, map_ = Image.new("RGB", (64, 48), "blue"), Image.new("L", (32, 24), 200)
    data = saved(photo, "MPO", save_all=True, append_images=[map_])
    found = await reader.read(data, max_chars=10)
    assert isinstance(found, ReadImage)
    assert len(found.stills) == 1
    blue = opened(found).getpixel((30, 20))
    assert blue[2] > 240  # type: ignore[index]


async def test_pages_of_a_scan_are_pictures_each(reader: FileReader) -> None:
    pages = [Image.new("RGB", (16, 16), colour) for colour in ("red", "lime", "blue")]
    data = saved(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    found = await reader.read(data, max_chars=10)
    assert isinstance(found, ReadImage)
    assert len(found.stills) == 3
