"""Parses what a program printed as mathematics, typesets it and compares it.

Part of the verifier: it runs in the sandbox too. `sympy_reader` makes sympy objects of the text,
which is never evaluated as code.
"""

import re
from collections.abc import Collection
from typing import Any

import sympy

from inference.maths.sympy_reader import NotAnExpression, read_sympy

# A number and its unit. sympy writes a product as `2*x`, so `2 x` is none.
_QUANTITY = re.compile(
    r"(-?[\d.]+(?:e[+-]?\d+)?) ((?!and\b|or\b)(?:[^\W\d_]|°)(?:[^\d=+(),*]|(?:\^|\*\*)-?\d|\*)*)"
)


class Unclear(Exception):
    """Neither true nor false, as far as can be seen here."""


def value(text: str) -> Any:
    """One value: a number, an expression, a set. Decimals are taken as exact. Raises Unclear."""
    try:
        return read_sympy(text.strip().rstrip("."))
    except NotAnExpression as error:
        raise Unclear from error


def solutions(printed: str) -> list[dict[str, Any]]:
    """Format solutions as `x = 2` or `x = 1, y = 3`, one a line, from a list or mapping that sympy
    prints.

    An unnamed value has the name "". Raises Unclear.
    """
    text = printed.strip()
    if re.fullmatch(r"no (?:real )?solutions?\.?", text, re.IGNORECASE):
        return []
    lines = [line for line in text.splitlines() if line.strip()]
    if all(_ASSIGNED.fullmatch(line) for line in lines):
        return _apart([pair for line in lines for pair in _parse_assignments(line)])
    if len(lines) != 1:
        return [{"": value(line)} for line in lines]
    found = value(lines[0])
    several = list(found) if isinstance(found, list | tuple | sympy.FiniteSet) else [found]
    return [_as_named_values(each) for each in several]


_ASSIGNED = re.compile(r"\s*(?:[A-Za-z]\w*\s*=\s*[^=<>]+?\s*(?:,\s*(?=[A-Za-z]\w*\s*=)|$))+")


def _parse_assignments(line: str) -> list[tuple[str, Any]]:
    pairs = re.split(r",\s*(?=[A-Za-z]\w*\s*=)", line)
    split = [pair.split("=", 1) for pair in pairs]
    return [(name.strip(), value(text)) for name, text in split]


def _apart(pairs: list[tuple[str, Any]]) -> list[dict[str, Any]]:
    """A name that comes again begins another solution."""
    found: list[dict[str, Any]] = [{}]
    for name, each in pairs:
        if name in found[-1]:
            found.append({})
        found[-1][name] = each
    return found


def _as_named_values(found: Any) -> dict[str, Any]:
    if isinstance(found, dict):
        return {str(name): each for name, each in found.items()}
    return {"": found}


def claimed_set(printed: str, unknown: Any = None) -> Any:
    """The real numbers for which something is said to hold: `x in Interval(…)`, relations, words
    as `true for all real x except x = 0`, or single values. Without `unknown`, of any unknown.

    Raises Unclear.
    """
    text, name = printed.strip().rstrip("."), str(unknown) if unknown else "[A-Za-z]"
    if everywhere := re.fullmatch(rf"true for all real ({name})(?: except (.+))?", text):
        but = solutions(everywhere[2] or "no solution")
        points = [_only(each, everywhere[1]) for each in but]
        if not all(each.is_real for each in points):
            raise Unclear
        return sympy.S.Reals - sympy.FiniteSet(*points)
    text = text.removeprefix("true for all ")
    if within := re.match(rf"{name} in (?=\S)", text):
        text = text[within.end() :]
        if text[0] in "[(":  # these are two points in sympy and an interval elsewhere
            raise Unclear
    if re.search(r"[<>!]|Interval|Union|Reals|EmptySet", text):
        found = value(_with_double_signs(text))
        if len(found.free_symbols) > 1 or (unknown and found.free_symbols - {unknown}):
            raise Unclear
        return found if isinstance(found, sympy.Set) else found.as_set()
    points = [_only(each, name) for each in solutions(text)]
    if any(each.free_symbols or not each.is_real for each in points):
        raise Unclear
    return sympy.FiniteSet(*points)


def _only(solution: dict[str, Any], unknown: str) -> Any:
    """The value of the unknown, which may stand without its name."""
    [(name, found)] = solution.items()
    if name and not re.fullmatch(unknown, name):
        raise Unclear
    return found


def single(printed: str) -> Any:
    """The only value in it. A word behind a number may change it. Raises Unclear."""
    found = solutions(printed)
    if len(found) != 1 or len(found[0]) != 1:
        raise Unclear
    return next(iter(found[0].values()))


def quantity(printed: str, units: Collection[str]) -> Any:
    """The only value in it, with one of `units` behind it or none. Raises Unclear."""
    found = _QUANTITY.fullmatch(printed.strip())
    if found is None:
        return single(printed)
    if _normalize_unit(found[2]) not in set(map(_normalize_unit, units)):
        raise Unclear
    return value(found[1])


