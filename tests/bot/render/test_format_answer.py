"""Complete answers as text and images."""

import pytest
from hypothesis import given, settings

from bot.render import svg_to_png
from bot.render.format_answer import (
    MAX_PICTURES,
    FormattedAnswer,
    format_as_text,
    format_draft,
    format_with_images,
    may_need_images,
    paginate,
)
from bot.render.split import units
from bot.render.svg_to_png import RenderedImage
from tests.bot.render import answers
from tests.bot.render.looking import look
from tests.bot.render.writing import texts

PIXEL = RenderedImage("p.png", b"", "x")


def shapes(answer: FormattedAnswer) -> list[str]:
    return ["text" if isinstance(block, str) else block.name for block in answer.blocks]


def test_formulas_become_text_and_pictures_in_reading_order() -> None:
    answer = format_with_images(answers.QUADRATIC)
    assert shapes(answer) == ["text", "formula-1.png", "text", "formula-2.png", "text"]
    title, _, middle, _, end = answer.blocks
    assert title == (
        "## Solving x² − 5x + 6 = 0\n\n"
        "We use the quadratic formula, where a = 1 is the leading coefficient:"
    )
    assert isinstance(middle, str)
    assert "Here a = 1, b = −5, so Δ = 25 − 24 = 1 and\n\n\u2003\u2003x₁ = 2," in middle
    assert "1. It costs $5 and $6, or $5-$10; US$5.\n" in middle
    assert middle.endswith("2. The matrix **(1)** has determinant −2.\n   It goes on here.")
    assert end == "That is all."


def test_a_pictures_alternative_text_is_its_latex() -> None:
    first, second = format_with_images(answers.QUADRATIC).pictures
    assert first.alt == r"x = \frac{-b \pm \sqrt{b^2 - 4ac}}{2a}"
    assert second.alt == r"\begin{pmatrix}1&2\\3&4\end{pmatrix}"
    assert look(second.png).width > look(first.png).height


@pytest.mark.skipif(not svg_to_png.has_glyph("字"), reason="no Chinese font on this machine")
def test_a_chinese_answer() -> None:
    answer = format_with_images(answers.CHINESE)
    assert shapes(answer) == ["text", "formula-1.png", "text"]
    start, _, end = answer.blocks
    assert start == "## 求解\n\n设速度为v，路程为s = 100米，则"
    assert isinstance(end, str)
    assert "牛顿法" in end
    assert "O(log n)" in end
    assert "O(n²)" in end
    assert end.endswith("所以答案是 20 秒。")


def test_code_is_left_alone() -> None:
    answer = format_with_images(answers.CODE)
    assert shapes(answer) == ["text"]
    assert answer.text == (
        answers.CODE.replace('~~~python title="prices.py"', "```python")
        .replace("~~~", "```")
        .strip()
    )


@pytest.mark.skipif(not svg_to_png.has_glyph("a"), reason="no font on this machine")
def test_a_wide_table_becomes_a_picture_where_it_stood() -> None:
    answer = format_with_images(answers.COMPARISON)
    assert shapes(answer) == ["text", "table-1.png", "text"]
    assert answer.text == "Here is how they compare:\n\nPick one."
    assert answer.pictures[0].source in answers.COMPARISON


def test_an_answer_without_any_of_it_is_left_alone() -> None:
    assert not may_need_images(answers.PLAIN)
    assert format_with_images(answers.PLAIN).blocks == (answers.PLAIN.strip(),)
    assert format_with_images("").blocks == format_as_text("").blocks == ()


def test_what_cannot_be_drawn_stays_source() -> None:
    shown = format_with_images("So\n\n$$\n\\undefined{x}\n$$\n\nand $\\undefined{y}$.").text
    assert shown == "So\n\n```latex\n\\undefined{x}\n```\n\nand `\\undefined{y}`."


def test_marks_of_a_formula_are_no_markdown() -> None:
    assert format_with_images("$a * b * c$ and $x_b + y_b$").text == r"a ∗ b ∗ c and x\_b + y\_b"


