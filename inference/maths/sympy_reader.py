"""Parses text into sympy objects by a closed grammar; no text is ever evaluated as code.

Part of the verifier. What it reads was printed by a program that nobody knows, so it knows numbers,
names of one letter, a fixed list of functions and sets, and nothing else. Size, nesting, digits
and the magnitude of every number are bounded before sympy computes anything.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

import sympy

MAX_CHARACTERS = 2_000
MAX_DEPTH = 60
MAX_DIGITS = 4_000  # of a number, and of what is on the way to it
MAX_ROOT_DIGITS = 300  # sympy looks for factors of what is under a root
MAX_FACTORIAL = 1_500

_TOKENS = re.compile(
    r"\s*(?:(?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<name>Interval\.(?:open|Lopen|Ropen)|[A-Za-z][A-Za-z0-9_]*)"
    r"|(?P<sign>\*\*|<=|>=|==|!=|[-+*/%^()\[\]{},:<>&|]))"
)
_SYMBOL = re.compile(
    r"[A-Za-z](?:_?[0-9]{1,3})?|alpha|beta|gamma|delta|epsilon|eta|theta|kappa|lambda|mu|nu|xi|rho"
    r"|sigma|tau|phi|chi|psi|omega"
)


class NotAnExpression(Exception):
    """The text is not in the grammar, or outside its bounds."""


def read_sympy(text: str) -> Any:
    """Return the number, expression, relation, set, list, tuple or dict that `text` spells.

    Decimals are exact. Names are real unknowns. Raises NotAnExpression.
    """
    if len(text) > MAX_CHARACTERS:
        raise NotAnExpression("too long")
    reader = _Reader(list(_tokens(text)))
    try:
        found = reader.read_alternatives()
    except (TypeError, ValueError, ArithmeticError, AttributeError, RecursionError) as error:
        raise NotAnExpression(str(error)) from error  # sympy refuses what makes no sense
    reader.expect("")
    return found


def is_undefined(text: str) -> bool:
    """Return whether a number on the way to what `text` spells has no value: sympy's `1/(1/0)` is
    0.

    Raises NotAnExpression.
    """
    reader = _Reader(list(_tokens(text)))
    reader.read_alternatives()
    return reader.undefined


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    """Kind and text of each token."""
    position, end = 0, len(text.rstrip())
    while position < end:
        found = _TOKENS.match(text, position)
        if found is None:
            raise NotAnExpression(text[position : position + 20])
        yield str(found.lastgroup), found[found.lastgroup or 0]
        position = found.end()


class _Reader:
    """Recursive descent: or, and, comparisons, sums, products, signs, powers, atoms."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0
        self.undefined = False  # so far

    def expect(self, text: str) -> None:
        if self._next()[1] != text:
            raise NotAnExpression(f"{text or 'the end'} is missing")

    def read_alternatives(self) -> Any:
        found = self._conditions()
        while self._take("|", "or"):
            found = sympy.Or(found, self._conditions())
        return found

    def _conditions(self) -> Any:
        found = self._comparisons()
        while self._take("&", "and"):
            found = sympy.And(found, self._comparisons())
        return found

    def _comparisons(self) -> Any:
        """Parse `a`, `a < b` or `a < b <= c`."""
        left = self._sum()
        found: list[Any] = []
        while sign := self._take(*_RELATIONS):
            right = self._sum()
            found.append(_RELATIONS[sign](left, right))
            left = right
        return sympy.And(*found) if found else left

    def _sum(self) -> Any:
        found = self._product()
        while sign := self._take("+", "-"):
            right = _expression(self._product())
            found = _expression(found) + right if sign == "+" else _expression(found) - right
        return found

    def _product(self) -> Any:
        found = self._read_signed()
        while sign := self._take("*", "/", "%"):
            found, right = _expression(found), _expression(self._read_signed())
            if sign == "*":
                found = found * right
            elif sign == "/":
                found = found / right
            else:
                found = sympy.Mod(found, right)
            _require_small(found)
            self._note(found)
        return found

    def _note(self, found: Any) -> Any:
        if isinstance(found, sympy.Basic) and found.has(sympy.zoo, sympy.nan):
            self.undefined = True
        return found

    def _read_signed(self) -> Any:
        self._enter()
        sign = self._take("-", "+")
        found = self._read_signed() if sign else self._power()
        self._depth -= 1
        return -_expression(found) if sign == "-" else found

    def _power(self) -> Any:
        base = self._atom()
        if not self._take("**", "^"):
            return base
        return self._note(_power(_expression(base), _expression(self._read_signed())))

    def _atom(self) -> Any:
        kind, text = self._next()
        if kind == "number":
            return _number(text)
        if kind == "name":
            return self._read_name(text)
        if text == "(":
            return self._in_parentheses()
        if text == "[":
            return self._read_list("]")
        if text == "{":
            return self._braces()
        raise NotAnExpression(text or "the end")

    def _read_name(self, name: str) -> Any:
        if self._take("("):
            if name not in _FUNCTIONS:
                raise NotAnExpression(f"{name} is no function here")
            return self._note(_apply_function(name, self._read_list(")")))
        if name in _CONSTANTS:
            return _CONSTANTS[name]
        if _SYMBOL.fullmatch(name):
            return sympy.Symbol(name, real=True)
        raise NotAnExpression(f"{name} is no name here")

    def _in_parentheses(self) -> Any:
        """One value, or a tuple."""
        first = self._read_nested()
        if self._take(")"):
            return first
        self.expect(",")
        return (first, *self._read_list(")"))

    def _braces(self) -> Any:
        """A mapping, or a set."""
        if self._take("}"):
            return {}
        first = self._read_nested()
        if not self._take(":"):
            if self._take("}"):
                return sympy.FiniteSet(first)
            self.expect(",")
            return sympy.FiniteSet(first, *self._read_list("}"))
        found = {first: self._read_nested()}
        while self._take(","):
            name = self._read_nested()
            self.expect(":")
            found[name] = self._read_nested()
        self.expect("}")
        return found

    def _read_list(self, closing: str) -> list[Any]:
        """Values up to `closing`, with commas between them."""
        found: list[Any] = []
        while not self._take(closing):
            if found:
                self.expect(",")
                if self._take(closing):
                    break
            found.append(self._read_nested())
        return found

    def _read_nested(self) -> Any:
        self._enter()
        found = self.read_alternatives()
        self._depth -= 1
        return found

    def _enter(self) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise NotAnExpression("nested too deep")

    def _next(self) -> tuple[str, str]:
        self._at += 1
        return self._tokens[self._at - 1] if self._at <= len(self._tokens) else ("", "")

    def _take(self, *texts: str) -> str:
        """The next token, passed by, where it is one of `texts`; else an empty text."""
        _, text = self._tokens[self._at] if self._at < len(self._tokens) else ("", "")
        if text not in texts:
            return ""
        self._at += 1
        return text


