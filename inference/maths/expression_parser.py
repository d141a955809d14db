"""Mathematics as people and small models write it, made into a Python expression for sympy.

`2x² + 3(x - 1)`, `15% of 240`, `5!`, `√2`, `\\frac{1}{2}` and `3 × 4 ÷ 2` all come out explicit,
checked and exact: fractions stay fractions. Nothing is evaluated here.
"""

import ast
import re
import unicodedata

FUNCTIONS = {
    **{name: name for name in ("sqrt", "exp", "log", "sin", "cos", "tan", "cot", "sec", "csc")},
    **{name: name for name in ("asin", "acos", "atan", "sinh", "cosh", "tanh", "cbrt", "root")},
    **{name: name for name in ("factorial", "gcd", "lcm", "floor", "binomial", "Mod", "sign")},
    "abs": "Abs",
    "Abs": "Abs",
    "ln": "log",
    "arcsin": "asin",
    "arccos": "acos",
    "arctan": "atan",
    "comb": "binomial",
    "nCr": "binomial",
    "C": "binomial",
    "ncr": "binomial",
    "perm": "ff",
    "nPr": "ff",
    "P": "ff",
    "ceil": "ceiling",
    "ceiling": "ceiling",
    "min": "Min",
    "max": "Max",
    "isqrt": "floor_sqrt",
    "mod": "Mod",
}
CONSTANTS = {
    "pi": "pi",
    "E": "E",
    "I": "I",
    **dict.fromkeys(("oo", "inf", "infinity", "infty"), "oo"),
}

_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺ⁿ", "0123456789-+n")
_SUPERSCRIPT = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺ⁿ]+")
_SIGNS = str.maketrans(
    {
        "×": "*",
        "·": "*",
        "⋅": "*",
        "∙": "*",
        "÷": "/",
        "−": "-",
        "–": "-",
        "﹣": "-",
        "≤": "<=",
        "≥": ">=",
        "⩽": "<=",
        "⩾": ">=",
        "≠": "!=",
        "→": "->",
        "≦": "<=",
        "≧": ">=",
        "∣": "|",
        "π": " pi ",
        "∞": " oo ",
        "【": "(",
        "】": ")",
        "［": "[",
        "］": "]",
    }
)
_LATEX = (
    (r"\\d?frac\{([^{}]*)\}\{([^{}]*)\}", r"((\1)/(\2))"),
    (r"\\sqrt\{([^{}]*)\}", r"sqrt(\1)"),
    (r"\\(?:cdot|times)\b", "*"),
    (r"\\div\b", "/"),
    (r"\\(?:leq?|leqslant)\b", "<="),
    (r"\\(?:geq?|geqslant)\b", ">="),
    (r"\\neq?\b", "!="),
    (r"\\(?:left|right)\b", ""),
    (r"\\[lr]?vert\b", "|"),
    (r"\\(?:to|rightarrow)\b", "->"),
    (r"\\(pi|sin|cos|tan|ln|log|exp|lim|int|infty)(?![A-Za-z])", r" \1 "),
    (r"\^\{([^{}]*)\}", r"^(\1)"),
    (r"\$|\\[()\[\]]", " "),
)
_ROOT = re.compile(r"√\s*(\([^()]*\)|\d+(?:\.\d+)?|[a-zA-Z])")
_TOKEN = re.compile(r"\s*(\d+(?:\.\d+)?|\.\d+|[A-Za-z_]\w*|\*\*|<=|>=|!=|==|->|\.\.|\S)")
_OPERAND = re.compile(r"[\w.)]")
_TEN_TO_THE = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?|\.\d+)[eE](\d{1,2})(?![\w.])")  # 1e3
_THOUSANDS = re.compile(r"(?<![\d,.])\d{1,3}(?:,\d{3})+(?!\d|,\d)")
_OF_SEVERAL = re.compile(
    r"(?i)\b(?:gcd|lcm|hcf|min|max|mod|binomial|comb|perm|n?[CP]|ncr|npr|root|log|round)\s*\("
)


MAX_EXPRESSION = 4_000  # characters
MAX_FACTORIALS = 100


class NotMathematics(ValueError):
    """The text is no expression. Nothing was evaluated."""


def plain(text: str) -> str:
    """Return the text in ASCII where it is mathematics: signs, superscripts, full width, LaTeX."""
    text = _SUPERSCRIPT.sub(lambda found: f"^({found[0].translate(_SUPERSCRIPTS)})", text)
    text = unicodedata.normalize("NFKC", text.translate(_SIGNS))
    for pattern, written in _LATEX:
        text = re.sub(pattern, written, text)
    text = _absolute(_ROOT.sub(lambda found: f"sqrt({found[1].strip('()')})", text))
    text = _without_separators(_TEN_TO_THE.sub(r"(\1*10^(\2))", text))
    return re.sub(r"%\s*(?:of|\*)\s*", "/100*", text)