def test_a_picture_is_never_put_into_a_code_block() -> None:
    answer = (
        "The matrix $\\begin{pmatrix}1\\\\2\\end{pmatrix}$ is:\n```py\na = 1\n\nb = 2\n```\nDone."
    )
    text, _, code = format_with_images(answer).blocks
    assert text == "The matrix **(1)** is:"
    assert code == "```py\na = 1\n\nb = 2\n```\nDone."


def test_pictures_are_bounded() -> None:
    answer = format_with_images(
        "\n\n".join(rf"$$\frac{{{n}}}{{x+1}}$$" for n in range(MAX_PICTURES + 5))
    )
    assert len(answer.pictures) == MAX_PICTURES
    assert answer.text.count("```latex") == 5


@settings(deadline=None, max_examples=50)
@given(texts)
def test_every_page_fits_a_message(text: str) -> None:
    answer = format_with_images(text)
    for page in paginate(answer):
        assert sum(units(block) for block in page if isinstance(block, str)) <= 2000
        assert all(isinstance(block, str) for block in page[:-1])
    for page in paginate(answer, limit=4000, pictures=10):
        assert sum(units(block) for block in page if isinstance(block, str)) <= 4000
        assert sum(isinstance(block, RenderedImage) for block in page) <= 10
    shown = [
        block for page in paginate(answer) for block in page if isinstance(block, RenderedImage)
    ]
    assert tuple(shown) == answer.pictures


def test_a_plain_message_ends_with_its_picture() -> None:
    answer = FormattedAnswer(("a", PIXEL, "b", PIXEL, PIXEL, "c"))
    assert paginate(answer) == [("a", PIXEL), ("b", PIXEL), (PIXEL,), ("c",)]
    assert paginate(answer, limit=4000, pictures=10) == [("a", PIXEL, "b", PIXEL, PIXEL, "c")]
    assert paginate(answer, limit=4000, pictures=2) == [("a", PIXEL, "b", PIXEL), (PIXEL, "c")]


@pytest.mark.parametrize("answer", answers.ALL)
def test_a_draft_grows_into_the_undressed_answer(answer: str) -> None:
    whole = format_as_text(answer).text
    for length in range(len(answer)):
        assert whole.startswith(format_draft(answer[:length]))


DRAWN = r"\begin{pmatrix}1&2\\3&4\end{pmatrix}"
UNDRAWN = r"\unknown{x}"


def parts(text: str) -> list[str]:
    written = text.replace("DRAWN", DRAWN).replace("UNKNOWN", UNDRAWN)
    return [
        "PICTURE" if isinstance(b, RenderedImage) else b for b in format_with_images(written).blocks
    ]


