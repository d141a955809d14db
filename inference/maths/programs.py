"""Programs for sympy, made of checked expressions: what a person sees run, and may download.

Each prints its result in the form that `judge` reads: `x = 7/2` for an unknown, a line for each
solution; a value alone otherwise.
"""

import re
from collections.abc import Callable, Collection, Sequence

from inference.maths.expression import NotMathematics, expression, names, relation

Form = Callable[[tuple[str, ...], dict[str, str]], str]

_HEAD = "from sympy import *\n\n"
_RANGE = re.compile(r"\s*(-?\d{1,9})\s*\.\.\.?\s*(-?\d{1,9})\s*")
_MOST_CASES = 5_000_000


def solve(texts: tuple[str, ...], options: dict[str, str]) -> str:
    """Equations and inequalities, and what is to be found as further texts or as `find`."""
    stated = [text for text in texts if re.search("[=<>]", text)]
    wanted = [text.strip() for text in texts if text not in stated] + _listed(options)
    if not stated:
        raise NotMathematics("solve takes equations or inequalities")
    relations = [relation(text) for text in stated]
    unknowns = names(*(side for left, _, right in relations for side in (left, right)))
    wanted = [name for name in dict.fromkeys(wanted) if name in unknowns]
    if not unknowns:
        raise NotMathematics(f"there is no unknown in {', '.join(stated)}")
    if any(sign != "=" for _, sign, _ in relations):
        return _inequalities(relations, wanted or unknowns)
    if len(relations) == 1:
        return _equation(relations[0], unknowns, (wanted or unknowns)[0])
    return _system(relations, unknowns, wanted or unknowns)


def roots(texts: tuple[str, ...], options: dict[str, str]) -> str:
    return solve(tuple(text if "=" in text else f"{text} = 0" for text in texts[:1]), options)


def _listed(options: dict[str, str]) -> list[str]:
    return [name for text in options.values() for name in re.findall(r"\w+", text)]


def _symbols(unknowns: Sequence[str], real: bool = True) -> str:
    listed = ", ".join(unknowns)
    assumed = ", real=True" if real else ""
    return f"{listed} = symbols({' '.join(unknowns)!r}{assumed})\n"


def _equation(stated: tuple[str, str, str], unknowns: Sequence[str], wanted: str) -> str:
    left, _, right = stated
    return (
        f"{_HEAD}{_symbols(unknowns)}"
        f"equation = Eq({left}, {right})\n"
        f"solutions = solve(equation, {wanted})\n"
        f'print("\\n".join(f"{wanted} = {{value}}" for value in solutions) or "no solution")\n'
    )


def _system(
    relations: Sequence[tuple[str, str, str]], unknowns: Sequence[str], wanted: Sequence[str]
) -> str:
    equations = "".join(f"    Eq({left}, {right}),\n" for left, _, right in relations)
    shown = ", ".join(f"{name} = {{solution.get({name}, {name})}}" for name in wanted)
    return (
        f"{_HEAD}{_symbols(unknowns)}"
        f"equations = [\n{equations}]\n"
        f"solutions = solve(equations, [{', '.join(unknowns)}], dict=True)\n"
        f'print("\\n".join(f"{shown}" for solution in solutions) or "no solution")\n'
    )


def _inequalities(relations: Sequence[tuple[str, str, str]], wanted: Sequence[str]) -> str:
    if len(wanted) != 1:
        raise NotMathematics("an inequality is solved for one unknown")
    [name] = wanted
    sides = (
        f"({left}) {'==' if sign == '=' else sign} ({right})" for left, sign, right in relations
    )
    conditions = "".join(f"    {side},\n" for side in sides)
    return (
        f"{_HEAD}{_symbols([name])}"
        f"conditions = [\n{conditions}]\n"
        f"sets = [solve_univariate_inequality(each, {name}, relational=False)"
        " for each in conditions]\n"
        f'print("{name} in", Intersection(*sets))\n'
    )


