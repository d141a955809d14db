"""Tests a printed answer. A program of its own: it is read as text and run in the sandbox, for what
it looks at was written by a program of a model's.

A question that was read by rule (`reading`) is a task: a kind and its expressions. The test never
repeats the computation it judges: solutions are put back and counted, derivatives and integrals
are compared with numbers, divisors are tried one by one. Where that is not possible the verdict
is "none".
"""

import json
import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from math import gcd, lcm
from random import SystemRandom
from typing import Any

import mpmath
import sympy

from inference.maths.output_parser import (
    Unclear,
    antiderivative,
    claimed_set,
    is_zero,
    quantity,
    same,
    single,
    solutions,
    typeset,
)
from inference.maths.sympy_reader import is_undefined, read_sympy

NONE, VERIFIED, REFUTED = "none", "verified", "refuted"
_CLOSE = 1e-20  # of numbers that are exact on both sides
_ROUNDED = 1e-9  # of numbers that were printed as decimals
MAX_BENDS = 4  # absolute values in one relation
_POINTS = 6  # at which functions are compared
_RANDOM = SystemRandom()  # so that no program knows the points

mpmath.mp.dps = 40


def judge(task: dict[str, Any], printed: str) -> str:
    """Decide whether `printed` answers `task`."""
    try:
        return VERIFIED if _TESTS[task["kind"]](task, printed) else REFUTED
    except Exception:
        return NONE


# --- equations and inequalities ------------------------------------------------------------------

_Relation = tuple[Any, str, Any]


def _equations(task: dict[str, Any], printed: str) -> bool:
    wanted = [_unknown(name) for name in task["unknowns"]]
    if len(wanted) == 1:
        return _one_unknown(task, printed)
    residues = [_read_task(left) - _read_task(right) for left, _, right in task["relations"]]
    if "wanted" in task:
        return _part_of_system(residues, wanted, task["wanted"], printed)
    conditions = _relations(task.get("defined", ()))
    if line := _INFINITELY_MANY.fullmatch(printed.strip()):
        if conditions:
            raise Unclear
        return _parametric(residues, wanted, *line.groups())
    found = [_for(wanted, solution) for solution in solutions(printed)]
    for each in found:
        if not all(is_zero(residue.subs(each)) for residue in residues):
            return False
        if not all(_holds(condition, each) for condition in conditions):
            return False
    distinct = {tuple(map(str, each.values())) for each in found}
    return len(distinct) == _how_many(residues, wanted)


_INFINITELY_MANY = re.compile(r"infinitely many solutions: (.+) for every real ([\w, ]+)")


def _parametric(residues: list[Any], wanted: list[Any], written: str, free: str) -> bool:
    """Return whether it is the whole solution of linear equations, each point for its
    parameters."""
    [solution] = solutions(written)
    point = _for(wanted, solution)
    matrix, constants = sympy.linear_eq_to_matrix(residues, wanted)
    parameters = sorted(set().union(*(each.free_symbols for each in point.values())), key=str)
    if not parameters or set(parameters) & set(wanted):
        raise Unclear
    if sorted(re.findall(r"(?!and\b)[A-Za-z]\w*", free)) != list(map(str, parameters)):
        raise Unclear
    if not all(sympy.expand(residue.subs(point, simultaneous=True)) == 0 for residue in residues):
        return False
    directions = sympy.Matrix(list(point.values())).jacobian(parameters)
    if directions.free_symbols or matrix.row_join(constants).rank() != matrix.rank():
        raise Unclear
    return bool(directions.rank() == len(wanted) - matrix.rank() == len(parameters))


def _one_unknown(task: dict[str, Any], printed: str) -> bool:
    """Compared at every point where it can change, and between each two of them."""
    name = _unknown(task["unknowns"][0])
    relations, conditions = _relations(task["relations"]), _relations(task.get("defined", ()))
    claimed = claimed_set(printed, name)
    proved = [each for each in relations if each[1] == "=" and _is_identity(each)]
    open_ = [each for each in (*relations, *conditions) if each not in proved]

    def holds(at: Any) -> bool:
        return all(_holds(each, {name: at}) for each in open_)

    if isinstance(claimed, sympy.FiniteSet) and not all(map(holds, claimed)):
        return False
    edges = [each for each in claimed.boundary if each.is_finite]
    for relation in open_:
        for each in _edges(relation, name):
            if not any(is_zero(each - known) for known in edges):
                edges.append(each)
    return all(holds(each) == (each in claimed) for each in _samples(edges))