@pytest.mark.parametrize("marks", ["**", "*", "__", "_", "~~", "***", "**_", "~~**", "__*"])
@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("MM\\[DRAWN\\]WW", ["PICTURE"]),
        ("- MM\\[DRAWN\\]WW\n- next", ["PICTURE", "- next"]),
        ("> MM$$DRAWN$$WW\n> next", ["PICTURE", "> next"]),
        ("MM\n$$\nDRAWN\n$$\nWW\n\nnext", ["PICTURE", "next"]),
        ("1. MM\\[DRAWN\\]WW.\n2. next", ["1.", "PICTURE", "2. next"]),
        ("MMSo\n\\[DRAWN\\]\nholds.WW", ["MMSoWW", "PICTURE", "MMholds.WW"]),
        ("> MMSo\n> $$DRAWN$$\n> holds.WW", ["> MMSoWW", "PICTURE", "> MMholds.WW"]),
        ("MMa $$DRAWN$$WW", ["MMaWW", "PICTURE"]),
        ("MM$$DRAWN$$ aWW b", ["PICTURE", "MMaWW b"]),
        ("MMaWW\n$$DRAWN$$\nMMbWW", ["MMaWW", "PICTURE", "MMbWW"]),
        ("MM因此\n\\[DRAWN\\]\n成立。WW接着", ["MM因此WW", "PICTURE", "MM成立。WW接着"]),
        ("MMSo\n\n\\[DRAWN\\]\n\nholds.WW", ["MMSoWW", "PICTURE", "MMholds.WW"]),
        ("MM$$x=1$$WW", ["\u2003\u2003x = 1"]),
        ("MM$$UNKNOWN$$WW", ["```latex\n\\unknown{x}\n```"]),
        ("MM\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\nWW", ["```\na  b\n─  ─\n1  2\n```"]),
    ],
)
def test_no_mark_is_left_alone_around_a_picture(marks: str, text: str, shown: list[str]) -> None:
    def mark(text: str) -> str:
        return text.replace("MM", marks).replace("WW", marks[::-1])

    if "因此" in text and "_" in marks:
        return  # Discord wants a space beside it
    assert parts(mark(text)) == [mark(block) for block in shown]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("**$DRAWN$** so", "**(1)** so"),
        ("**the matrix $DRAWN$ is**", "**the matrix (1) is**"),
        ("*the matrix $DRAWN$ is*", "*the matrix (1) is*"),
        ("__the matrix $DRAWN$ is__", "__the matrix **(1)** is__"),
        ("use **kwargs with $DRAWN$", "use **kwargs with **(1)**"),
    ],
)
def test_the_label_of_a_picture_within_emphasis(text: str, shown: str) -> None:
    assert parts(text) == [shown, "PICTURE"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("||$$DRAWN$$||", f"||`{DRAWN}`||"),
        ("|| \\[DRAWN\\] ||", f"|| `{DRAWN}` ||"),
        ("The end: ||it is $DRAWN$, or $x^2$|| so", f"The end: ||it is `{DRAWN}`, or x²|| so"),
        ("**||$$x=1$$||**", "**||x = 1||**"),
    ],
)
def test_what_is_hidden_is_not_drawn(text: str, shown: str) -> None:
    assert parts(text) == [shown]


@pytest.mark.parametrize(
    ("line", "marks"), [("### ", ""), ("# ", "**"), ("-# ", ""), ("> ## ", "*")]
)
def test_a_heading_of_nothing_but_a_formula_is_on_its_line(line: str, marks: str) -> None:
    shown = format_with_images(f"{line}{marks}$$\\sum_{{i=1}}^n i$${marks}").text
    assert shown == f"{line}\u2003\u2003∑ᵢ₌₁ⁿ i"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("> so\n> $$x=1$$\n> done", "> so\n> \u2003\u2003x = 1\n> done"),
        ("> $$\n> x = 1\n> $$\n> $$\n> y = 2\n> $$", "> \u2003\u2003x = 1\n> \u2003\u2003y = 2"),
        ("> 5 > $$x=1$$, then", "> 5 >\n> \u2003\u2003x = 1\n> then"),
        ("> > so\n> > $$x=1$$\n> > done", "> > so\n> > \u2003\u2003x = 1\n> > done"),
        ("- $$x=1$$\n- next", "- \u2003\u2003x = 1\n- next"),
    ],
)
def test_a_formula_stays_in_its_quotation(text: str, shown: str) -> None:
    assert [line.rstrip() for line in format_with_images(text).text.split("\n")] == shown.split(
        "\n"
    )


def test_a_long_answer_is_balanced_in_every_message() -> None:
    sentences = "It is so. 这是真的。 More words, and more. " * 60
    text = f"**So {sentences}\n$$\n{DRAWN}\n$$\nand {sentences.strip()}** end"
    shown = paginate(format_with_images(text))
    texts = [block for page in shown for block in page if isinstance(block, str)]
    assert len(texts) > 3
    assert all(text.count("**") % 2 == 0 for text in texts)
    assert all(text.startswith("**") for text in texts)


@pytest.mark.parametrize(("first", "messages"), [(999, 1), (1000, 2)])
def test_the_line_end_between_two_texts_counts(first: int, messages: int) -> None:
    assert len(paginate(FormattedAnswer(("a" * first, "a" * 1000)))) == messages
