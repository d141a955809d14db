"""What people and small models write, made into exact programs."""

import ast

import pytest

from inference.maths.expression_parser import NotMathematics, expression, names, relation
from inference.maths.form_programs import FORMS, FormProgram, create_program
from inference.maths.question_parser import read
from inference.sandbox.client import Sandbox
from inference.tool_parsers.one_line_forms import _EXAMPLES


@pytest.mark.parametrize(
    ("written", "explicit"),
    [
        ("2x² + 3(x - 1)", "2 * x ** 2 + 3 * (x - 1)"),
        ("15% of 240", "Rational(15, 100) * 240"),
        ("3 × 4 ÷ 2", "Integer(3 * 4) / 2"),
        ("5! / (5-1)!", "factorial(5) / factorial(5 - 1)"),
        (r"\frac{1}{2}x + √2", "Rational(1, 2) * x + sqrt(2)"),
        ("2.5x", "Rational('2.5') * x"),
        ("1,000 + 2", "1000 + 2"),
        ("e^x", "E ** x"),
        ("x(x+1)", "x * (x + 1)"),
        ("3^20 % 11", "3 ** 20 % 11"),
        ("2^(-3)", "Integer(2) ** (-3)"),
    ],
)
def test_mathematics_becomes_explicit_and_exact(written: str, explicit: str) -> None:
    assert expression(written) == explicit


@pytest.mark.parametrize(
    "written",
    [
        *(
            "__import__('os')",
            "x.y",
            "2 3",
            "x = 3",
            "f(x=1)",
            "open('a')",
            "",
            "(",
            "lambda: 1",
        )
    ],
)
def test_what_is_no_mathematics_is_refused(written: str) -> None:
    with pytest.raises(NotMathematics):
        expression(written)


def test_relations_and_their_unknowns() -> None:
    assert relation("x + 2y ≥ 8") == ("x + 2 * y", ">=", "8")
    assert names("pi * x + sqrt(y) + E") == ["x", "y"]
    for written in ("x", "x = y = z", "x + 1"):
        with pytest.raises(NotMathematics):
            relation(written)


@pytest.mark.parametrize("form", [form for _, form in _EXAMPLES])
def test_every_example_makes_a_program_that_compiles(form: str) -> None:
    call = create_program(form)
    assert isinstance(call, FormProgram)
    if call.tool == "python":
        ast.parse(str(call.arguments["program"]))
    else:
        assert call.tool == "convert"


@pytest.mark.parametrize(
    "form",
    [
        'solve("2x + 3")',
        'solve("3 = 3")',
        'derivative("x", "os.x")',
        'chance("a + b > 3", a="1..6")[0]("x")',
        'chance("__import__(1) > 2", a="1..6")',
        'chance("a > 2", a="1..999999999")',
        'convert("five", "m", "km")',
        'calculate("os.x(1)")',
        'chance("b > 2", a="1..6")',
    ],
)
def test_a_form_that_is_filled_in_wrongly_is_refused_or_a_program_of_its_own(form: str) -> None:
    try:
        call = create_program(form)
    except NotMathematics:
        return
    assert call.arguments["program"] == f"from sympy import *\n\n{form}"


@pytest.mark.parametrize(
    "question",
    [
        "Solve 2.5x + 1/3 = 10 for x",
        "解方程组：2x + y = 7.5，x - y = 2",
        "Integrate 1/x from 1 to e^2",
        "Differentiate 2.5x^2 with respect to x",
        "limit of (x^2 - 2.25)/(x - 1.5) as x approaches 1.5",
        "What is 15% of 240?",
        "Convert 5 miles to kilometers.",
        "Is 221 a prime number?",
        "What is the remainder when 2^10 is divided by 7?",
        "x² - 4.5 > 0",
        "Solve x^2 - 5x + 6 = 0 and plot the parabola",
        "解方程 x² = 4，并画出图像。",
    ],
)
def test_what_is_read_by_rule_can_be_computed(question: str) -> None:
    reading = read(question)
    assert reading is not None
    call = create_program(reading.form)
    assert call.tool in ("python", "convert")
    assert reading.form.split("(")[0] in (*FORMS, "convert")


@pytest.mark.parametrize(
    "question",
    [
        "Solve x + y = 3, x - y = 1 and plot it",
        "Plot it",
        "Solve x^2 > 4 and sketch the curve",
        "x = 1" + "画图" * 900,
        f"a{' ' * 660}and plot it{' ' * 1_300}x",
    ],
)
def test_a_picture_of_more_than_one_equation_is_left_to_the_model(question: str) -> None:
    assert read(question) is None


async def test_forms_one_after_the_other_are_one_program() -> None:
    written = 'solve("x**2 - 5x + 6 = 0", "x")\nplot("x**2 - 5x + 6", "x")'
    program = str(create_program(written).arguments["program"])
    assert program.count("from sympy import *") == 1
    assert read("Solve x^2 - 5x + 6 = 0 and plot the parabola") is not None
    async with Sandbox() as sandbox:
        result = await sandbox.run(program)
        divisors = await sandbox.run(
            str(create_program('gcd("12", "18", "8")\nsolve("x**2 = 4")').arguments["program"])
        )
    assert result.stdout == "x = 2\nx = 3\n"
    assert divisors.stdout == "2\nx = -2\nx = 2\n"
    assert len(result.figures) == 1
    with pytest.raises(NotMathematics):
        create_program('convert("8", "feet", "meters")\nsolve("x = 1")')


@pytest.mark.parametrize(
    ("written", "same"),
    [
        ('plot("y = x**2")', 'plot("x**2")'),
        ('plot("f(x) = sin(x)", "x", "0", "10")', 'plot("sin(x)", "x", "0", "10")'),
        ('diff("f(t) = t**3", "t")', 'diff("t**3", "t")'),
        ('integral("y=2x", "x", "0", "1")', 'integral("2x", "x", "0", "1")'),
    ],
)
def test_a_definition_is_read_as_what_it_defines(written: str, same: str) -> None:
    assert create_program(written).arguments["program"] == create_program(same).arguments["program"]


@pytest.mark.parametrize("text", ["x = x**2", "x**2 + y**2 = 1", "y == x"])
def test_an_equation_is_no_definition(text: str) -> None:
    with pytest.raises(NotMathematics):
        create_program(f'plot("{text}")')


def test_names_of_sympys_are_there_for_programs_that_forgot_them() -> None:
    program = create_program("print(solve(x**2 - 2, x))").arguments["program"]
    assert program == "from sympy import *\n\nx = symbols('x')\nprint(solve(x**2 - 2, x))"
    own = "import math\nprint(math.pi)"
    assert create_program(own).arguments["program"] == own
