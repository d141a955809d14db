"""The strict one-line forms in which a small model says what to compute, and their programs.

A model of half a billion parameters copies an equation without fault, but seldom writes a whole
program without one. So it writes one line, as `solve("2x + 3 = 10")`, and the program is made
here: complete, exact and fit to be read and run by itself. Whatever else it writes is a program
of its own.
"""

import ast
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from inference.maths import sympy_templates
from inference.maths.expression_parser import NotMathematics, expression


@dataclass(frozen=True, slots=True)
class FormProgram:
    """A tool and its arguments, for a form of question."""

    tool: str
    arguments: dict[str, object]


@dataclass(frozen=True, slots=True)
class _Form:
    name: str
    texts: tuple[str, ...]
    options: dict[str, str] = field(default_factory=dict)


def create_program(written: str) -> FormProgram:
    """The call that `written` asks for. Raises NotMathematics where a form is filled in wrongly,
    and SyntaxError where it is neither a form nor a program."""
    try:
        tree = ast.parse(written.strip())
    except (RecursionError, MemoryError) as error:  # of thousands of brackets, one in the other
        raise SyntaxError("it is nested too deep") from error
    filled = [form for statement in tree.body if (form := _form(statement))]
    if not filled or len(filled) < len(tree.body):
        return _program(_with_sympy(written.strip(), tree))
    if [form.name for form in filled] == ["convert"]:
        return _conversion(filled[0])
    if any(form.name == "convert" for form in filled):
        raise NotMathematics("convert stands alone")
    return _program(_join_programs([FORMS[form.name](form.texts, form.options) for form in filled]))


def _join_programs(sources: list[str]) -> str:
    """One program after the other, with what they import at the top, once."""
    lines = [line for source in sources for line in source.splitlines()]
    imports = dict.fromkeys(line for line in lines if line.startswith(("import ", "from ")))
    if len(sources) == 1 or not imports:
        return "\n".join(sources)
    bodies = ["\n".join(_without(source, imports)).strip() for source in sources]
    # What is imported by its name stands over the same name of sympy's.
    in_order = sorted(imports, key=lambda line: not line.endswith("*"))
    return "\n".join(in_order) + "\n\n" + "\n\n".join(bodies) + "\n"


def _without(source: str, lines: Collection[str]) -> list[str]:
    return [line for line in source.splitlines() if line not in lines]


def _program(source: str) -> FormProgram:
    return FormProgram("python", {"program": source})


def _form(statement: ast.stmt) -> _Form | None:
    """A call of a form, `print` around it or not."""
    if not isinstance(statement, ast.Expr):
        return None
    call = statement.value
    if isinstance(call, ast.Call) and _called_name(call) == "print" and len(call.args) == 1:
        call = call.args[0]
    if not isinstance(call, ast.Call) or _called_name(call) not in (*FORMS, "convert"):
        return None
    texts = [_text(each) for each in call.args]
    options = {str(each.arg): _text(each.value) for each in call.keywords}
    if None in texts or None in options.values():
        return None  # computed arguments: a program that uses sympy's function of that name
    return _Form(
        _called_name(call),
        tuple(text for text in texts if text is not None),
        {name: text for name, text in options.items() if text is not None},
    )


def _called_name(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else ""


def _text(node: ast.expr) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str | int | float):
        return str(node.value)
    if isinstance(node, ast.UnaryOp) and isinstance(node.operand, ast.Constant):
        return ast.unparse(node)
    return None


def _conversion(form: _Form) -> FormProgram:
    if len(form.texts) != 3:
        raise NotMathematics("convert takes a number, its unit and the unit that is wanted")
    value, unit, to = (text.strip() for text in form.texts)
    try:
        number = float(value)
    except ValueError as error:
        raise NotMathematics(f"convert: {value!r} is no number") from error
    return FormProgram("convert", {"value": number, "unit": unit, "to": to})


def _with_sympy(source: str, tree: ast.Module) -> str:
    """Small models use sympy's names, and unknowns, without a word about it."""
    nodes = list(ast.walk(tree))
    if any(isinstance(node, ast.Import | ast.ImportFrom) for node in nodes):
        return source
    used = {node.id for node in nodes if isinstance(node, ast.Name)}
    made = {node.id for node in nodes if isinstance(node, ast.Name) and _is_set(node)}
    made |= {node.arg for node in nodes if isinstance(node, ast.arg)}
    unknowns = sorted(name for name in used - made if len(name) == 1 and name.islower())
    head = "from sympy import *\n\n"
    if unknowns:
        head += f"{', '.join(unknowns)} = symbols({' '.join(unknowns)!r})\n"
    return head + source


def _is_set(node: ast.Name) -> bool:
    return isinstance(node.ctx, ast.Store)


def _values(texts: tuple[str, ...], least: int, most: int, name: str) -> list[str]:
    if not least <= len(texts) <= most:
        raise NotMathematics(f"{name} takes {least} to {most} expressions, not {len(texts)}")
    return [expression(text) for text in texts]


def _one(make: Callable[[str], str], name: str) -> sympy_templates.Form:
    def program(texts: tuple[str, ...], _options: dict[str, str]) -> str:
        return make(*_values(texts[:1], 1, 1, name))

    return program


_SAME = {
    "differentiate": "derivative",
    "diff": "derivative",
    "integrate": "integral",
    "isprime": "is_prime",
    "factorint": "prime_factors",
    "evaluate": "calculate",
    "divisor_count": "divisors",
    "number_of_divisors": "divisors",
    "probability": "chance",
}

FORMS: dict[str, sympy_templates.Form] = {
    "solve": sympy_templates.solve,
    "roots": sympy_templates.roots,
    "calculate": _one(sympy_templates.calculate, "calculate"),
    "remainder": sympy_templates.remainder,
    "derivative": sympy_templates.derivative,
    "integral": sympy_templates.integral,
    "limit": sympy_templates.limit,
    "factor": _one(lambda each: sympy_templates.rewrite("factor", each), "factor"),
    "expand": _one(lambda each: sympy_templates.rewrite("expand", each), "expand"),
    "simplify": _one(lambda each: sympy_templates.rewrite("simplify", each), "simplify"),
    "gcd": lambda texts, _: sympy_templates.of_integers("gcd", _values(texts, 2, 9, "gcd")),
    "lcm": lambda texts, _: sympy_templates.of_integers("lcm", _values(texts, 2, 9, "lcm")),
    "is_prime": _one(sympy_templates.is_prime, "is_prime"),
    "prime_factors": _one(sympy_templates.prime_factors, "prime_factors"),
    "divisors": _one(sympy_templates.divisors, "divisors"),
    "chance": sympy_templates.chance,
    "count": sympy_templates.count,
    "plot": sympy_templates.plot,
    "plot_data": sympy_templates.plot_data,
}
FORMS |= {other: FORMS[name] for other, name in _SAME.items()}
