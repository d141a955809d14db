"""Arithmetic without a program: exact where it can be, bounded always."""

import ast
import math
from collections.abc import Callable
from fractions import Fraction

from inference.maths.expression_parser import NotMathematics, expression
from inference.tools.base import ToolFailed

Number = Fraction | float

MAX_CHARACTERS = 2_000
MAX_DIGITS = 2_000  # of a result, and of what is on the way to it

_CONSTANTS = {"pi": math.pi, "E": math.e}


async def calculate(expression: str) -> str:
    """Compute the value of an arithmetic expression, exactly where that is possible.

    expression: numbers, + - * / ^ % ! and functions such as sqrt, sin, log, comb(n, k)
    """
    return format_number(evaluate(expression))


def evaluate(text: str) -> Number:
    """Raises ToolFailed."""
    if len(text) > MAX_CHARACTERS:
        raise ToolFailed(f"the expression has more than {MAX_CHARACTERS} characters")
    try:
        return _value(ast.parse(expression(text), mode="eval").body)
    except ZeroDivisionError as error:
        raise ToolFailed("it is undefined: it divides by zero") from error
    except (NotMathematics, ValueError, TypeError, ArithmeticError, RecursionError) as error:
        raise ToolFailed(f"it cannot be computed: {error}") from error


def format_number(value: Number) -> str:
    if isinstance(value, float) or value.denominator == 1:
        return f"{value:.12g}" if isinstance(value, float) else str(value)
    try:
        return f"{value} ≈ {float(value):.12g}"
    except OverflowError:  # of more than 308 digits
        return str(value)


def _value(node: ast.expr) -> Number:
    match node:
        case ast.Constant(value=str() | int() as number):
            return _check_size(Fraction(number))
        case ast.Name(id=name) if name in _CONSTANTS:
            return _CONSTANTS[name]
        case ast.UnaryOp(op=sign, operand=operand):
            return -_value(operand) if isinstance(sign, ast.USub) else _value(operand)
        case ast.BinOp(left=left, op=op, right=right):
            return _check_size(_OPERATIONS[type(op)](_value(left), _value(right)))
        case ast.Call(func=ast.Name(id=name), args=arguments) if name in _FUNCTIONS:
            return _check_size(_FUNCTIONS[name](*map(_value, arguments)))
    raise ToolFailed(f"{ast.unparse(node)} is unknown here")


def _power(base: Number, exponent: Number) -> Number:
    if isinstance(base, Fraction) and isinstance(exponent, Fraction) and exponent.denominator == 1:
        digits = max(len(str(base.numerator)), len(str(base.denominator)))
        if digits * abs(exponent.numerator) > MAX_DIGITS:
            raise ToolFailed(f"the result has more than {MAX_DIGITS} digits")
        return base**exponent.numerator
    result: float | complex = float(base) ** float(exponent)
    if isinstance(result, complex):
        raise ToolFailed("the result is not real")
    return result


def _root(value: Number) -> Number:
    """Exact for squares."""
    if isinstance(value, Fraction) and value >= 0:
        above, below = math.isqrt(value.numerator), math.isqrt(value.denominator)
        if above**2 == value.numerator and below**2 == value.denominator:
            return Fraction(above, below)
    return math.sqrt(value)


def _whole(value: Number, most: int | None) -> int:
    if value != int(value) or (most is not None and not 0 <= value <= most):
        raise ToolFailed(f"{value} is not a whole number" + (f" up to {most}" if most else ""))
    return int(value)


def _check_size(value: Number) -> Number:
    if isinstance(value, Fraction):
        if max(value.numerator.bit_length(), value.denominator.bit_length()) > MAX_DIGITS * 4:
            raise ToolFailed(f"the result has more than {MAX_DIGITS} digits")
    elif not math.isfinite(value):
        raise ToolFailed("the result is infinite or undefined")
    return value


_FUNCTIONS: dict[str, Callable[..., Number]] = {
    "sqrt": _root,
    "Abs": abs,
    "factorial": lambda n: Fraction(math.factorial(_whole(n, 500))),
    "binomial": lambda n, k: Fraction(math.comb(_whole(n, 2_000), _whole(k, 2_000))),
    "ff": lambda n, k: Fraction(math.perm(_whole(n, 500), _whole(k, 500))),
    "gcd": lambda *all_: Fraction(math.gcd(*(_whole(n, None) for n in all_))),
    "lcm": lambda *all_: Fraction(math.lcm(*(_whole(n, None) for n in all_))),
    "floor": lambda x: Fraction(math.floor(x)),
    "ceiling": lambda x: Fraction(math.ceil(x)),
    "Min": min,
    "Max": max,
    "Mod": lambda a, b: a % b,
    "Integer": lambda n: n,
    "Rational": lambda a, b=Fraction(1): a / b,
    **{name: getattr(math, name) for name in ("exp", "log", "sin", "cos", "tan")},
    **{name: getattr(math, name) for name in ("asin", "acos", "atan", "sinh", "cosh", "tanh")},
}

_OPERATIONS: dict[type[ast.operator], Callable[[Number, Number], Number]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
    ast.Mod: lambda a, b: a % b,
    ast.Pow: _power,
}