def _relations(stated: Any) -> list[_Relation]:
    return [(_read_task(left), sign, _read_task(right)) for left, sign, right in stated]


def _read_task(text: str) -> Any:
    """An expression that `expression` made: its decimals are in quotation marks."""
    return read_sympy(_plain_decimals(text))


def _plain_decimals(text: str) -> str:
    return re.sub(r"Rational\('([^']*)'\)", r"(\1)", text)


def _unknown(name: str) -> Any:
    return sympy.Symbol(name, real=True)


def _is_identity(relation: _Relation) -> bool:
    left, _, right = relation
    return bool(sympy.simplify(left - right) == 0)


def _edges(relation: _Relation, name: Any) -> Iterator[Any]:
    """Every point at which the relation can become true or false, and maybe others.

    Raises Unclear where it is made of more than polynomials and absolute values.
    """
    left, _, right = relation
    yield from _bends((left - right).rewrite(sympy.Abs), name, depth=0)


def _bends(difference: Any, name: Any, depth: int) -> Iterator[Any]:
    """Zeros of numerator and denominator, with each absolute value as either of its signs."""
    bent = [each for each in difference.atoms(sympy.Abs, sympy.sign) if each.has(name)]
    innermost = [each for each in bent if not each.args[0].has(sympy.Abs, sympy.sign)]
    if not innermost:
        for part in sympy.fraction(sympy.together(difference)):
            yield from _roots(part, name)
        return
    if depth >= MAX_BENDS:
        raise Unclear
    each = min(innermost, key=str)
    yield from _bends(each.args[0], name, depth)
    for sign in (1, -1):
        straight = sign * each.args[0] if isinstance(each, sympy.Abs) else sympy.Integer(sign)
        yield from _bends(difference.xreplace({each: straight}), name, depth + 1)


def _roots(polynomial: Any, name: Any) -> list[Any]:
    if not polynomial.has(name):
        return []
    if not polynomial.is_polynomial(name) or polynomial.free_symbols != {name}:
        raise Unclear
    poly = sympy.Poly(polynomial, name)
    return [] if poly.is_zero else list(dict.fromkeys(sympy.real_roots(poly)))


def _samples(edges: list[Any]) -> Iterator[Any]:
    ordered = sorted(edges, key=lambda each: sympy.N(each, 30))
    yield from ordered
    if not ordered:
        yield sympy.Integer(0)
        return
    yield sympy.floor(ordered[0]) - 1
    yield sympy.ceiling(ordered[-1]) + 1
    for low, high in pairwise(ordered):
        yield sympy.Rational(str(sympy.N((low + high) / 2, 25)))


def _holds(relation: _Relation, at: dict[Any, Any]) -> bool:
    left, sign, right = relation
    difference = (left - right).subs(at)
    if difference.free_symbols:
        raise Unclear
    number = sympy.N(difference, 40)
    if not number.is_finite or not number.is_real:
        return False
    zero = is_zero(difference)
    if sign in ("=", "!="):
        return zero == (sign == "=")
    if zero:
        return sign in ("<=", ">=")
    return bool(number < 0) == (sign in ("<", "<="))


def _part_of_system(
    residues: list[Any], unknowns: list[Any], wanted: list[str], printed: str
) -> bool:
    if _how_many(residues, unknowns) != 1:
        raise Unclear
    [whole] = sympy.linsolve(residues, unknowns)
    known = dict(zip(map(str, unknowns), whole, strict=True))
    [found] = solutions(printed)
    if set(found) == {""} and len(wanted) == 1:
        found = {wanted[0]: found[""]}
    if not set(wanted) <= set(found) <= set(known):
        raise Unclear
    return all(is_zero(known[name] - each) for name, each in found.items())


def _for(wanted: list[Any], solution: dict[str, Any]) -> dict[Any, Any]:
    if set(solution) == {""} and len(wanted) == 1:
        return {wanted[0]: solution[""]}
    if set(solution) != {str(name) for name in wanted}:
        raise Unclear
    return {name: solution[str(name)] for name in wanted}


def _how_many(residues: list[Any], wanted: list[Any]) -> int:
    """Solutions there are. Raises Unclear where they cannot be counted."""
    matrix, constants = sympy.linear_eq_to_matrix(residues, wanted)
    rank, whole = matrix.rank(), matrix.row_join(constants).rank()
    if rank < whole:
        return 0
    if rank == len(wanted):
        return 1
    raise Unclear


