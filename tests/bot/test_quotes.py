"""What people point at stands in the prompt as a quotation, within its room."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.discord.ask.message_text import outside_code
from bot.pending_questions import Quote
from bot.problem_numbers import split_prompt
from bot.quotes import names_in, with_quotes

HOSTILE = [
    " ",
    "`",
    "`` ",
    "``` \n",
    "<@",
    "<@1",
    "<:a",
    "<t:1",
    "\n\nMessage ",
    "\n\nMessage :\n``",
]


def test_a_quotation_stands_below_the_question() -> None:
    prompt, notes = with_quotes("why?", [Quote("Message by bob", "so\x00 be it\r\n")], 100)
    assert prompt == "why?\n\nMessage by bob:\n```\nso be it\n```"
    assert notes == []
    assert split_prompt(prompt) == ("why?", "Message by bob:\n```\nso be it\n```")


def test_long_ones_are_cut_to_what_short_ones_leave() -> None:
    quotes = [Quote("A", "x" * 90, "ada"), Quote("B", "short"), Quote("C", "y" * 90, "eve")]
    prompt, notes = with_quotes("q", quotes, 85)
    assert "A (its first 40 characters):\n" in prompt
    assert "B:\n```\nshort\n```" in prompt
    assert "C (its first 40 characters):\n" in prompt
    assert [dict(note.arguments) for note in notes] == [
        {"name": "ada", "characters": 40},
        {"name": "eve", "characters": 40},
    ]


def test_of_a_conversation_the_newest_lines_are_kept() -> None:
    lines = "\n".join(f"ada: {number}" for number in range(10))
    prompt, [note] = with_quotes("q", [Quote("M", lines, newest=True)], 15)
    assert prompt == "q\n\nM (its last 13 characters):\n```\nada: 8\nada: 9\n```"
    assert note.key == "quote-cut-newest"


def test_names_are_told_once() -> None:
    quotes = [Quote("A", "x", "ada"), Quote("B", "y", "ada"), Quote("C", "z")]
    assert names_in(quotes) == "`ada`"


@given(st.lists(st.text(max_size=60), min_size=1, max_size=4), st.integers(0, 200))
def test_no_text_ends_its_quotation_or_takes_more_than_its_room(
    texts: list[str], room: int
) -> None:
    quotes = [Quote(f"Message by {number}", text) for number, text in enumerate(texts)]
    prompt, _ = with_quotes("q", quotes, room)
    assert split_prompt(prompt)[0] == "q"
    body = prompt.removeprefix("q")
    held = 0
    while body:
        title, _, body = body.removeprefix("\n\n").partition("\n")
        assert title.startswith("Message by ")
        fence, _, body = body.partition("\n")
        assert set(fence) == {"`"}
        text, _, body = body.partition(f"\n{fence}")
        assert fence not in text
        held += len(text.encode())
    assert held <= room


@pytest.mark.parametrize("piece", HOSTILE)
def test_hostile_texts_are_read_in_linear_time(piece: str) -> None:
    text = piece * (100_000 // len(piece))
    began = time.process_time()
    outside_code(text, str)
    split_prompt(text)
    with_quotes("q", [Quote("M", text)], 90_000)
    assert time.process_time() - began < 3.0
