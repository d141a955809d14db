"""What was asked stands above its answer, as text."""

import pytest

from bot.render.format_answer import FormattedAnswer
from bot.render.message_view import MAX_QUOTE_LINES, MAX_QUOTE_UNITS, quote_question
from bot.render.split import units


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("why?", "> why?"),
        ("a\n\n  b", "> a\n> b"),
        ("*a* ||b|| `c`\n# d", "> \\*a\\* \\|\\|b\\|\\| \\`c\\`\n> \\# d"),
        ("see https://a_b.example/c_d now", "> see <https://a_b.example/c_d> now"),
        ("https://a.b/```x discord.gg/y", "> <https://a.b/>\\`\\`\\`x discord.gg\u200b/y"),
        ("ask <@12> in <#34>", "> ask <@12> in <#34>"),
        ("come to discord.gg/abc", "> come to discord.gg\u200b/abc"),
        ("价格是 $5，为什么？", "> 价格是 $5，为什么？"),
    ],
)
def test_nothing_in_a_question_is_markup(asked: str, shown: str) -> None:
    assert quote_question(asked) == shown


@pytest.mark.parametrize("asked", ["word " * 500, "*" * 999, "字" * 999, "😀" * 999])
def test_a_long_question_is_cut(asked: str) -> None:
    shown = quote_question(asked)
    assert shown.endswith("…")
    assert MAX_QUOTE_UNITS - 3 <= units(shown) <= MAX_QUOTE_UNITS


def test_a_question_of_many_lines_is_cut_between_lines() -> None:
    assert quote_question("\n".join("abcdefgh")).splitlines() == [
        *(f"> {letter}" for letter in "abcdefgh"[: MAX_QUOTE_LINES - 1]),
        f"> {'abcdefgh'[MAX_QUOTE_LINES - 1]}…",
    ]
    assert quote_question("a\n" + "b" * 9, longest=7) == "> a…"


def test_an_answer_that_begins_with_a_quotation_is_not_part_of_the_question() -> None:
    assert FormattedAnswer(("> said",)).with_header("> asked").blocks == ("> asked\n\n> said",)
    assert FormattedAnswer(("said",)).with_header("> asked").blocks == ("> asked\nsaid",)
