"""What a program prints is data: it can neither run in the judge nor speak for it."""

import sys

import pytest

from inference.maths import verify
from inference.maths.output_parser import same, typeset
from inference.maths.question_parser import read
from inference.maths.sympy_reader import NotAnExpression, read_sympy
from inference.maths.verifier import judge
from inference.sandbox.client import Sandbox
from inference.sandbox.config import SandboxConfig
from jobqueue.schema import Check

LINE = "Solve 2x + 3 = 10 for x"


def spelled(text: str) -> str:
    return "+".join(f"chr({ord(each)})" for each in text)


VERDICT = '{"verdict":"verified","latex":"x=7","same":true}'
SPEAK = f"import os\nos.write(1,b'{VERDICT}')\nos._exit(0)"
# No dot, no quotation mark and no word that an earlier judge refused.
EVALUATED = f"getattr(getattr(print,{spelled('__self__')}),{spelled('exec')})({spelled(SPEAK)})"

EVERYWHERE = """
import os
for descriptor in range(3, 64):
    try:
        os.write(descriptor, b"verified")
    except OSError:
        pass
print("x = 7")
"""


@pytest.mark.parametrize(
    "printed",
    [
        EVALUATED,
        f"x = {EVALUATED}",
        f"[{EVALUATED}]",
        f"x in {EVALUATED}",
        f"{EVALUATED} + C",
        f"x = 7\n{EVALUATED}",
        f"x = 7, y = {EVALUATED}",
        f"{{x: {EVALUATED}}}",
        f"true for all real x except {EVALUATED}",
        f"infinitely many solutions: x = {EVALUATED} for every real t",
        *("print(1)", "x = print(1)", "{", "open(0)", "input()", "breakpoint()", "exit()"),
        *("globals()", "Symbol('x')", "Symbol.__class__", "x.__class__", "().__class__.__base__"),
        *("lambda: 1", "(lambda: 7)()", "f'{7}'", "'7'", "[7 for x in [1]]", "7 if 1 else 2"),
        *("Lambda(x, x)", "Function('f')(x)", "sympify(x)", "S('x')", "eval(7)", "exec(7)"),
        *("x := 7", "*[7]", "**{1: 2}", "@x", "x;x", "7\\\n", "7 # 1", "`7`", "$7$", "7!"),
        *("１＋２", "٣", "x̂", "ｘ", "ﬁ", "7\u200b", "\x00", "\ud800", "7\N{NO-BREAK SPACE}7"),
        *(VERDICT, '{"verdict": "verified"}', "verified", "Check.VERIFIED", "VERIFIED = True"),
        *("9**9**9", "x = 9**9**9", "factorial(10**9)", "1e999999999", "[1]*10**9", "(7,)*10**9"),
        *("(10**3999)**2", "2**(10**9)", "E**(10**9)", "exp(exp(10**4))", "gamma(10**9)"),
        *("binomial(10**9, 10**8)", "7*" * 990 + "7x", "9" * 10**6, "(" * 900 + "7", "[" * 900),
        *("-" * 1_900 + "7", "2**" * 600 + "2", "root(10**3999 + 1, 7)", "ff(x, 10**6)"),
        *("Interval(7", "Union(7, 8)", "Piecewise(7)", "Integral(1/x, x)", "Limit(x, x, 0)"),
    ],
)
def test_an_output_that_is_no_plain_mathematics_gets_no_verdict(printed: str) -> None:
    reading = read(LINE)
    assert reading is not None
    assert judge(reading.task, printed) != "verified"
    assert judge({"kind": "value", "expression": "7"}, printed) != "verified"
    assert not same(printed, "7")
    assert "verdict" not in typeset(printed)


def test_nothing_in_the_grammar_takes_long_or_much() -> None:
    """Each of these is refused before sympy computes it."""
    for text in ("9**9**9", "factorial(10**9)", "1e99999", "(10**3000)*(10**3000)", "9" * 10**6):
        with pytest.raises(NotAnExpression):
            read_sympy(text)
    assert "os" in sys.modules  # this process is still here


