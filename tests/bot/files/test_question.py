"""Files stand below the question as quotations, whatever is in them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.files.file_reader import ReadImage, Skipped, StillImage, Text
from bot.files.prompt_files import FileNames, ReadFile, clean_file_name, fence_text, with_files
from bot.i18n import words


def test_the_question_comes_first_and_each_file_is_named() -> None:
    files = [
        ReadFile("a.csv", Text("1,2\n")),
        ReadFile("b.pdf", Text("page", cut=True, pages=(3, 9))),
        ReadFile("c.png", ReadImage((StillImage("image/png", b""),))),
        ReadFile("d.bin", Skipped("unknown")),
    ]
    assert with_files("sum it", files) == (
        'sum it\n\nFile "a.csv":\n```\n1,2\n```\n\n'
        'File "b.pdf" (the first 3 of 9 pages):\n```\npage\n```'
    )


@given(st.text(alphabet="`~ab\n", max_size=60))
def test_no_file_can_end_its_quotation(text: str) -> None:
    first, *body, last = fence_text(text).split("\n")
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
    assert ReadFile("a.txt", content).note.key == key


def _said(content: Text) -> list[tuple[str, str]]:
    remarks = ReadFile("a.txt", content).remarks
    return [(note.text(words("en")), note.text(words("zh-CN"))) for note in remarks]


def test_what_was_assumed_or_changed_is_said_in_the_member_s_language() -> None:
    [(english, chinese)] = _said(Text("é", assumed_encoding="Windows-1252"))
    assert english.endswith("I assumed Windows-1252.")
    assert "Windows-1252" in chinese
    assert len(_said(Text("a", repaired=True, cleaned=True))) == 2
    assert len(_said(Text("a", skipped=("charts", "pictures")))) == 2
    assert _said(Text("a")) == []


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("．．", "file"),
        ("..", "file"),
        (". .", "file"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\a\\b.csv", "b.csv"),
        ("CON", "_CON"),
        ("nul.txt", "_nul.txt"),
        ("ＣＯＭ１.csv", "_COM1.csv"),
        (".bashrc", "bashrc"),
        ("a.csv.", "a.csv"),
        ("x" * 200 + ".csv", "x" * 28 + ".csv"),
        ("\u202egpj.exe", "gpj.exe"),
        ("nul\0x\n.csv", "nulx.csv"),
    ],
)
def test_no_name_leads_anywhere(name: str, clean: str) -> None:
    assert clean_file_name(name) == clean


@given(st.text(max_size=60))
def test_any_name_is_one_of_a_file(name: str) -> None:
    clean = clean_file_name(name)
    assert clean.strip(". ")
    assert not {"/", "\\", "\0", "\n", "`"} & set(clean)
    assert clean.isprintable()
    assert len(clean) <= 32


def test_no_two_files_of_a_question_have_one_name() -> None:
    names = FileNames()
    posted = [
        "a.csv",
        "a.csv",
        "ａ.csv",
        "A.CSV",
        "**a**.csv",
        "x" * 90 + "1.csv",
        "x" * 90 + "2.csv",
    ]
    given_names = [names.add(name) for name in posted]
    assert given_names[:3] == ["a.csv", "a-2.csv", "a-3.csv"]
    assert len({name.casefold() for name in given_names}) == len(posted)
    assert all(name.lower().endswith(".csv") and len(name) <= 32 for name in given_names)
