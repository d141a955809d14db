"""`python -m inference pictures`, as an operator uses it."""

import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image

from inference.__main__ import main
from inference.library.image_entry import NAME, read_manifest
from tests.drawn import written


def pictures(*words: str) -> int:
    return main(["pictures", *words])


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("INFERENCE_PICTURES", str(tmp_path / "library"))
    return tmp_path / "library"


@pytest.mark.usefixtures("reader")
def test_added_indexed_checked_and_listed(
    library: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, other = tmp_path / "Map of Luoyang.png", tmp_path / "Yiyang map.jpeg"
    one.write_bytes(written("Map of Kaifeng"))
    other.write_bytes(written("Yiyang"))  # a PNG, whatever it is called
    about = ("--licence", "CC0", "--author", "me")
    assert pictures("add", str(one), "--place", "Luoyang, Henan", "--also", "洛阳", *about) == 0
    assert pictures("add", str(one), str(other), *about) == 0  # the first one is there already
    entries = read_manifest(library)
    assert [entry.path for entry in entries] == ["map-of-luoyang.png", "yiyang-map.png"]
    assert entries[0].subjects == ("洛阳", "Luoyang")
    assert pictures("index") == 0
    capsys.readouterr()
    assert pictures("check") == 1
    said = " ".join(capsys.readouterr().out.split())
    assert "Map of Kaifeng" in said  # what is written in it
    assert pictures("list") == 0
    assert "2 pictures" in capsys.readouterr().out


def test_what_cannot_be_shown_is_not_added(
    library: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, text, bomb = tmp_path / "a.png", tmp_path / "b.png", tmp_path / "c.png"
    Image.new("RGB", (8, 8)).save(good)
    text.write_text("no picture")
    bomb.write_bytes(_png_head(60_000, 60_000))
    for bad in (text, bomb):
        assert pictures("add", str(good), str(bad)) == 1
        assert str(bad) in capsys.readouterr().err
    assert read_manifest(library) == ()
    assert list(library.iterdir()) == []


def test_missing_and_double_files_are_found(
    library: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("first", "second"):
        (tmp_path / f"{name}.png").write_bytes(written(name))
        assert pictures("add", str(tmp_path / f"{name}.png")) == 0
    (library / "first.png").unlink()
    (library / "third.png").write_bytes((library / "second.png").read_bytes())
    lines = (library / NAME).read_text().splitlines()
    third = lines[1].replace("second.png", "third.png")
    (library / NAME).write_text("\n".join([*lines, third]))
    assert pictures("check") == 1
    said = " ".join(capsys.readouterr().out.split())
    for what in ("is missing", "no licence", "no author", "is the same file as second.png"):
        assert what in said


def test_a_broken_line_is_named(library: Path, capsys: pytest.CaptureFixture[str]) -> None:
    library.mkdir()
    (library / NAME).write_text('{"path": "a.png"}\n{"path": 1}\n')
    assert pictures("list") == 1
    assert "pictures.jsonl:2" in capsys.readouterr().err


def test_without_a_folder_there_is_a_way_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("INFERENCE_PICTURES", raising=False)
    assert pictures("list") == 2
    assert "INFERENCE_PICTURES" in capsys.readouterr().err


def _png_head(width: int, height: int) -> bytes:
    """A file that says to be so large, and is not."""
    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + head + struct.pack(">I", zlib.crc32(head))
    return b"\x89PNG\r\n\x1a\n" + chunk + struct.pack(">I", 0) + b"IDAT" + b"5\xaf\x06\x1e"