# --- values, functions, limits --------------------------------------------------------------------


def _value(task: dict[str, Any], printed: str) -> bool:
    value = _read_task(task["expression"])
    if is_undefined(_plain_decimals(task["expression"])):
        return printed.strip() == "undefined"
    if not value.is_finite or (not value.is_real and _has_odd_root(value)):
        raise Unclear
    return printed.strip() != "undefined" and is_zero(value - single(printed))


def _has_odd_root(value: Any) -> bool:
    """Return whether a complex root was taken where people may mean the real one, as -2 of -8."""
    roots = (each.exp for each in value.atoms(sympy.Pow))
    return any(each.is_Rational and each.q % 2 == 1 and each.q > 1 for each in roots)


def _quantity(task: dict[str, Any], printed: str) -> bool:
    wanted = sympy.N(sympy.Rational(task["value"]), 30)
    found = sympy.N(quantity(printed, task["units"]), 30)
    return _near(wanted, found, printed, abs(wanted) or 1)


def _derivative(task: dict[str, Any], printed: str) -> bool:
    function = _function(task["expression"], task["unknown"])
    claimed = _function(single(printed), task["unknown"])
    return _agree(lambda x: mpmath.diff(function, x), claimed, printed, function)


def _integral(task: dict[str, Any], printed: str) -> bool:
    function = _function(task["expression"], task["unknown"])
    if not task["bounds"]:
        claimed = _function(antiderivative(printed), task["unknown"])
        return _agree(lambda x: mpmath.diff(claimed, x), function, printed, function)
    low, high = (mpmath.mpf(sympy.N(_read_task(bound), 30)) for bound in task["bounds"])
    if not (mpmath.isfinite(low) and mpmath.isfinite(high)):
        raise Unclear
    numeric, error = mpmath.quad(function, [low, high], error=True)
    size = abs(high - low) * max(abs(function(low + (high - low) * n / 7)) for n in range(1, 7))
    if error > _CLOSE * min(1, size):
        raise Unclear
    claim = mpmath.mpf(sympy.N(single(printed), 30))
    return _near(numeric, claim, printed, max(abs(numeric), min(1, size)))


def _function(expression: Any, unknown: str) -> Callable[[Any], Any]:
    """Return the expression as a function of mpmath's numbers. No code is generated from it."""
    read = _read_task(expression) if isinstance(expression, str) else expression
    name = _unknown(unknown)
    if not isinstance(read, sympy.Expr) or read.free_symbols - {name}:
        raise Unclear

    def function(x: Any) -> Any:
        digits = mpmath.mp.dps + 5
        number = read.evalf(digits, subs={name: sympy.Float(x, digits)})
        if not number.is_number or not number.is_finite:
            raise ValueError
        return mpmath.mpmathify(number)

    return function


def _agree(
    one: Callable[[Any], Any],
    other: Callable[[Any], Any],
    printed: str,
    measure: Callable[[Any], Any],
) -> bool:
    """Two functions, at those of a few points where both are real; `measure` is of their size."""
    seen = 0
    for _ in range(_POINTS):
        point = mpmath.mpf(_RANDOM.randrange(-3 * 10**12, 3 * 10**12)) / 10**12
        try:
            pair = one(point), other(point)
            size = max(abs(pair[0]), min(1, abs(measure(point))))
        except (ValueError, ZeroDivisionError):
            continue
        if any(mpmath.im(each) for each in pair):
            continue
        if not _near(*pair, printed, size):
            return False
        seen += 1
    if seen < 2:
        raise Unclear
    return True


def _limit(task: dict[str, Any], printed: str) -> bool:
    """The value, followed up to a point from each side that counts, is compared with the claim."""
    point, side = _read_task(task["point"]), task.get("side", "")
    sides = ("-", "+") if not side and point.is_finite else (side or "-",)
    found = [_approach(task, point, each) for each in sides]
    if len(found) == 2 and () in found:  # it is defined on one side alone
        found = [each for each in found if each]
    if not found or () in found:
        raise Unclear
    missing = re.fullmatch(
        r"the limit does not exist(?:: (.+) from the left, (.+) from the right)?", printed.strip()
    )
    if missing is None:
        claimed = _limit_value(printed)
        return all(_leads_to(each, claimed) for each in found)
    if missing[1] is None or len(found) < 2:
        raise Unclear
    left, right = map(_limit_value, missing.groups())
    return _leads_to(found[0], left) and _leads_to(found[1], right) and left != right


