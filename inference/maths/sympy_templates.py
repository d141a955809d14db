"""Programs for sympy made of checked expressions, which people see and may download.

Each prints its result in the form that `verifier` reads: `x = 7/2` for an unknown, a line for each
solution; `x < 2 or x > 3`, `true for all real x except x = 0` or `no solution` for a set of
numbers; a value alone otherwise. Infinities, and what has no value, are words.
"""

import ast
import math
import re
from collections.abc import Callable, Collection, Sequence

from inference.maths.expression_parser import (
    NotMathematics,
    conditions,
    expression,
    names,
    plain,
    relation,
    relations,
)

Form = Callable[[tuple[str, ...], dict[str, str]], str]

_HEAD = "from sympy import *\n\n"
_RANGE = re.compile(r"\s*(-?\d{1,9})\s*\.\.\.?\s*(-?\d{1,9})\s*")
_MOST_CASES = 5_000_000
MAX_POINT = 400  # characters
MAX_DIGITS = 20_000  # of a number that is written out


def solve(texts: tuple[str, ...], options: dict[str, str]) -> str:
    """Equations and inequalities, and what is to be found as further texts or as `find`."""
    stated = [text for text in texts if re.search("[=<>]", text)]
    wanted = [text.strip() for text in texts if text not in stated] + _option_names(options)
    if not stated:
        raise NotMathematics("solve takes equations or inequalities")
    found = [each for text in stated for each in relations(text)]
    unknowns = names(*(side for left, _, right in found for side in (left, right)))
    wanted = [name for name in dict.fromkeys(wanted) if name in unknowns]
    if not unknowns:
        raise NotMathematics(f"there is no unknown in {', '.join(stated)}")
    if any(sign != "=" for _, sign, _ in found):
        return _inequalities(found, wanted or unknowns)
    if len(found) > 1:
        return _system(found, unknowns, wanted or unknowns)
    if len(unknowns) > 1:
        return _formula(found[0], unknowns, (wanted or unknowns)[0])
    return _equation(found[0], unknowns[0])


def roots(texts: tuple[str, ...], options: dict[str, str]) -> str:
    return solve(tuple(text if "=" in text else f"{text} = 0" for text in texts[:1]), options)


def _option_names(options: dict[str, str]) -> list[str]:
    return [name for text in options.values() for name in re.findall(r"\w+", text)]


def _symbols(unknowns: Sequence[str], real: bool = True) -> str:
    listed = ", ".join(unknowns)
    assumed = ", real=True" if real else ""
    return f"{listed} = symbols({' '.join(unknowns)!r}{assumed})\n"


def _print_solutions(name: str) -> str:
    return f'print("\\n".join(f"{name} = {{value}}" for value in solutions) or "no solution")\n'


def _formula(stated: tuple[str, str, str], unknowns: Sequence[str], wanted: str) -> str:
    """One of several unknowns, by the others."""
    left, _, right = stated
    return (
        f"{_HEAD}{_symbols(unknowns)}"
        f"left, right = {left}, {right}\n"
        "difference = simplify(left - right)\n"
        "if difference == 0:\n"
        f'    print("true for all real {" and ".join(unknowns)}")\n'
        f"elif not difference.has({wanted}):\n"
        f'    print(f"true for all real {wanted} where {{difference}} = 0")\n'
        "else:\n"
        f"    solutions = solve(Eq(left, right), {wanted})\n"
        f"    {_print_solutions(wanted)}"
    )


_PERIODIC = re.compile(r"\b(?:sin|cos|tan|cot|sec|csc)\(")
_BENT = re.compile(r"\b(?:Abs|sign|floor|ceiling|Min|Max|Mod)\(|%")


def _equation(stated: tuple[str, str, str], name: str) -> str:
    left, _, right = stated
    demands = conditions(left, right)
    if demands or _BENT.search(f"{left} {right}"):
        return _equation_on_domain(stated, name, demands)
    return (
        f"{_HEAD}{_symbols([name])}"
        f"left, right = {left}, {right}\n"
        "if simplify(left - right) == 0:\n"
        f'    print("true for all real {name}")\n'
        "else:\n"
        f"    solutions = solve(Eq(left, right), {name})\n"
        f"    {_print_solutions(name)}"
    )


