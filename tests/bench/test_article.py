"""The public set of pictures for articles is whole, and the playground has it."""

import json
from hashlib import sha256

import pytest

from bench.__main__ import main
from bench.article.measure import PUBLIC, NeedCase, outcome_of
from inference.library.image_entry import file_of
from inference.library.image_file import read_file
from inference.library.image_library import ImageLibrary
from playground.supervisor import PICTURES


def test_the_public_set_is_whole() -> None:
    library = ImageLibrary.load(PICTURES)
    assert {entry.path for entry in library.entries} == {path.name for path in PUBLIC.glob("*.png")}
    for entry in library.entries:
        file = file_of(PICTURES, entry)
        assert file is not None
        assert sha256(read_file(file)).hexdigest() == entry.sha256
        assert entry.licence
        assert entry.author
    assert all(entry.sha256 in library.index.written for entry in library.entries)
    assert sum(path.stat().st_size for path in PUBLIC.iterdir()) <= 2 << 20


def test_what_is_placed_is_judged_by_what_would_be_right() -> None:
    fitting, none = NeedCase("Map", ("a.png",)), NeedCase("Map", ())
    assert [outcome_of(fitting, path) for path in ("a.png", "b.png", "")] == [
        "right",
        "wrong",
        "missed",
    ]
    assert [outcome_of(none, path) for path in ("a.png", "")] == ["wrong", "empty"]


def test_its_last_line_is_json(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    later = str(PUBLIC.parent / "needs-later.jsonl")
    monkeypatch.setattr("sys.argv", ["bench", "article", "--needs", later])
    main()
    figures = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (figures["needs"], figures["wrong"]) == (24, 0)
    assert figures["best_match"]["wrong"] > 0
