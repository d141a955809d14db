"""The splitter's promises, over any text."""

import itertools
import re
import time

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from bot.render.code_fences import discord_fences
from bot.render.link_defang import harmless_links
from bot.render.split import MESSAGE_UNITS, MessagePart, split, units
from tests.bot.render.writing import CONSTRUCTS, LIMIT, texts


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
    for before, after in itertools.pairwise(split(text, LIMIT)):
        assert ("```" in before.closing) == ("```" in after.opening)
        if "```" in before.opening and "```" not in before.body:
            assert before.opening[before.opening.index("```") :] in after.opening


@given(texts, st.integers(0, 600))
def test_sealed_pieces_never_change_as_the_text_grows(text: str, cut: int) -> None:
    sooner, later = split(text[:cut], LIMIT), split(text, LIMIT)
    assert later[: max(len(sooner) - 1, 0)] == sooner[:-1]


@given(texts, st.integers(0, 600))
def test_a_draft_only_grows(text: str, cut: int) -> None:
    sooner = harmless_links(discord_fences(text[:cut], complete=False))
    assert harmless_links(discord_fences(text, complete=False)).startswith(sooner)
    assert harmless_links(discord_fences(text, complete=True)).startswith(sooner)


_WORDS = ["word", "words here.", "字。", "b" * 20]


@given(st.lists(st.sampled_from([*CONSTRUCTS, *_WORDS]), max_size=40))
def test_links_formulas_and_inline_code_stay_whole(words: list[str]) -> None:
    text = " ".join(words)
    pieces = split(text, LIMIT)
    for construct in CONSTRUCTS:
        assert sum(piece.body.count(construct) for piece in pieces) == text.count(construct)


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
    assert split("Hello.") == [MessagePart("Hello.")]


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


