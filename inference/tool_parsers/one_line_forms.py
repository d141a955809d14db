"""One-line forms for small models, from which programs are made (see `maths.form_programs`)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from inference import reasoning
from inference.engines.base import Message
from inference.maths.expression_parser import NotMathematics
from inference.maths.form_programs import FORMS, create_program
from inference.tool_parsers.base import ParsedOutput, ToolRequest
from inference.tool_parsers.json_call import PYTHON
from inference.tool_parsers.python_fence import block
from inference.tools.base import Tool
from jobqueue.schema import Sampling

MAX_TOKENS = 256

_OPEN = re.compile(r"(?:^|(?<=\n))[ \t]*```\w*[ \t]*\n")
_BARE = re.compile(rf"(?:print\()?(?:{'|'.join([*FORMS, 'convert'])})\(.*\)\s*", re.DOTALL)

_HOW = (
    "You turn a problem into Python code. Write only code, nothing else. Copy every number exactly."
)
_EXAMPLES = (
    ("Solve 5x - 4 = 2x + 8 for x.", 'solve("5*x - 4 = 2*x + 8")'),
    ("解方程组：3a + b = 11，a - b = 1", 'solve("3*a + b = 11", "a - b = 1")'),
    ("Solve the inequality x^2 - 3x < 10", 'solve("x**2 - 3*x < 10")'),
    ("What is 12% of 75?", 'calculate("12/100 * 75")'),
    ("计算 3/8 + 2.5 × 4", 'calculate("3/8 + 2.5 * 4")'),
    (
        "Lisa is twice as old as Mark. The sum of their ages is 36. How old is Mark?",
        'solve("l = 2*m", "l + m = 36", find="m")',
    ),
    ("两数之和是 15，差是 3，较大的数是多少？", 'solve("a + b = 15", "a - b = 3", find="a")'),
    ("一支笔 3 元，一本书 25 元。买 4 支笔和 2 本书一共要多少元？", 'calculate("4*3 + 2*25")'),
    (
        "After a discount of 30% a coat costs 84 dollars. What did it cost before?",
        'solve("x * (1 - 30/100) = 84", find="x")',
    ),
    ("Find the derivative of x^5 + 3x.", 'derivative("x**5 + 3*x", "x")'),
    ("Integrate 4x^3 from 1 to 2.", 'integral("4*x**3", "x", "1", "2")'),
    ("求极限：当 x 趋于 1 时 (x^2 - 1)/(x - 1)", 'limit("(x**2 - 1)/(x - 1)", "x", "1")'),
    ("Convert 8 feet to meters.", 'convert("8", "feet", "meters")'),
    ("30 摄氏度是多少华氏度？", 'convert("30", "摄氏度", "华氏度")'),
    ("72 和 30 的最大公约数是多少？", 'gcd("72", "30")'),
    ("求 6 和 8 的最小公倍数", 'lcm("6", "8")'),
    ("Is 91 a prime number?", 'is_prime("91")'),
    (
        "A box has 4 green and 6 white balls. Three are drawn. What is the chance of all white?",
        'calculate("comb(6, 3) / comb(10, 3)")',
    ),
    ("掷两枚骰子，点数之和至少是 10 的概率是多少？", 'chance("a + b >= 10", a="1..6", b="1..6")'),
    (
        "Four coins are tossed. What is the probability of exactly one head?",
        'chance("a + b + c + d == 1", a="0..1", b="0..1", c="0..1", d="0..1")',
    ),
    ("In how many ways can 4 of 9 players be chosen?", 'calculate("comb(9, 4)")'),
    ("In how many orders can 6 people stand in a row?", 'calculate("6!")'),
    (
        "Draw the visitors of each day.\n\nAttached file 'park.csv', begins with: 'day,visitors'",
        'plot_data("park.csv", "day", "visitors")',
    ),
    ("Plot x^2 - 3 from -4 to 4", 'plot("x**2 - 3", "x", "-4", "4")'),
    (
        "What is the sum of all even numbers below 50?",
        "print(sum(n for n in range(50) if n % 2 == 0))",
    ),
)


@dataclass(frozen=True, slots=True)
class Forms:
    name: str = "forms"
    markup: tuple[str, ...] = ()
    calls_tools: bool = False
    thinks_when_told: bool = False
    answers: bool = False  # what the program prints is the answer

    def instructions(self, _tools: Sequence[Tool]) -> str:
        return _HOW

    def sampling(self, _asked: Sampling, turn: int) -> Sampling:
        """Copying is no place for chance or for a penalty on what was seen; trying again is."""
        temperature = 0.0 if turn == 1 else 0.7
        return Sampling(temperature=temperature, repetition_penalty=1.0, max_tokens=MAX_TOKENS)

    def examples(self) -> tuple[Message, ...]:
        return tuple(
            message
            for question, form in _EXAMPLES
            for message in (Message("user", question), Message("assistant", as_code_fence(form)))
        )

    def read(self, text: str, *, ended: bool) -> ParsedOutput:
        thought, text = reasoning.split(text, ended=ended, stop=_OPEN)
        found = block(text, ended=ended, opening=_OPEN)
        if found is not None:
            return ParsedOutput(
                thought, call=_parse_code(found.code) if found.complete else ToolRequest("", "")
            )
        if ended and _BARE.fullmatch(text.strip()):
            return ParsedOutput(thought, call=_parse_code(text))
        return ParsedOutput(thought, text if ended else "")

    def result_message(self, text: str) -> Message:
        return Message("user", f"{text}\nThat did not work. Write other code.")


def as_code_fence(code: str) -> str:
    return f"```python\n{code}\n```"


def _parse_code(code: str) -> ToolRequest:
    try:
        call = create_program(code)
    except NotMathematics as error:
        return ToolRequest(PYTHON, code, True, fault=str(error))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return ToolRequest(PYTHON, code, True, fault=f"this is not Python: {error}")
    program = call.arguments.get("program")
    shown = program if isinstance(program, str) else code.strip()
    return ToolRequest(call.tool, shown, True, arguments=call.arguments)