def _equation_on_domain(
    stated: tuple[str, str, str], name: str, demands: Sequence[tuple[str, str, str]]
) -> str:
    """An equation that is not defined everywhere, or whose solutions may be whole intervals."""
    left, _, right = stated
    periodic = [inner for inner, *_ in demands if _PERIODIC.search(inner)]
    domain = "".join(
        f"    {_RELATION[sign]}({inner}, {bound}),\n"
        for inner, sign, bound in demands
        if inner not in periodic
    )
    where = f" where {' and '.join(f'{each} != 0' for each in periodic)}" if periodic else ""
    kept = " and ".join(f"({each}).subs({name}, value) != 0" for each in periodic)
    found = f"[value for value in found if {kept}]" if kept else "found"
    assumed = {(name, ">", "0"): "positive", (name, ">=", "0"): "nonnegative"}
    sign = next((assumed[each] for each in demands if each in assumed), "real")
    return (
        f"{_HEAD}{_symbols([name])}"
        f"left, right = {left}, {right}\n"
        f"domain = [\n{domain}]\n"
        f"domain = Intersection(S.Reals, *[\n"
        f"    solve_univariate_inequality(each, {name}, relational=False) for each in domain\n])\n"
        f"\n\n{_IN_WORDS.replace('NAME', name)}"
        f"difference = (left - right).subs({name}, symbols({name!r}, {sign}=True))\n"
        "if simplify(expand_log(difference, force=True)) == 0:\n"
        "    words = in_words(domain)\n"
        '    words = words if words.startswith(("true", "no")) else f"true for all {words}"\n'
        f'    print(words + "{where}")\n'
        "else:\n"
        "    try:\n"
        f"        found = solve(Eq(left, right), {name})\n"
        f"        found = FiniteSet(*{found})\n"
        "    except NotImplementedError:\n"
        f"        found = solveset(left - right, {name}, S.Reals)\n"
        "    print(in_words(Intersection(domain, found)))\n"
    )


_RELATION = {"=": "Eq", "!=": "Ne", "<": "Lt", "<=": "Le", ">": "Gt", ">=": "Ge"}

_IN_WORDS = """\
def in_words(found):
    missing = Complement(S.Reals, found)
    if found == S.EmptySet:
        return "no solution"
    if missing == S.EmptySet:
        return "true for all real NAME"
    if isinstance(missing, FiniteSet):
        return "true for all real NAME except " + ", ".join(f"NAME = {each}" for each in missing)
    if isinstance(found, FiniteSet):
        return "\\n".join(f"NAME = {each}" for each in found)
    parts = found.args if isinstance(found, Union) else [found]
    return " or ".join(map(part_in_words, sorted(parts, key=lambda part: part.inf)))


def part_in_words(part):
    if isinstance(part, FiniteSet):
        return " or ".join(f"NAME = {each}" for each in part)
    low, high = ("<" if part.left_open else "<="), ("<" if part.right_open else "<=")
    if part.end == oo:
        return f"NAME {low.replace('<', '>')} {part.start}"
    if part.start == -oo:
        return f"NAME {high} {part.end}"
    return f"{part.start} {low} NAME {high} {part.end}"


"""