def _normalize_unit(unit: str) -> str:
    return re.sub(r"\s", "", unit.strip().rstrip(".")).replace("^", "**")


def antiderivative(printed: str) -> Any:
    """The only value in it, with a constant or none. Raises Unclear."""
    return single(re.sub(r"\s*\+\s*C\.?\s*\Z", "", printed))


def is_zero(difference: Any) -> bool:
    """Return whether it is, as near as can be computed, beside what it is a sum of."""
    if difference.free_symbols:
        return bool(sympy.simplify(difference) == 0)
    if difference.is_Rational:
        return bool(difference == 0)
    if difference.is_Mul:
        return any(map(is_zero, difference.args))
    if isinstance(difference, sympy.exp) or (difference.is_Pow and difference.base == sympy.E):
        return False
    most = 1.0
    if difference.is_Add:
        most = min(1, max(abs(sympy.N(each, 15)) for each in difference.args))
    return bool(abs(sympy.N(difference, 40)) < 1e-25 * most)


# --- how it is typeset, and compared -------------------------------------------------------------


def typeset(printed: str) -> str:
    """LaTeX of a short printed answer; empty where it is none."""
    text = printed.strip()
    if len(text.splitlines()) > 6 or len(text) > 300:
        return ""
    try:
        return _typeset(text)
    except Exception:  # anything may be in the text, and sympy raises anything
        return ""


def _typeset(text: str) -> str:
    if decimal := re.fullmatch(r"((?:\w+ = )?-?\d+)(\.\d+)?", text):
        return decimal[1] + ("" if set(decimal[2] or "0") <= {".", "0"} else decimal[2])
    if re.fullmatch(r"[A-Za-z ]{2,}\.?", text):
        return ""  # words
    if re.fullmatch(r"\d+(?:\*\*\d+)?(?: \* \d+(?:\*\*\d+)?)+", text):
        return re.sub(r"\*\*(\d+)", r"^{\1}", text).replace(" * ", r" \times ")
    if text.endswith(" + C"):
        return f"{sympy.latex(value(text.removesuffix(' + C')))} + C"
    return _typeset_set(text) or _typeset_values(text)


def _typeset_set(text: str) -> str:
    """Typeset a set that has a name or several relations; a single relation reads well as it is."""
    if within := re.fullmatch(r"(\w+) in (.+)", text):
        return f"{within[1]} \\in {sympy.latex(value(within[2]))}"
    if not re.search(r"[<>].*[<>]| or ", text):
        return ""
    [name] = value(_with_double_signs(text)).free_symbols
    return f"{name} \\in {sympy.latex(claimed_set(text))}"


def _typeset_values(text: str) -> str:
    found = solutions(text)
    if any(_is_infinite(each) for one in found for each in one.values()):
        return ""  # that is said in words
    said = (", ".join(_pair(name, each) for name, each in one.items()) for one in found)
    return r";\quad ".join(said) + _roughly(text)


def _with_double_signs(text: str) -> str:
    return re.sub(r"(?<![<>=!])=(?!=)", "==", text)


def _is_infinite(found: Any) -> bool:
    return isinstance(found, sympy.Basic) and found.has(sympy.oo, sympy.zoo, sympy.nan)


def _roughly(text: str) -> str:
    """The decimals of an only value that is no whole number."""
    several = solutions(text)
    if len(several) != 1 or len(several[0]) != 1:
        return ""
    [found] = several[0].values()
    if found.free_symbols or found.is_integer or not found.is_real:
        return ""
    return f" \\approx {float(found):.6g}"


def _pair(name: str, found: Any) -> str:
    if not isinstance(found, sympy.Basic):
        raise Unclear
    return f"{name} = {sympy.latex(found)}" if name else str(sympy.latex(found))


def same(printed: str, expected: str) -> bool:
    """Return whether two texts give the same answer, however they are written."""
    try:
        if re.search("[<>]| in |true for", expected):
            return bool(claimed_set(printed) == claimed_set(expected))
        if expected in ("yes", "no"):
            truth = {"true": "yes", "false": "no"}
            said = re.findall(r"[a-z]+", printed.lower())
            return bool(said) and truth.get(said[0], said[0]) == expected
        one, other = _canonical(printed), _canonical(expected)
        return len(one) == len(other) and all(
            any(_alike(each, every) for every in other) for each in one
        )
    except Exception:
        return False


def _canonical(text: str) -> list[list[Any]]:
    """Solutions as their values, in the order of their names."""
    if quantity := _QUANTITY.fullmatch(text.strip()):
        return [[value(quantity[1])]]
    found = solutions(text)
    names = [name for each in found for name in each]
    if len(found) == 1 and len(set(names)) == 1 == len(names):
        return [[found[0][names[0]]]]
    return [[each[name] for name in sorted(each)] for each in found]


def _alike(one: list[Any], other: list[Any]) -> bool:
    return len(one) == len(other) and all(
        is_zero(a - b) or abs(sympy.N(a - b)) < 1e-6 * max(1, abs(sympy.N(b)))
        for a, b in zip(one, other, strict=True)
    )
