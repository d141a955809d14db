"""Growth on paper, and the page that shows it."""

from pathlib import Path

import pytest

from bench.__main__ import main

PAGE = Path(__file__).parent.parent.parent / "docs" / "growing.md"


def test_the_page_shows_what_the_command_prints(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["bench", "growth"])
    main()
    *table, _json = capsys.readouterr().out.strip().splitlines()
    shown = PAGE.read_text()
    assert all(line.strip() in shown for line in table)
    assert sum(line.startswith("|") for line in table) == 7