def _system(
    stated: Sequence[tuple[str, str, str]], unknowns: Sequence[str], wanted: Sequence[str]
) -> str:
    differences = "".join(f"    {left} - ({right}),\n" for left, _, right in stated)
    listed = ", ".join(unknowns)
    shown = ", ".join(f"{name} = {{solution[{name}]}}" for name in wanted)
    values = ", ".join(f"solution[{name}]" for name in wanted)
    letters = " ".join(each for each in "tsrpquvw" if each not in unknowns)
    demands = conditions(*(side for left, _, right in stated for side in (left, right)))
    where = " and ".join(f"{inner} {sign} {bound}" for inner, sign, bound in demands)
    where = f" where {where}" if where else ""
    return (
        f"{_HEAD}{_symbols(unknowns)}"
        f"differences = [\n{differences}]\n"
        "differences = [each for each in differences if simplify(each) != 0]\n"
        f"solutions = solve(differences, [{listed}], dict=True)\n"
        "if not differences:\n"
        f'    print("true for all real {" and ".join(unknowns)}{where}")\n'
        "elif not solutions:\n"
        '    print("no solution")\n'
        "for solution in solutions:\n"
        f"    free = [name for name in [{listed}] if name not in solution]\n"
        f"    parameters = dict(zip(free, symbols({letters!r}, real=True)))\n"
        "    solution = {name: value.subs(parameters) for name, value in solution.items()}\n"
        "    solution |= parameters\n"
        f"    used = sorted(Tuple({values}).free_symbols, key=str)\n"
        "    if used:\n"
        '        every = " and ".join(map(str, used))\n'
        f'        print(f"infinitely many solutions: {shown} for every real {{every}}{where}")\n'
        "    else:\n"
        f'        print(f"{shown}")\n'
    )


def _inequalities(stated: Sequence[tuple[str, str, str]], wanted: Sequence[str]) -> str:
    if len(wanted) != 1:
        raise NotMathematics("an inequality is solved for one unknown")
    [name] = wanted
    demands = conditions(*(side for left, _, right in stated for side in (left, right)))
    written = "".join(
        f"    {_RELATION[sign]}({left}, {right}),\n" for left, sign, right in (*stated, *demands)
    )
    start = f"{_HEAD}{_symbols([name])}conditions = [\n{written}]\n"
    words = f"\n\n{_IN_WORDS.replace('NAME', name)}"
    if _PERIODIC.search(written):
        if len(stated) > 1 or demands:
            raise NotMathematics("this inequality is not solved by rule")
        left, _, right = stated[0]
        return (
            f"{start}period = periodicity({left} - ({right}), {name}){words}"
            f"found = solve_univariate_inequality(conditions[0], {name}, relational=False)\n"
            "words = in_words(found)\n"
            'if period is not None and not words.startswith(("true", "no")):\n'
            '    words = f"{words}, repeated every {period}"\n'
            "print(words)\n"
        )
    return (
        f"{start}{words}"
        "def solved(condition):\n"
        "    try:\n"
        f"        return solve_univariate_inequality(condition, {name}, relational=False)\n"
        "    except NotImplementedError:\n"
        f"        return reduce_inequalities(condition, {name}).as_set()\n"
        "\n\n"
        "print(in_words(Intersection(S.Reals, *map(solved, conditions))))\n"
    )


_SAY = (
    'infinities = {S.Infinity: "infinity", S.NegativeInfinity: "-infinity"}\n'
    "no_number = value.has(S.ComplexInfinity, S.NaN, AccumBounds)\n"
    'print("undefined" if no_number else infinities.get(value, value))\n'
)
_MAY_BE_INFINITE = re.compile(
    r"/|%|\*\*|oo|, 0\)|\b(?:log|tan|cot|sec|csc|factorial|binomial|Mod)\("
)


def _print_value(value: str) -> str:
    """Infinities, and what has no value, in words."""
    if not _MAY_BE_INFINITE.search(value):
        return f"print({value})\n"
    inner = _inner_infinities(value)
    if not inner:
        return f"value = {value}\n{_SAY}"
    parts = "".join(f"    {each},\n" for each in inner)
    said = _SAY.replace("no_number =", "no_number = parts.has(S.ComplexInfinity, S.NaN) or")
    return f"parts = Tuple(\n{parts})\nvalue = {value}\n{said}"


def _inner_infinities(value: str) -> list[str]:
    """Return what is divided by, and what is raised to a power, where that may be infinite
    itself."""
    found = []
    for node in ast.walk(ast.parse(value, mode="eval")):
        match node:
            case ast.BinOp(op=ast.Div(), right=inner) | ast.BinOp(op=ast.Pow(), left=inner):
                written = ast.unparse(inner)
                if _MAY_BE_INFINITE.search(written) and not names(written):
                    found.append(written)
    return found


