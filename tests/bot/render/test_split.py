"""The splitter's promises, over any text."""

import itertools
import re

import regex
from hypothesis import given
from hypothesis import strategies as st

from bot.render.split import MESSAGE_UNITS, Piece, split, units

LIMIT = 120

words = st.sampled_from(
    [
        "one",
        "two three",
        "a longer run of words.",
        "第一句。",
        "ありがとう！",
        "👩‍👩‍👧‍👦",
        "🇫🇷🇩🇪",
        "é́",
        "x" * 90,
    ]
)
breaks = st.sampled_from([" ", "\n", "\n\n", "\r\n", "", "\t", "  \n  \n"])
fences = st.sampled_from(
    [
        "```",
        "```python\n",
        "\n```\n",
        "````",
        "``",
        "`",
        "```c++\n",
        "``````",
        "```not a language\n",
    ]
)
texts = st.lists(words | breaks | fences | st.text(max_size=40), max_size=60).map("".join)


def ticks(text: str) -> int:
    return len(re.findall("```", text))


@given(texts)
def test_the_bodies_joined_are_the_text(text: str) -> None:
    assert "".join(piece.body for piece in split(text, LIMIT)) == text


@given(texts)
def test_every_piece_fits_and_holds_something(text: str) -> None:
    for piece in split(text, LIMIT):
        assert 0 < units(piece.content) <= LIMIT
        assert piece.body


@given(texts)
def test_code_blocks_are_balanced_in_every_piece(text: str) -> None:
    for piece in split(text, LIMIT):
        assert ticks(piece.content) % 2 == 0


@given(texts)
def test_a_block_goes_on_in_the_language_it_began_with(text: str) -> None:
    pieces = split(text, LIMIT)
    for before, after in itertools.pairwise(pieces):
        assert bool(before.closing) == bool(after.opening)
        if before.opening and "```" not in before.body:
            assert after.opening == before.opening


@given(texts, st.integers(0, 400))
def test_sealed_pieces_never_change_as_the_text_grows(text: str, cut: int) -> None:
    sooner, later = split(text[:cut], LIMIT), split(text, LIMIT)
    assert later[: max(len(sooner) - 1, 0)] == sooner[:-1]


@given(st.text(st.sampled_from("a🇫🇷👩‍\u0301\ufe0f好🏽"), max_size=400))
def test_graphemes_stay_whole_where_one_fits(text: str) -> None:
    clusters = regex.findall(r"\X", text)
    if any(units(cluster) > LIMIT // 4 for cluster in clusters):
        return
    bodies = [piece.body for piece in split(text, LIMIT)]
    assert [c for body in bodies for c in regex.findall(r"\X", body)] == clusters


def test_no_text_is_no_pieces() -> None:
    assert split("") == []


def test_a_short_text_is_one_piece() -> None:
    assert split("Hello.") == [Piece("Hello.")]


def test_the_cut_falls_between_paragraphs() -> None:
    first, second = split("a " * 600 + "\n\n" + "b " * 700)
    assert first.body.endswith("\n\n")
    assert second.body.startswith("b")


def test_a_code_block_that_fits_a_message_is_not_cut() -> None:
    code = "```python\n" + "x = 1\n" * 100 + "```"
    _, second = split("word " * 300 + "\n" + code)
    assert second.content == code


def test_a_long_code_block_is_closed_and_opened_again_with_its_language() -> None:
    pieces = split("```python\n" + "print('hello')\n" * 400 + "```\nDone.")
    assert len(pieces) > 2
    assert all(piece.content.startswith("```python\n") for piece in pieces)
    assert all(piece.content.endswith("print('hello')\n```") for piece in pieces[:-1])


def test_a_closing_fence_goes_with_its_block() -> None:
    room = MESSAGE_UNITS - len("\n```") - 8
    code = "```\n" + "y\n" * ((room - 4) // 2)
    first, second = split(code + "```\n" + "after " * 20)
    assert first.closing == ""
    assert first.body.endswith("```")
    assert second.content.strip().startswith("after")


def test_chinese_is_cut_behind_a_sentence() -> None:
    first, *_ = split("我们今天学习一个新的定理。" * 300)
    assert first.body.endswith("。")


def test_emoji_count_as_discord_may_count_them() -> None:
    assert [units(piece.content) <= MESSAGE_UNITS for piece in split("😀" * 1500)] == [True, True]