# --- numbers and functions, each within bounds ----------------------------------------------------


def _expression(found: Any) -> Any:
    """Require an expression that may stand beside an operator.

    Python would multiply lists by numbers.
    """
    if not isinstance(found, sympy.Expr):
        raise NotAnExpression("no number")
    return found


def _number(text: str) -> Any:
    digits, _, exponent = text.lower().partition("e")
    if len(exponent) > 6 or len(digits) + abs(int(exponent or 0)) > MAX_DIGITS:
        raise NotAnExpression("too many digits")
    return sympy.Rational(text)


def _power(base: Any, exponent: Any) -> Any:
    """Raises NotAnExpression before sympy computes what is too large."""
    if exponent.is_number and exponent.is_finite and base.is_number and base.is_finite:
        if base.is_zero is not True:
            size = abs(sympy.N(sympy.log(abs(base), 10) * abs(exponent), 15))
            if not size <= MAX_DIGITS:
                raise NotAnExpression("too many digits")
        if base.is_Rational and exponent.is_Integer:
            most = max(abs(base.p), base.q).bit_length() * abs(int(exponent))
            if most > MAX_DIGITS * 4:
                raise NotAnExpression("too many digits")
    if not exponent.is_Integer:
        _require_small(base, MAX_ROOT_DIGITS)
    return base**exponent