def calculate(value: str) -> str:
    """Calculate an expression of numbers; simplify one with unknowns."""
    unknowns = names(value)
    if magnitude(value) > MAX_DIGITS:
        return f'print("a number of more than {MAX_DIGITS:,} digits")\n'
    head = _HEAD + (_symbols(unknowns) if unknowns else "")
    if re.search(r"%|\bMod\(", value):  # sympy raises where it divides by zero
        said = _print_value(f"simplify({value})").replace("\n", "\n    ").rstrip(" ")
        return f'{head}try:\n    {said}except ZeroDivisionError:\n    print("undefined")\n'
    return head + _print_value(f"simplify({value})")


def magnitude(value: str) -> float:
    """About how many digits the largest number has that comes up in it; infinite where too many.

    Unknowns, and functions that do not grow, count as 1.
    """
    largest = 0.0

    def logarithm(node: ast.AST) -> float:
        nonlocal largest
        found = 0.0
        match node:
            case ast.Constant(value=int() | float() as number) if number:
                found = (
                    math.log10(abs(number))
                    if abs(number) < 1e300
                    else 300.0 + len(hex(int(number)))
                )
            case ast.UnaryOp(operand=operand):
                found = logarithm(operand)
            case ast.BinOp(left=left, op=ast.Pow(), right=right):
                size = logarithm(right)
                found = abs(logarithm(left)) * (10**size if size < 300 else math.inf)
                found = 0.0 if math.isnan(found) else found
            case ast.BinOp(left=left, op=op, right=right):
                one, other = logarithm(left), logarithm(right)
                found = one + other if isinstance(op, ast.Mult) else max(one, other) + 0.3
            case ast.Call(func=ast.Name(id=name), args=arguments):
                inner = max((logarithm(each) for each in arguments), default=0.0)
                if name in ("factorial", "binomial", "ff", "exp"):
                    found = 10**inner * max(inner, 0.5) if inner < 300 else math.inf
                elif name in ("Abs", "Integer", "Rational", "Min", "Max", "floor", "ceiling"):
                    found = inner
        largest = max(largest, found)
        return found

    logarithm(ast.parse(value, mode="eval").body)
    return largest


def remainder(texts: tuple[str, ...], _options: dict[str, str]) -> str:
    values = [expression(text) for text in texts[:2]]
    value = values[0] if len(values) == 1 else f"({values[0]}) % ({values[1]})"
    if re.search("[A-Za-z]", value):
        return calculate(value)
    return f'try:\n    print({value})\nexcept ZeroDivisionError:\n    print("undefined")\n'


def derivative(texts: tuple[str, ...], options: dict[str, str]) -> str:
    """Differentiate an expression by an unknown, several times or at a point."""
    value, name = _with_unknown(texts)
    head = f"{_HEAD}{_symbols([*dict.fromkeys([*names(value), name])], real=False)}"
    order = texts[2] if len(texts) > 2 and re.fullmatch(r"[1-9]", texts[2].strip()) else "1"
    result = f"diff({value}, {name}, {order})" if order != "1" else f"diff({value}, {name})"
    if at := options.get("at"):
        return head + _print_value(f"simplify({result}.subs({name}, {expression(at)}))")
    return f"{head}print(simplify({result}))\n"


def integral(texts: tuple[str, ...], _options: dict[str, str]) -> str:
    value, name = _with_unknown(texts)
    bounds = [expression(text) for text in texts[2:4]]
    head = f"{_HEAD}{_symbols([*dict.fromkeys([*names(value), name])], real=False)}"
    if len(bounds) == 2:
        low, high = bounds
        return f"{head}value = simplify(integrate({value}, ({name}, {low}, {high})))\n{_SAY}"
    return f'{head}print(f"{{integrate({value}, {name})}} + C")\n'