def calculate(value: str) -> str:
    """Of numbers alone; with unknowns it is simplified."""
    unknowns = names(value)
    head = _HEAD + (_symbols(unknowns) if unknowns else "")
    return f"{head}print(simplify({value}))\n"


def remainder(texts: tuple[str, ...], _options: dict[str, str]) -> str:
    values = [expression(text) for text in texts[:2]]
    value = values[0] if len(values) == 1 else f"({values[0]}) % ({values[1]})"
    return f"print({value})\n" if not re.search("[A-Za-z]", value) else f"{_HEAD}print({value})\n"


def derivative(texts: tuple[str, ...], options: dict[str, str]) -> str:
    """Of an expression, by an unknown; then how many times, or at which point."""
    value, name = _with_unknown(texts)
    head = f"{_HEAD}{_symbols([*dict.fromkeys([*names(value), name])], real=False)}"
    order = texts[2] if len(texts) > 2 and re.fullmatch(r"[1-9]", texts[2].strip()) else "1"
    result = f"diff({value}, {name}, {order})" if order != "1" else f"diff({value}, {name})"
    if at := options.get("at"):
        result += f".subs({name}, {expression(at)})"
    return f"{head}print(simplify({result}))\n"


def integral(texts: tuple[str, ...], _options: dict[str, str]) -> str:
    value, name = _with_unknown(texts)
    bounds = [expression(text) for text in texts[2:4]]
    head = f"{_HEAD}{_symbols([*dict.fromkeys([*names(value), name])], real=False)}"
    if len(bounds) == 2:
        return f"{head}print(simplify(integrate({value}, ({name}, {bounds[0]}, {bounds[1]}))))\n"
    return f'{head}print(f"{{integrate({value}, {name})}} + C")\n'


def limit(texts: tuple[str, ...], options: dict[str, str]) -> str:
    value, name = _with_unknown(texts)
    point = expression(texts[2] if len(texts) > 2 else options.get("at", "0"))
    side = {"+": ', "+"', "-": ', "-"'}.get(texts[3].strip() if len(texts) > 3 else "", "")
    head = f"{_HEAD}{_symbols([*dict.fromkeys([*names(value), name])], real=False)}"
    return f"{head}print(limit({value}, {name}, {point}{side}))\n"


def _with_unknown(texts: tuple[str, ...]) -> tuple[str, str]:
    if not texts:
        raise NotMathematics("an expression is missing")
    value = expression(texts[0])
    name = texts[1].strip() if len(texts) > 1 else next(iter(names(value)), "x")
    if not re.fullmatch(r"[A-Za-z]\w*", name):
        raise NotMathematics(f"{name!r} is not the name of an unknown")
    return value, name


def rewrite(how: str, value: str) -> str:
    return f"{_HEAD}{_symbols(names(value) or ['x'])}print({how}({value}))\n"


def of_integers(function: str, values: Sequence[str]) -> str:
    return f"from math import {function}\n\nprint({function}({', '.join(values)}))\n"


def is_prime(value: str) -> str:
    return f'{_HEAD}print("yes" if isprime({value}) else "no")\n'


def prime_factors(value: str) -> str:
    return (
        f"{_HEAD}factors = factorint({value})\n"
        'print(" * ".join(f"{prime}**{power}" for prime, power in factors.items()))\n'
    )


def divisors(value: str) -> str:
    return f"{_HEAD}print(divisor_count({value}))\n"


def chance(texts: tuple[str, ...], options: dict[str, str]) -> str:
    """A condition on names that each take every value of a range with the same chance."""
    condition, loops, _ = _cases(texts, options, "chance")
    return (
        f"from fractions import Fraction\n\n"
        f"cases = [bool({condition}) {loops}]\n"
        "print(Fraction(sum(cases), len(cases)))\n"
    )


def count(texts: tuple[str, ...], options: dict[str, str]) -> str:
    condition, loops, _ = _cases(texts, options, "count")
    return f"print(sum(1 {loops} if {condition}))\n"


