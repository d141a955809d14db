"""How answers about pictures are judged, and that the drawn set is whole."""

from pathlib import Path

import pytest
from PIL import Image

from bench.vision import ImageQuestion, is_right, load_questions
from training.publish import draw_set


@pytest.mark.parametrize(
    ("expected", "answer", "correct"),
    [
        ("3", "There are three hearts.", True),
        ("3", "33", False),
        ("Gray", "It is grey.", True),
        ("Yes", "Yes, there is one.", True),
        ("Yes", "No, but yes.", False),
        ("Top left", "In the upper left corner.", True),
        ("Top left", "Left.", False),
        ("A red circle", "red circle", True),
    ],
)
def test_answers_are_judged_by_their_words(expected: str, answer: str, correct: bool) -> None:
    assert is_right(ImageQuestion("p.png", "?", (expected,)), answer) is correct


def test_the_drawn_set_is_whole(tmp_path: Path) -> None:
    draw_set(tmp_path)
    asked = list(load_questions(tmp_path))
    assert len(asked) >= 200
    for each in asked:
        with Image.open(tmp_path / each.picture) as picture:
            assert picture.format == "PNG"
    yes_or_no = [each.answers[0] for each in asked if each.kind == "yesno"]
    assert yes_or_no.count("Yes") == yes_or_no.count("No")
