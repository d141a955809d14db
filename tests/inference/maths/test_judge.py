"""The test of an answer: it must never call a wrong one right."""

import pytest

from inference.maths.output_parser import same, typeset
from inference.maths.question_parser import read
from inference.maths.verifier import judge


def verdict(question: str, printed: str) -> str:
    reading = read(question)
    assert reading is not None
    return judge(reading.task, printed)


LINE = "Solve 2x + 3 = 10 for x."
SQUARE = "解方程 x² - 5x + 6 = 0"
SYSTEM = "Solve the system x + y = 10, x - y = 4."


@pytest.mark.parametrize(
    ("question", "printed"),
    [
        *((LINE, each) for each in ("x = 7/2", "3.5", "[7/2]", "{x: 7/2}", "x = 3.5")),
        *((SQUARE, each) for each in ("x = 2\nx = 3", "[2, 3]", "{2, 3}", "x = 3, x = 2")),
        *((SYSTEM, each) for each in ("x = 7, y = 3", "{x: 7, y: 3}", "x = 7\ny = 3")),
        ("Solve x + y = 10, x - y = 4 for y", "y = 3"),
        ("Solve x^2 = -4", "no solution"),
        ("Solve 2x^2 + 3x = 10", "x = -3/4 + sqrt(89)/4\nx = -sqrt(89)/4 - 3/4"),
        ("For which x is x^2 - 7x + 10 < 0?", "x in Interval.open(2, 5)"),
        ("Solve 3 - 2x >= 11.", "x <= -4"),
        ("解不等式：x² - 4 > 0", "(x < -2) | (2 < x)"),
        ("Compute 3/4 + 5/6.", "19/12"),
        ("What is 15% of 240?", "36.0"),
        ("Differentiate x^3 + 2x with respect to x.", "3*x**2 + 2"),
        ("Compute the integral of x^2 from 0 to 3.", "9"),
        ("Find the limit of sin(3x)/x as x approaches 0.", "3"),
        ("把 360 分解质因数", "2**3 * 3**2 * 5**1"),
        ("Is 221 a prime number?", "no"),
        ("求 48 和 180 的最大公约数", "12"),
        ("What is the remainder when 2^10 is divided by 7?", "2"),
        ("How many positive divisors does 360 have?", "24"),
        ("Convert 5 miles to kilometers.", "8.04672 kilometers"),
        ("100 degrees Fahrenheit in Celsius", "37.7777777778 Celsius"),
    ],
)
def test_right_answers_are_verified(question: str, printed: str) -> None:
    assert verdict(question, printed) == "verified"


@pytest.mark.parametrize(
    ("question", "printed"),
    [
        *((LINE, each) for each in ("x = 4", "3", "no solution", "x = 7/2\nx = 4")),
        *((SQUARE, each) for each in ("x = 2", "x = 2\nx = 4", "[2, 3, 4]", "no solution")),
        *((SYSTEM, each) for each in ("x = 3, y = 7", "x = 7, y = 4")),
        ("For which x is x^2 - 7x + 10 < 0?", "x in Interval(2, 5)"),
        ("For which x is x^2 - 7x + 10 < 0?", "x in Interval.open(2, 6)"),
        ("Solve 3 - 2x >= 11.", "x >= -4"),
        ("Compute 3/4 + 5/6.", "1.58"),
        ("Differentiate x^3 + 2x with respect to x.", "3*x**2"),
        ("Compute the integral of x^2 from 0 to 3.", "8"),
        ("Find the limit of sin(3x)/x as x approaches 0.", "1"),
        ("把 360 分解质因数", "2**3 * 9 * 5"),
        ("把 360 分解质因数", "2**2 * 3**2 * 5"),
        ("Is 221 a prime number?", "yes"),
        ("Convert 5 miles to kilometers.", "8 kilometers"),
    ],
)
def test_wrong_answers_are_refuted(question: str, printed: str) -> None:
    assert verdict(question, printed) == "refuted"


@pytest.mark.parametrize(
    "printed",
    [
        *("", "the answer is 3.5", "2 or 3.5", "x", "y = 3.5", "x = y", "[", "1" * 3000),
        *("().__class__", "__import__('os')", "exit()", "x = 7/2 if 1 else 2", "lambda: 3.5"),
    ],
)
def test_what_cannot_be_understood_is_neither(printed: str) -> None:
    assert verdict(LINE, printed) in ("none", "refuted")


@pytest.mark.parametrize(
    "question",
    [
        "What is the smallest solution of x^2 - 5x + 6 = 0?",
        "Solve x^2 = 4 for positive x",
        "How many solutions has x^2 = 4?",
        "Solve 2x + 3 = 10 and add 5 to it",
        "What is 3 + 4 in binary?",
        "What is the sum of the roots of x^2 - 5x + 6 = 0?",
        "Solve 1/2x = 3",
        "Compute log(100)",
        "200 - 5%",
        "2^3x = 4",
        "解方程 x² = 4 的正根",
        "x + y = 10 的整数解有几个？",
        "Tom is 4 years older than Ann.",
        "Is 5 greater than 3?",
        "",
    ],
)
def test_a_question_with_a_word_too_many_is_not_read(question: str) -> None:
    assert read(question) is None


@pytest.mark.parametrize(
    ("printed", "latex"),
    [
        ("x = 7/2", r"x = \frac{7}{2} \approx 3.5"),
        ("x = 2\nx = 3", r"x = 2;\quad x = 3"),
        ("488.0", "488"),
        ("3.50", "3.50"),
        ("x in Interval.open(6, oo)", r"x \in \left(6, \infty\right)"),
        ("2**3 * 5", r"2^{3} \times 5"),
        ("x**3/3 + C", r"\frac{x^{3}}{3} + C"),
        ("yes", ""),
        ("The sum is 4", ""),
    ],
)
def test_answers_are_typeset(printed: str, latex: str) -> None:
    assert typeset(printed) == latex


@pytest.mark.parametrize(
    ("printed", "expected", "is_same"),
    [
        ("x = 7, y = 3", "x = 7, y = 3", True),
        ("m = 12", "12", True),
        ("x in Interval.open(6, oo)", "x > 6", True),
        ("20 m/s", "20", True),
        ("False", "no", True),
        ("x = 2\nx = 3", "x = 2, x = 3", True),
        ("(x + 1)*exp(x)", "x*exp(x) + exp(x)", True),
        ("x = 2", "x = 2, x = 3", False),
        ("3.2", "3.5", False),
        ("words", "3", False),
    ],
)
def test_two_ways_to_write_an_answer(printed: str, expected: str, is_same: bool) -> None:
    assert same(printed, expected) is is_same