def _limit_value(written: str) -> Any:
    infinite = {"infinity": sympy.oo, "-infinity": -sympy.oo}
    return infinite[written.strip()] if written.strip() in infinite else single(written)


def _approach(task: dict[str, Any], point: Any, side: str) -> tuple[Any, ...]:
    """Values ever nearer to the point; empty where the function is not real there."""
    function, name = _read_task(task["expression"]), _unknown(task["unknown"])
    values = []
    for digits in (6, 12, 24, 48):
        step = sympy.Rational(_RANDOM.randrange(500, 1_000), 1_000) / 10**digits
        if point.is_finite:
            at = point + (step if side == "+" else -step)
        else:
            at = 1 / step if point == sympy.oo else -1 / step
        value = function.evalf(60, subs={name: at}, maxn=600)
        if not value.is_number or not value.is_finite or not value.is_real:
            return ()
        values.append(value)
    return tuple(values)


def _leads_to(values: tuple[Any, ...], claimed: Any) -> bool:
    """Raises Unclear where the values come near to nothing that fast."""
    if claimed in (sympy.oo, -sympy.oo):
        signed = [each if claimed == sympy.oo else -each for each in values]
        if all(b > 1.5 * a > 0 for a, b in pairwise(signed)) and signed[-1] > 50:
            return True
    elif claimed.is_finite:
        far = [abs(sympy.N(each - claimed, 60)) for each in values]
        if all(b <= a / 100 or b < 1e-55 for a, b in pairwise(far)) and far[-1] < 1e-12:
            return True
    before, last = values[-2:]
    if abs(before - last) <= abs(last) * 1e-9 + 1e-12 or all(
        abs(b) > 1.5 * abs(a) for a, b in pairwise(values)
    ):
        return False  # it settles on something else
    raise Unclear


def _integers(task: dict[str, Any], printed: str) -> bool:
    numbers: list[int] = task["numbers"]
    said = printed.strip().lower()
    match task["what"]:
        case "gcd":
            return bool(single(printed) == gcd(*numbers))
        case "lcm":
            return bool(single(printed) == lcm(*numbers))
        case "divisors":
            [number] = numbers
            return bool(single(printed) == sum(number % n == 0 for n in range(1, number + 1)))
        case "prime":
            if said.rstrip(".") not in ("yes", "no", "true", "false"):
                raise Unclear
            return (said.rstrip(".") in ("yes", "true")) == _is_prime(numbers[0])
        case "factors":
            return _is_factored(said, numbers[0])
    raise Unclear


def _is_prime(number: int) -> bool:
    return number > 1 and all(number % n for n in range(2, int(number**0.5) + 1))


def _is_factored(said: str, number: int) -> bool:
    text = re.sub(r"\s", "", said).replace("^", "**")
    if re.fullmatch(r"\{\d+:\d+(?:,\d+:\d+)*\}", text):
        text = text.strip("{}").replace(":", "**").replace(",", "*")
    if not re.fullmatch(r"\d+(?:\*\*\d+)?(?:\*\d+(?:\*\*\d+)?)*", text):
        raise Unclear
    product = 1
    for base, power in re.findall(r"(\d+)(?:\*\*(\d+))?", text):
        if not _is_prime(int(base)):
            return False
        product *= int(base) ** min(int(power or 1), 200)
    return product == number


def _near(one: Any, other: Any, printed: str, size: Any) -> bool:
    """Return whether two numbers agree: as computed, or as rounded where one was printed."""
    close = _ROUNDED if "." in printed else _CLOSE
    return bool(abs(one - other) <= close * size)


_TESTS: dict[str, Callable[[dict[str, Any], str], bool]] = {
    "equations": _equations,
    "inequality": _one_unknown,
    "value": _value,
    "quantity": _quantity,
    "derivative": _derivative,
    "integral": _integral,
    "limit": _limit,
    "integers": _integers,
}


def main(request: str) -> None:
    """Prints the verdict on, and the LaTeX of, what a JSON object tells."""
    asked = json.loads(request)
    printed, task = asked["printed"], asked.get("task")
    said = {
        "verdict": judge(task, printed) if task else NONE,
        "latex": typeset(printed),
        "same": same(printed, asked["expected"]) if "expected" in asked else None,
    }
    print(json.dumps(said))