def _cases(
    texts: tuple[str, ...], options: dict[str, str], name: str
) -> tuple[str, str, list[str]]:
    ranges = {key: _RANGE.fullmatch(text) for key, text in options.items()}
    if len(texts) != 1 or not ranges or None in ranges.values():
        raise NotMathematics(f'{name} takes a condition and ranges, as a="1..6"')
    conditions = [_condition(part, ranges) for part in re.split(r"\band\b|,", texts[0])]
    loops, cases = [], 1
    for key, found in ranges.items():
        low, high = (int(found[n]) for n in (1, 2)) if found else (0, 0)
        cases *= max(high - low + 1, 0)
        loops.append(f"for {key} in range({low}, {high + 1})")
    if not 0 < cases <= _MOST_CASES:
        raise NotMathematics(f"{name} has {cases:,} cases")
    return " and ".join(conditions), " ".join(loops), list(ranges)


def _condition(text: str, known: Collection[str]) -> str:
    left, sign, right = relation(text)
    if unknown := set(names(left, right)) - set(known):
        raise NotMathematics(f"{', '.join(sorted(unknown))} has no range")
    condition = f"{left} {'==' if sign == '=' else sign} {right}"
    if re.search(r"\b(?:Rational|Integer|sqrt|pi|E)\b", condition):
        raise NotMathematics(f"{text!r} is not a condition on integers")
    return condition


def plot(texts: tuple[str, ...], _options: dict[str, str]) -> str:
    """Between two bounds; without them around its zeros, or from -10 to 10."""
    value, name = _with_unknown(texts)
    bounds = [expression(text) for text in texts[2:4]]
    return (
        "import matplotlib.pyplot as plt\n"
        "import numpy as np\n"
        f"{_HEAD}{_symbols([name])}"
        f"{_between(*bounds) if len(bounds) == 2 else _around_zeros(value, name)}"
        f'function = lambdify({name}, {value} + 0*{name}, "numpy")\n'
        "plt.plot(values, function(values))\n"
        'plt.axhline(0, color="gray", linewidth=1)\n'
        f'plt.xlabel("{name}")\n'
        f"plt.title(str({value}))\n"
        "plt.grid(True)\n"
        "plt.show()\n"
    )


def _between(low: str, high: str) -> str:
    return f"values = np.linspace(float({low}), float({high}), 800)\n"


def _around_zeros(value: str, name: str) -> str:
    return (
        f"zeros = solveset({value}, {name}, S.Reals)\n"
        "zeros = sorted(map(float, zeros)) if isinstance(zeros, FiniteSet) else []\n"
        "low, high = (zeros[0], zeros[-1]) if zeros else (-10, 10)\n"
        "margin = max(2, high - low) if zeros else 0\n"
        "values = np.linspace(low - margin, high + margin, 800)\n"
    )


def plot_data(texts: tuple[str, ...], _options: dict[str, str]) -> str:
    """A file of comma-separated values: its numbers over its first column, or over those named."""
    name, *columns = texts or ("",)
    if not name or len(columns) > 8:
        raise NotMathematics("plot_data takes a file's name, then names of columns")
    return (
        "import csv\n\n"
        "import matplotlib.pyplot as plt\n\n"
        f"with open({name!r}, encoding='utf-8-sig') as file:\n"
        "    rows = list(csv.DictReader(file))\n"
        f"first, *others = {columns!r} or list(rows[0])\n"
        "for column in others:\n"
        "    try:\n"
        "        values = [float(row[column].replace(',', '')) for row in rows]\n"
        "    except ValueError:\n"
        "        continue  # words\n"
        "    plt.plot([row[first] for row in rows], values, marker='o', label=column)\n"
        "plt.xlabel(first)\n"
        "plt.xticks(rotation=45)\n"
        "plt.legend()\n"
        "plt.tight_layout()\n"
        "plt.show()\n"
    )
