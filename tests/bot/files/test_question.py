"""Files stand below the question as quotations, whatever is in them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.files.question import Quoted, clean_file_name, quote, with_files
from bot.files.read import Picture, Skipped, Still, Text


def test_the_question_comes_first_and_each_file_is_named() -> None:
    files = [
        Quoted("a.csv", Text("1,2\n")),
        Quoted("b.pdf", Text("page", cut=True, pages=(3, 9))),
        Quoted("c.png", Picture((Still("image/png", b""),))),
        Quoted("d.bin", Skipped("unknown")),
    ]
    assert with_files("sum it", files) == (
        'sum it\n\nFile "a.csv":\n```\n1,2\n```\n\n'
        'File "b.pdf" (the first 3 of 9 pages):\n```\npage\n```'
    )


@given(st.text(alphabet="`~ab\n", max_size=60))
def test_no_file_can_end_its_quotation(text: str) -> None:
    first, *body, last = quote(text).split("\n")
    assert re.fullmatch("`{3,}", first)
    assert last == first
    assert all(first not in line for line in body)


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("report.pdf", "report.pdf"),
        ("**x**`@everyone`.txt", "xeveryone.txt"),
        ("a__b.txt", "a_b.txt"),
        ("\n\n", "member"),
    ],
)
def test_a_file_name_is_only_a_name(name: str, clean: str) -> None:
    assert clean_file_name(name) == clean


@pytest.mark.parametrize(
    ("content", "key"),
    [
        (Text("a"), "file-read"),
        (Text("a", cut=True), "file-cut"),
        (Text("a", cut=True, pages=(1, 2)), "file-cut-pages"),
        (Skipped("encrypted"), "file-encrypted"),
    ],
)
def test_the_person_is_told_what_became_of_it(content: Text | Skipped, key: str) -> None:
    assert Quoted("a.txt", content).note.key == key