@pytest.mark.parametrize("padding", range(20))
def test_a_closing_fence_goes_with_its_block(padding: int) -> None:
    code = "```\n" + "y" * padding + "\ny" * ((MESSAGE_UNITS - padding) // 2 - 11) + "\n```\n"
    pieces = split(code + "after " * 20)
    assert not any(re.fullmatch(r"```\n+```\s*", piece.content) for piece in pieces)


def test_chinese_is_cut_behind_a_sentence() -> None:
    first, *_ = split("我们今天学习一个新的定理。" * 300)
    assert first.body.endswith("。")


def test_emoji_count_as_discord_may_count_them() -> None:
    assert [units(piece.content) <= MESSAGE_UNITS for piece in split("😀" * 1500)] == [True, True]


def test_a_table_goes_on_under_its_header() -> None:
    head = "| name | number |\n|:-----|-------:|\n"
    rows = [f"| row {number} with some words | {number} |\n" for number in range(200)]
    pieces = split("Here:\n\n" + head + "".join(rows))
    assert len(pieces) > 2
    for piece in pieces[1:]:
        assert piece.opening == head
    assert all(piece.body.endswith("|\n") for piece in pieces)


def test_a_quotation_that_is_cut_within_a_line_goes_on_as_one() -> None:
    pieces = split("> " + "quoted words without an end " * 100)
    assert len(pieces) > 1
    assert all(piece.content.startswith("> ") for piece in pieces)


def test_code_in_a_quotation_is_closed_and_opened_within_it() -> None:
    first, second, *_ = split("> ```py\n" + "> x = 1\n" * 300 + "> ```\n")
    assert first.content.endswith("> x = 1\n```")
    assert "```py\n" in second.opening


def test_a_spoiler_that_is_cut_stays_hidden() -> None:
    pieces = split("The end: ||" + "the butler did it, " * 150 + "|| as you knew.")
    assert len(pieces) > 1
    for piece in pieces:
        assert piece.content.count("||") % 2 == 0
    assert pieces[1].content.startswith("||")


def test_or_in_prose_is_no_spoiler() -> None:
    assert not any(piece.closing for piece in split("if a || b then " * 200))


PLAIN = "Plain words fill the line here. "


@pytest.mark.parametrize(
    ("padding", "emphasized"),
    [
        (59, "**Note. This matters. Do not unplug it while it writes to the disk.**"),
        (60, "**注意。保存文件。然后再关机。切记不要直接断电，否则数据会丢失。**"),
        (60, "~~Old price. No longer valid. Ask us. Really. Please do.~~"),
        (60, "||The end. He did it. With a knife. In the hall, as you knew.||"),
        (60, "> **Quoted. And bold. It goes on over the end of the message.**"),
        (
            60,
            "**[A label. It has words. Many of them, in fact.](https://docs.example/x) and more.**",
        ),
    ],
)
def test_short_emphasis_goes_into_one_message(padding: int, emphasized: str) -> None:
    pieces = split(f"{PLAIN * padding}{emphasized} {PLAIN * 20}")
    assert sum(emphasized in piece.content for piece in pieces) == 1


SENTENCES = "It is so. 这是真的。 More words, and more. "


@pytest.mark.parametrize("before", ["", "> ", "> quoted words ", "- ", "1. one "])
@pytest.mark.parametrize(
    "marks",
    ["**", "*", "_", "__", "~~", "||", "***", "**_", "~~**", "||**__", "__*", "**||", "~~||_"],
)
def test_long_emphasis_is_closed_and_opened_again(before: str, marks: str) -> None:
    text = f"{before}{marks}{(SENTENCES * 120).strip()}{marks[::-1]} and after"
    pieces = split(text)
    assert len(pieces) >= 3
    starts = [piece.content for piece in pieces[1:]]
    quote = "> " if before.startswith("> ") else ""
    assert all(content.startswith(quote + marks) for content in starts)
    assert not any(content.startswith(f"{quote}{marks} ") for content in starts)
    assert all(re.search(rf"\S{re.escape(marks[::-1])}\Z", p.content) for p in pieces[:-1])
    for kind in set(marks):
        assert all(piece.content.count(kind) % 2 == 0 for piece in pieces)


def test_emphasis_within_emphasis_is_opened_again_only_if_it_was_open() -> None:
    inner = f"~~{(SENTENCES * 50).strip()}~~"
    pieces = split(f"**{SENTENCES * 20}{inner} {(SENTENCES * 60).strip()}**")
    opened = [re.match(r"[*~]*", piece.content) for piece in pieces]
    assert {found[0] for found in opened if found} == {"**", "**~~"}
    assert all(piece.content.count("**") == 2 for piece in pieces)
    assert all(piece.content.count("~~") % 2 == 0 for piece in pieces)


def test_a_quotation_of_several_lines_keeps_its_marks_before_those_of_emphasis() -> None:
    lines = "\n> ".join(["A line of the quotation, which is bold."] * 80)
    pieces = split(f"> **{lines}**")
    assert len(pieces) >= 2
    for piece in pieces:
        assert piece.content.startswith("> **A line")
        assert piece.content.endswith("bold.**")


@pytest.mark.parametrize(
    "prose",
    [
        "use 2 * 3 and 4 ** 5, ",
        "call f(**kwargs) then.\n\n",
        "snake_case_name and __init__ then. ",
        "\\*not italic and \\**not bold, ",
        "`a ** b` and `*c` are code. ",
        "$a * b$ and \\(x^* + y^*\\) then. ",
        "see https://docs.example/a_b*c_d then. ",
        "* a point of a list\n",
        "~ about ~ and a~b ~ then. ",
    ],
)
def test_what_is_no_emphasis_is_not_closed(prose: str) -> None:
    pieces = split(prose * 120)
    assert len(pieces) > 1
    assert "".join(piece.content.strip() for piece in pieces).count("*") == (prose * 120).count("*")
    assert not any(piece.resumed or piece.ended for piece in pieces)


def test_emphasis_over_points_of_a_list_goes_into_one_message() -> None:
    points = "\n".join(f"- point {number} of the list" for number in range(20))
    bold = f"**Do this.\n{points}\n\nAnd that.**"
    first, second, *_ = split(f"{PLAIN * 43}\n\n{bold} Then rest. {PLAIN * 40}")
    assert first.content == PLAIN * 43 + "\n\n"
    assert second.content.startswith(bold)
    assert split("call f(**kwargs).\n\n" * 150)[0].ended == ""


def test_emphasis_that_never_ends_stays_where_it_began() -> None:
    first, *others = split(f"{PLAIN * 55}**{PLAIN * 300}")
    assert first.content.count("**") % 2 == 0
    assert not any("**" in piece.content for piece in others[-1:])


def test_emphasis_is_kept_while_its_end_is_not_written_yet() -> None:
    text = f"{PLAIN * 30}**{(SENTENCES * 80).strip()}** and after"
    whole = split(text)
    for end in range(1900, len(text), 97):
        sooner = split(text[:end])
        assert whole[: len(sooner) - 1] == sooner[:-1]
        assert all(piece.content.count("**") % 2 == 0 for piece in sooner[:-1])


def test_a_heading_is_not_left_behind() -> None:
    first, second = split("word " * 370 + "\n\n## Next\n\n" + "more " * 100)
    assert second.body.startswith("## Next")
    assert first.body.strip().endswith("word")


def test_a_link_longer_than_half_a_message_is_left_whole() -> None:
    link = "https://example.org/" + "p" * 1500
    assert any(link in piece.body for piece in split("word " * 150 + link + " end " * 50))


def test_a_display_formula_is_not_cut() -> None:
    formula = "$$\n\\begin{aligned}\n" + "a &= b + c \\\\\n" * 40 + "\\end{aligned}\n$$"
    pieces = split("word " * 300 + "\n" + formula + "\n" + "word " * 100)
    assert any(formula in piece.body for piece in pieces)


def test_endless_lines_end_up_in_full_messages() -> None:
    pieces = split("a" * 9000)
    assert len(pieces) == 5


@pytest.mark.parametrize("opening", [r"\(", r"\[", "$$", r"\begin{align}", "**", "||_"])
@pytest.mark.parametrize("filling", ["\\\\", r"\\ x ", "**a ", "_a *b ", "> \n> ", r"\(\\"])
def test_what_never_ends_takes_no_time(opening: str, filling: str) -> None:
    started = time.perf_counter()
    split(opening + filling * (20_000 // len(filling)))
    assert time.perf_counter() - started < 20
