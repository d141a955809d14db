"""Puts a printed answer to the test. A program of its own: it is read as text and run in the
sandbox, for what it looks at was written by a program of a model's.

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
from typing import Any

import mpmath
import sympy
from sympy.parsing.sympy_parser import parse_expr

from inference.maths.printed import Unclear, is_zero, region, same, single, solutions, typeset

NONE, VERIFIED, REFUTED = "none", "verified", "refuted"
_CLOSE = 1e-9
_POINTS = ("0.7310585", "1.2837422", "-0.3728191", "2.0391823", "-1.7719283")

mpmath.mp.dps = 30


def judge(task: dict[str, Any], printed: str) -> str:
    """Whether `printed` answers `task`."""
    try:
        return VERIFIED if _TESTS[task["kind"]](task, printed) else REFUTED
    except Exception:
        return NONE


# --- the tests ---------------------------------------------------------------------------------


def _equations(task: dict[str, Any], printed: str) -> bool:
    pairs = [(parse_expr(left), parse_expr(right)) for left, _, right in task["relations"]]
    wanted = [sympy.Symbol(name) for name in task["unknowns"]]
    residues = [left - right for left, right in pairs]
    if "wanted" in task:
        return _part_of_system(residues, wanted, task["wanted"], printed)
    found = [_for(wanted, solution) for solution in solutions(printed)]
    if not all(is_zero(residue.subs(each)) for each in found for residue in residues):
        return False
    return len({tuple(map(str, each.values())) for each in found}) == _how_many(residues, wanted)


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
    """Real solutions there are. Raises Unclear where they cannot be counted."""
    if len(wanted) == 1 and len(residues) == 1:
        upper, lower = sympy.fraction(sympy.together(residues[0]))
        if not upper.is_polynomial(wanted[0]) or not lower.is_polynomial(wanted[0]):
            raise Unclear
        if lower.has(wanted[0]) or not upper.has(wanted[0]):
            raise Unclear
        return len(set(sympy.real_roots(sympy.Poly(upper, wanted[0]))))
    matrix, constants = sympy.linear_eq_to_matrix(residues, wanted)
    if matrix.rank() == matrix.row_join(constants).rank() == len(wanted):
        return 1
    raise Unclear


def _inequality(task: dict[str, Any], printed: str) -> bool:
    """Compared at every point where it can change, and between each two of them."""
    name = sympy.Symbol(task["unknowns"][0])
    claimed = region(printed)
    claimed = claimed.subs(dict.fromkeys(claimed.free_symbols, name))
    relations = [
        (parse_expr(left), sign, parse_expr(right)) for left, sign, right in task["relations"]
    ]
    edges = {each for each in claimed.boundary if each.is_finite}
    for left, _, right in relations:
        upper, lower = sympy.fraction(sympy.together(left - right))
        for part in (upper, lower):
            if not part.is_polynomial(name):
                raise Unclear
            edges.update(sympy.real_roots(sympy.Poly(part, name)) if part.has(name) else ())
    return all(_holds(relations, name, each) == (each in claimed) for each in _samples(edges))


def _samples(edges: set[Any]) -> Iterator[Any]:
    ordered = sorted(edges, key=sympy.N)
    yield from ordered
    if not ordered:
        yield sympy.Integer(0)
        return
    yield sympy.floor(ordered[0]) - 1
    yield sympy.ceiling(ordered[-1]) + 1
    for low, high in pairwise(ordered):
        yield (low + high) / 2


def _holds(relations: list[tuple[Any, str, Any]], name: Any, at: Any) -> bool:
    return all(
        bool(_COMPARE[sign](sympy.simplify((left - right).subs(name, at))))
        for left, sign, right in relations
    )


_COMPARE: dict[str, Callable[[Any], Any]] = {
    "<": lambda difference: difference < 0,
    "<=": lambda difference: difference <= 0,
    ">": lambda difference: difference > 0,
    ">=": lambda difference: difference >= 0,
}


def _value(task: dict[str, Any], printed: str) -> bool:
    return is_zero(parse_expr(task["expression"]) - single(printed))


def _quantity(task: dict[str, Any], printed: str) -> bool:
    return _near(sympy.N(sympy.Rational(task["value"]), 30), sympy.N(single(printed), 30))


def _derivative(task: dict[str, Any], printed: str) -> bool:
    name = sympy.Symbol(task["unknown"])
    function = sympy.lambdify(name, parse_expr(task["expression"]), "mpmath")
    claimed = sympy.lambdify(name, single(printed), "mpmath")
    return _agree(lambda x: mpmath.diff(function, x), claimed)


def _integral(task: dict[str, Any], printed: str) -> bool:
    name = sympy.Symbol(task["unknown"])
    function = sympy.lambdify(name, parse_expr(task["expression"]), "mpmath")
    if not task["bounds"]:
        claimed = sympy.lambdify(name, single(printed), "mpmath")
        return _agree(lambda x: mpmath.diff(claimed, x), function)
    low, high = (mpmath.mpf(sympy.N(parse_expr(bound), 30)) for bound in task["bounds"])
    if not (mpmath.isfinite(low) and mpmath.isfinite(high)):
        raise Unclear
    numeric, error = mpmath.quad(function, [low, high], error=True)
    if error > _CLOSE:
        raise Unclear
    return _near(numeric, mpmath.mpf(sympy.N(single(printed), 30)))


def _agree(one: Callable[[Any], Any], other: Callable[[Any], Any]) -> bool:
    """Two functions, at those of a few points where both are real."""
    seen = 0
    for point in _POINTS:
        try:
            pair = one(mpmath.mpf(point)), other(mpmath.mpf(point))
        except (ValueError, ZeroDivisionError):
            continue
        if any(mpmath.im(each) for each in pair):
            continue
        if not _near(*pair):
            return False
        seen += 1
    if seen < 2:
        raise Unclear
    return True


def _limit(task: dict[str, Any], printed: str) -> bool:
    name, point = sympy.Symbol(task["unknown"]), parse_expr(task["point"])
    function = sympy.lambdify(name, parse_expr(task["expression"]), "mpmath")
    claimed = mpmath.mpf(sympy.N(single(printed), 30))
    step = mpmath.mpf("1e-9")
    near = [1 / step] if point == sympy.oo else [point + step, point - step]
    found = [function(mpmath.mpf(sympy.N(each, 30))) for each in near]
    if not mpmath.isfinite(claimed) or abs(found[0] - found[-1]) > 1e-5:
        raise Unclear
    far = max(abs(each - claimed) for each in found)
    if 1e-5 < far < 1e-2:
        raise Unclear
    return bool(far <= 1e-5)


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


def _near(one: Any, other: Any) -> bool:
    return bool(abs(one - other) <= _CLOSE * max(1, abs(one)))


_TESTS: dict[str, Callable[[dict[str, Any], str], bool]] = {
    "equations": _equations,
    "inequality": _inequality,
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
