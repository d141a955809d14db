"""How the final answer of a problem is set apart."""

import pytest

from bot.render.format_answer import format_with_images, highlight_result


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        ("42", "> ## 42"),
        (r"x is \boxed{3.5}", "> ## x is $3.5$"),
        (r"\boxed{x = \frac{1}{2}}", r"> ## $x = \frac{1}{2}$"),
        (r"\boxed{The train arrives}", "> ## **The train arrives**"),
        (r"$\boxed{2}$", r"> ## $\boxed{2}$"),
        (r"$$x = 2$$", r"> $$x = 2$$"),
        ("x is 3.5\n\n$$\\boxed{3.5}$$", "x is 3.5\n\n> ## \\(3.5\\)"),
        (r"$$\boxed{x_1 = 2}$$", r"> ## \(x_1 = 2\)"),
        (r"$$\boxed{\frac{a+b}{c+d}}$$", r"$$\boxed{\frac{a+b}{c+d}}$$"),
        ("It prints\n\n**a*b*c**", "It prints\n\n> ## a\\*b\\*c"),
        ("**[2, 3]**", "> ## [2, 3]"),
        ("Done.\n\n```\n1\n2\n```", "Done.\n\n```\n1\n2\n```"),
        ("one\ntwo", "> one\n> two"),
        ("```\ncode\n```", "```\ncode\n```"),
        ("- a list", "> - a list"),
        ("-3", "> ## -3"),
        ("9" * 100, "> " + "9" * 100),
        (r"\boxed{unclosed", r"> ## \boxed{unclosed"),
    ],
)
def test_an_answer_is_set_apart(answer: str, shown: str) -> None:
    assert highlight_result(answer) == shown


def test_a_boxed_fraction_reads_as_one() -> None:
    assert format_with_images(highlight_result(r"\boxed{x = \frac{1}{2}}")).text == "> ## x = ½"
    assert (
        format_with_images(highlight_result(r"$$\boxed{\left[ 2, \ 3\right]}$$")).text
        == "> ## \\[2, 3\\]"
    )


def test_a_long_formula_is_drawn_in_its_box() -> None:
    answer = format_with_images(highlight_result(r"$$\boxed{\int_0^1 \frac{x}{1+x^2}\,dx}$$"))
    assert [picture.source for picture in answer.pictures] == [
        r"\boxed{\int_0^1 \frac{x}{1+x^2}\,dx}"
    ]
    assert answer.text == ""