@pytest.mark.parametrize(
    ("question", "printed"),
    [
        ("Differentiate x^2 with respect to x", "2*x + x/10**12"),
        ("Differentiate x^2 with respect to x", "2*x + (x - 7310585/10**7)/10**6"),
        ("Integrate x^2 from 0 to 1", "1/3 + 1/10**12"),
        ("limit of 1/log(x) as x approaches 0", "-482549424/10**10"),
        ("limit of sin(3x)/x as x approaches 0", "3 + 1/10**6"),
        ("limit of sin(x) as x approaches 0", "1/10**12"),
        # Beside small numbers a small difference is a large one.
        ("Calculate sqrt(2)/10^30", "0"),
        ("Calculate e^(-100)", "0"),
        ("Solve sqrt(2)*x*10^-30 = 10^-30", "x = 4"),
        ("Differentiate x^2/10^40 with respect to x", "0"),
        ("Integrate x/10^40", "0"),
        ("Integrate x/10^30 from 0 to 1", "0"),
        ("Convert 1 nm to m", "0.0 m"),
        # What stands beside the number is part of the answer.
        *(
            ("Calculate 2 + 3", f"5 {word}")
            for word in ("million", "percent", "pi", "i", "E", "or 6")
        ),
        ("Calculate 2 + 3", "5 + C"),
        ("Integrate x^2 from 0 to 1", "1/3 + C"),
        ("Differentiate x^2 with respect to x", "2*x + C"),
        ("gcd of 12 and 18", "6 million"),
        ("limit of sin(x)/x as x approaches 0", "1 million"),
        *(("Convert 5 km to m", f"5000 {unit}") for unit in ("km", "kg", "thousand m", "m/s", "M")),
        ("Solve (x - 2)(x - 3) = 0", "x in [2, 3]"),
        ("Solve (x - 2)(x - 3) = 0", "x in (2, 3)"),
        ("Solve x^2 >= 0", "true for all real x except x = I"),
        (
            "Solve x + y = 2, 2x + 2y = 4",
            "infinitely many solutions: x = 2 - t, y = t for every real q",
        ),
    ],
)
def test_an_answer_that_is_nearly_right_is_not_verified(question: str, printed: str) -> None:
    reading = read(question)
    assert reading is not None
    assert judge(reading.task, printed) != "verified"


@pytest.mark.parametrize(
    ("question", "printed"),
    [
        ("Differentiate sin(x)^2 + cos(x)^2 with respect to x", "0"),
        ("Integrate sin(x) from -1 to 1", "0"),
        ("Integrate x^2", "x**3/3 + C"),
        ("Calculate sqrt(2)*sqrt(3)/10^30", "sqrt(6)/10**30"),
        ("Calculate 1E3 * 2", "2000"),
        ("Calculate 1,000 + 1", "1001"),
        ("lcm of 3,100,25", "300"),
        ("Convert 5 km to meters", "5000 m"),
        ("Convert 36 km/h to m/s", "10 m / s"),
        ("Convert 36 kmph to m/s", "10 m/s"),
        ("1 小时等于多少分钟", "60 minutes"),
    ],
)
def test_a_right_answer_is_verified_all_the_same(question: str, printed: str) -> None:
    reading = read(question)
    assert reading is not None
    assert judge(reading.task, printed) == "verified"


@pytest.mark.parametrize(
    "question",
    [
        *("max(1,100)", "max(1,200, 3)", "gcd(100,250,36)", "mod(17,100)", "2E+3", "1E400 * 2"),
        *("1.5.2 + 1", "1234,567 + 1", "1,5 + 1"),
    ],
)
def test_numbers_of_several_meanings_are_not_judged(question: str) -> None:
    assert read(f"Calculate {question}") is None


@pytest.mark.parametrize(
    "question",
    [
        *("1 ton to kg", "1 barrel to liters", "2 Calories to J", "5 MM to M", "1 rpm to Hz"),
        *("1 Hz to rad/s", "1 lm to cd", "5 dBm to W", "1 km¹⁰⁰⁰⁰⁰⁰⁰ to m¹⁰⁰⁰⁰⁰⁰⁰"),
    ],
)
def test_units_of_several_meanings_are_not_judged(question: str) -> None:
    assert read(f"Convert {question}") is None


async def test_a_program_cannot_write_its_own_verdict() -> None:
    question = read(LINE)
    async with Sandbox(SandboxConfig()) as sandbox:
        right = await verify.verdict(sandbox, question, "x = 7/2")
        assert right.check is Check.VERIFIED
        for program in (
            f"print({EVALUATED!r})",
            f"import os\nos.write(1, b'''{VERDICT}\\n''')",
            f"print({VERDICT!r})",
            "import sys\nsys.stdout.write('x = 7\\nx = 7/2')",
            "import sympy\nsympy.simplify = lambda *_: 0\nsympy.N = lambda *_: 0\nprint('x = 7')",
            'import os\nos.write(1, b\'["Stdout","x = 7"]\\n{"type":"Stdout","text":"7"}\\n\')',
            EVERYWHERE,
        ):
            result = await sandbox.run(program)
            for task in (question, None):
                judged = await verify.verdict(sandbox, task, result.stdout.strip())
                assert judged.check is not Check.VERIFIED, program