def limit(texts: tuple[str, ...], options: dict[str, str]) -> str:
    """From both sides, unless the point is infinite or one side is asked for."""
    value, name = _with_unknown(texts)
    value = _with_exponentials(value)  # sympy takes the limit of 2**x at -oo for infinite
    point, side = limit_point(texts[2] if len(texts) > 2 else options.get("at", "0"))
    said = (texts[3] if len(texts) > 3 else options.get("dir", options.get("side", ""))).strip()
    side = {"+": "+", "right": "+", "-": "-", "left": "-"}.get(said, side)
    at = expression(point)
    symbols = _symbols([*dict.fromkeys([*names(value), name])])
    start = f"{_HEAD}{symbols}function = {value}\n\n\n{_LIMIT_IN_WORDS}"
    if "oo" in at or side:
        towards = f', "{side}"' if side else ""
        return f"{start}print(in_words(limit(function, {name}, {at}{towards})))\n"
    demands = [f"{_RELATION[sign]}({inner}, {bound})" for inner, sign, bound in conditions(value)]
    if not any(sign.startswith((">", "<")) for _, sign, _ in conditions(value)):
        return f"{start}{_both_sides(name, at)}"
    return (
        f"{start}defined = And({', '.join(demands)})\n"
        f'sides = [side for side, step in (("-", -1), ("+", 1))\n'
        f"         if defined.subs({name}, {at} + step*Rational(1, 10**6))]\n"
        "if len(sides) == 1:\n"
        f"    print(in_words(limit(function, {name}, {at}, sides[0])))\n"
        "else:\n    " + _both_sides(name, at).replace("\n", "\n    ").rstrip(" ")
    )


def _with_exponentials(value: str) -> str:
    """Write `2**x` as `exp(x*log(2))`."""

    class _Powers(ast.NodeTransformer):
        def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
            self.generic_visit(node)
            base, exponent = ast.unparse(node.left), ast.unparse(node.right)
            if not isinstance(node.op, ast.Pow) or names(base) or not names(exponent):
                return node
            made: ast.expr = ast.parse(f"exp(({exponent})*log({base}))", mode="eval").body
            return node if base == "E" else made

    return ast.unparse(_Powers().visit(ast.parse(value, mode="eval")).body)


def limit_point(text: str) -> tuple[str, str]:
    """Split a point such as `0+` or `0^-` into the point and the side of the approach."""
    if len(text) > MAX_POINT:
        return text, ""
    written = " ".join(plain(text).split())
    found = re.fullmatch(r"(.*[\w)]) ?\^? ?\(? ?([+-]) ?\)?", written)
    return (found[1], found[2]) if found else (text, "")


def _both_sides(name: str, at: str) -> str:
    return (
        f'left, right = limit(function, {name}, {at}, "-"), limit(function, {name}, {at}, "+")\n'
        "if left == right or left.has(AccumBounds) or simplify(left - right) == 0:\n"
        "    print(in_words(left))\n"
        "elif right.has(AccumBounds):\n"
        "    print(in_words(right))\n"
        "else:\n"
        '    print(f"the limit does not exist: {in_words(left)} from the left, "\n'
        '          f"{in_words(right)} from the right")\n'
    )


_LIMIT_IN_WORDS = """\
def in_words(value):
    if isinstance(value, AccumBounds):
        return f"the limit does not exist: it oscillates between {value.min} and {value.max}"
    if value.has(AccumBounds, S.ComplexInfinity, S.NaN):
        return "the limit does not exist"
    if value.has(Limit):
        raise NotImplementedError("this limit is not known")
    if value in (oo, -oo):
        return "infinity" if value == oo else "-infinity"
    return f"infinite, with the sign of {value.subs(oo, 1)}" if value.has(oo) else value


"""


def _right_of_definition(text: str) -> str:
    """Return what `y = …` or `f(x) = …` defines, or the text itself if it is no definition."""
    defined = re.fullmatch(r"\s*([A-Za-z]\w*)(?:\s*\(\s*\w+\s*\))?\s*=(?!=)(.+)", text, re.DOTALL)
    if defined is None or re.search(rf"\b{defined[1]}\b", defined[2]):
        return text
    return defined[2]


def _with_unknown(texts: tuple[str, ...]) -> tuple[str, str]:
    if not texts:
        raise NotMathematics("an expression is missing")
    value = expression(_right_of_definition(texts[0]))
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