def _without_separators(text: str) -> str:
    """Write `1,000` as `1000`. In `max(1,100)` and `3,100,25` commas separate numbers."""
    start = found.start() if (found := _OF_SEVERAL.search(text)) else len(text)
    return _THOUSANDS.sub(lambda each: each[0].replace(",", ""), text[:start]) + text[start:]


def may_be_several_numbers(text: str) -> bool:
    """Return whether a comma in a call may separate thousands or arguments."""
    called = _OF_SEVERAL.search(text)
    return bool(called and re.search(r"\d,\d{3}(?!\d)", text[called.start() :]))


def _absolute(text: str) -> str:
    """Write `|x - 1|` as `abs(x - 1)`, unless the bars form no pairs."""
    written: list[str] = []
    opened, before = 0, ""
    for each in text:
        sign = each
        if each == "|":
            closes = opened > 0 and (before.isalnum() or before == ")")
            opened += -1 if closes else 1
            sign = ")" if closes else " abs("
        written.append(sign)
        before = sign.strip()[-1:] or before
    return "".join(written) if opened == 0 else text


def expression(text: str) -> str:
    """Return the text as an explicit Python expression. Raises NotMathematics."""
    try:
        return ast.unparse(_exact(_parse(text)))
    except RecursionError as error:  # of hundreds of signs, one within the other
        raise NotMathematics(f"{text[:80]!r} is nested too deep") from error


def relation(text: str) -> tuple[str, str, str]:
    """Left side, sign (`=`, `<`, `<=`, `>`, `>=` or `!=`) and right side, as expressions.

    Raises NotMathematics.
    """
    parts = re.split(r"(<=|>=|!=|==|=|<|>)", plain(_of_fair_length(text)))
    if len(parts) != 3:
        raise NotMathematics(f"{text!r} is not one equation or inequality")
    left, sign, right = parts
    return expression(left), "=" if sign == "==" else sign, expression(right)


def relations(text: str) -> list[tuple[str, str, str]]:
    """One relation, or those of a chain such as `1 < x <= 3`. Raises NotMathematics."""
    parts = re.split(r"(<=|>=|!=|==|=|<|>)", plain(_of_fair_length(text)))
    sides, signs = parts[::2], parts[1::2]
    if len(signs) > 1 and ({*signs} <= {"<", "<="} or {*signs} <= {">", ">="}):
        return [
            relation(f"{left} {sign} {right}")
            for left, sign, right in zip(sides, signs, sides[1:], strict=False)
        ]
    return [relation(text)]


def conditions(*expressions: str) -> list[tuple[str, str, str]]:
    """Return where expressions that were made here have a real value: what must hold of their
    unknowns."""
    found: dict[tuple[str, str, str], None] = {}
    for each in expressions:
        for node in ast.walk(ast.parse(each, mode="eval")):
            for inner, sign, bound in _demands(node):
                if names(ast.unparse(inner)):
                    found[ast.unparse(inner), sign, bound] = None
    return list(found)


def _demands(node: ast.AST) -> list[tuple[ast.expr, str, str]]:
    match node:
        case ast.BinOp(op=ast.Div() | ast.Mod(), right=divisor):
            return [(divisor, "!=", "0")]
        case ast.BinOp(left=base, op=ast.Pow(), right=exponent):
            return [(base, sign, "0") for sign in _of_base(base, exponent)]
        case ast.Call(func=ast.Name(id=name), args=[inner, *_]):
            if name in ("tan", "sec", "cot", "csc"):
                zero = "cos" if name in ("tan", "sec") else "sin"
                return [(_call(zero, inner), "!=", "0")]
            return [(inner, sign, bound) for sign, bound in _OF_FUNCTIONS.get(name, ())]
    return []


_OF_FUNCTIONS = {
    "sqrt": ((">=", "0"),),
    "log": ((">", "0"),),
    "asin": ((">=", "-1"), ("<=", "1")),
    "acos": ((">=", "-1"), ("<=", "1")),
}


def _of_base(base: ast.expr, exponent: ast.expr) -> list[str]:
    """Return what a power demands of its base."""
    if names(ast.unparse(exponent)):
        return [">"]
    written = ast.unparse(exponent)
    negative = written.startswith(("-", "(-"))
    if isinstance(base, ast.Constant) or re.fullmatch(r"[-+(]*\d+\)?", written):
        return ["!="] if negative else []
    return [">"] if negative else [">="]


def names(*expressions: str) -> list[str]:
    """The unknowns in expressions that were made here, in the order of the alphabet."""
    found = {
        node.id
        for each in expressions
        for node in ast.walk(ast.parse(each, mode="eval"))
        if isinstance(node, ast.Name)
    }
    known = {*FUNCTIONS.values(), *CONSTANTS.values(), "Rational", "Integer"}
    return sorted(found - known)