def _require_small(found: Any, digits: int = MAX_DIGITS) -> None:
    for each in found.atoms(sympy.Rational):
        if max(abs(each.p), each.q).bit_length() > digits * 4:
            raise NotAnExpression("too many digits")


def _apply_function(name: str, arguments: list[Any]) -> Any:
    if name in _OF_WHOLE_NUMBERS:
        most = MAX_FACTORIAL if all(each.is_number for each in arguments) else 20
        for each in arguments:
            if each.is_number and not (each.is_Integer and abs(int(each)) <= most):
                raise NotAnExpression(f"{name} of too much")
    if name in _DIVISORS and not all(each.is_Integer for each in arguments):
        raise NotAnExpression(f"{name} of no whole number")
    if name in _ROOTS:
        _require_small(_expression(arguments[0]), MAX_ROOT_DIGITS)
    if name in _GROWING:
        for each in arguments:
            if each.is_number and each.is_finite and not abs(sympy.N(each, 15)) <= MAX_DIGITS:
                raise NotAnExpression(f"{name} of too much")
    return _FUNCTIONS[name](*arguments)


def _root_of(polynomial: Any, index: Any) -> Any:
    [unknown] = polynomial.free_symbols
    poly = sympy.Poly(polynomial, unknown)
    if poly.degree() > 12 or any(abs(each) > 10**30 for each in poly.all_coeffs()):
        raise NotAnExpression("a root of too much")
    return sympy.CRootOf(poly, int(index))


_RELATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "<": sympy.Lt,
    "<=": sympy.Le,
    ">": sympy.Gt,
    ">=": sympy.Ge,
    "==": sympy.Eq,
    "!=": sympy.Ne,
}
_CONSTANTS: dict[str, Any] = {
    "pi": sympy.pi,
    "E": sympy.E,
    "I": sympy.I,
    "oo": sympy.oo,
    "inf": sympy.oo,
    "zoo": sympy.zoo,
    "nan": sympy.nan,
    "True": sympy.true,
    "False": sympy.false,
    "EmptySet": sympy.S.EmptySet,
    "Reals": sympy.S.Reals,
    "Integers": sympy.S.Integers,
}
_DIVISORS = {"gcd", "lcm"}
_ROOTS = {"sqrt", "cbrt", "root", "log", "ln"}
_GROWING = {"exp", "sinh", "cosh"}
_OF_WHOLE_NUMBERS = {"factorial", "gamma", "binomial", "ff"}
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{
        name: getattr(sympy, name)
        for name in (
            *("sqrt", "cbrt", "root", "exp", "log", "sin", "cos", "tan", "cot", "sec", "csc"),
            *("asin", "acos", "atan", "acot", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh"),
            *("Abs", "sign", "floor", "ceiling", "Min", "Max", "Mod", "gcd", "lcm", "re", "im"),
            *("factorial", "gamma", "binomial", "ff", "erf", "erfi", "Si", "Ci", "Ei", "LambertW"),
            *("Rational", "Integer", "Interval", "Union", "Intersection", "Complement"),
            *("FiniteSet", "Eq", "Ne", "Lt", "Le", "Gt", "Ge", "And", "Or", "Piecewise"),
            *("AccumBounds", "Matrix"),
        )
    },
    "abs": sympy.Abs,
    "ln": sympy.log,
    "Fraction": sympy.Rational,
    "AccumulationBounds": sympy.AccumBounds,
    "CRootOf": _root_of,
    "ComplexRootOf": _root_of,
    "Interval.open": sympy.Interval.open,
    "Interval.Lopen": sympy.Interval.Lopen,
    "Interval.Ropen": sympy.Interval.Ropen,
}