def _of_fair_length(text: str) -> str:
    if len(text) > MAX_EXPRESSION:
        raise NotMathematics(f"{text[:80]!r}… is longer than {MAX_EXPRESSION} characters")
    return text


def _parse(text: str) -> ast.expr:
    if re.search(r"\dE[+-]\d", text):
        raise NotMathematics(f"{text[:80]!r} has a power of ten, or Euler's number: write 2*10^3")
    try:
        tree = ast.parse(_explicit(plain(_of_fair_length(text))), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise NotMathematics(f"{text!r} is not an expression") from error
    for node in ast.walk(tree):
        _allow(node, text)
    return tree.body


_ALLOWED = (
    *(ast.Expression, ast.BinOp, ast.UnaryOp, ast.Call, ast.Name, ast.Load, ast.Constant),
    *(ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow, ast.Mod, ast.USub, ast.UAdd),
)


def _allow(node: ast.AST, text: str) -> None:
    if not isinstance(node, _ALLOWED):
        raise NotMathematics(f"{text!r} has more than arithmetic")
    if isinstance(node, ast.Constant) and type(node.value) not in (int, float):
        raise NotMathematics(f"{text!r} has something that is no number")
    if isinstance(node, ast.Name) and node.id.startswith("_"):
        raise NotMathematics(f"{text!r} has a name that is none of an unknown")
    if isinstance(node, ast.Call):
        if not (isinstance(node.func, ast.Name) and node.func.id in FUNCTIONS.values()):
            raise NotMathematics(f"{text!r} calls what is no known function")
        if node.keywords:
            raise NotMathematics(f"{text!r} is not an expression")


def _explicit(text: str) -> str:
    """Write out every multiplication, power and factorial. Raises NotMathematics."""
    made: list[str] = []
    tokens: list[str] = _TOKEN.findall(text.rstrip())
    if tokens.count("!") > MAX_FACTORIALS:  # each looks for its operand
        raise NotMathematics(f"{text[:80]!r} has more than {MAX_FACTORIALS} factorials")
    for number, sign in enumerate(tokens):
        after = tokens[number + 1] if number + 1 < len(tokens) else ""
        word = _word(sign, after)
        if re.fullmatch(r"0\d+", sign):  # of `max(1,000)`
            raise NotMathematics(f"{text!r} has a number that begins with 0")
        if made and _joins(made[-1], word):
            if made[-1][-1].isdigit() and (word[0].isdigit() or word[0] == "."):
                raise NotMathematics(f"{text!r} has two numbers without a sign between them")
            made.append("*")
        if sign == "!" and made:
            made = _factorial(made)
        elif sign == "%" and not re.match(r"[\w(]", after):
            made.append("/100")
        else:
            made.append(word)
    return " ".join(made)


def _word(sign: str, after: str) -> str:
    if sign in FUNCTIONS and after == "(":
        return FUNCTIONS[sign]
    if sign == "e" and after in ("^", "**"):
        return "E"
    return CONSTANTS.get(sign, {"^": "**", "[": "(", "]": ")", "{": "(", "}": ")"}.get(sign, sign))


def _joins(before: str, word: str) -> bool:
    """Return whether nothing between two parts means a product."""
    if before in FUNCTIONS.values() and word == "(":
        return False
    return bool(_OPERAND.match(before[-1]) and re.match(r"[A-Za-z_(\d.]", word))


def _factorial(made: list[str]) -> list[str]:
    """Put the last operand into `factorial(…)`."""
    start, depth = len(made) - 1, 0
    while start >= 0:
        depth += (made[start] == ")") - (made[start] == "(")
        if depth == 0:
            break
        start -= 1
    return [*made[: max(start, 0)], "factorial", "(", *made[max(start, 0) :], ")"]


def _exact(tree: ast.expr) -> ast.expr:
    exact: ast.expr = _Exact().visit(tree)
    return ast.fix_missing_locations(exact)


class _Exact(ast.NodeTransformer):
    """Python divides and raises its own integers to floats; sympy's stay exact."""

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        return _call("Rational", ast.Constant(repr(node.value))) if _is_float(node) else node

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        divides = isinstance(node.op, ast.Div)
        if divides and _is_integer(node.left) and _is_integer(node.right):
            return _call("Rational", node.left, node.right)
        raises = isinstance(node.op, ast.Pow) and not _is_integer(node.right)
        if (divides or raises) and _is_python(node.left):
            node.left = _call("Integer", node.left)
        return node


def _call(name: str, *arguments: ast.expr) -> ast.Call:
    return ast.Call(ast.Name(name, ast.Load()), list(arguments), [])


def _is_integer(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, int)


def _is_python(tree: ast.expr) -> bool:
    """Return whether Python alone computes the expression, so that its integers are Python's."""
    return not any(isinstance(node, ast.Name) for node in ast.walk(tree))


def _is_float(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, float)
