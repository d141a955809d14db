"""Writes Word's equations (Office Math Markup Language) as LaTeX.

Whatever element is not known is read for what stands in it, so that no letter of an equation is
lost.
"""

import re
from collections.abc import Callable
from typing import Any

_MATH = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
_NAMES = "arccos arcsin arctan arg cos cosh cot coth csc deg det dim exp gcd hom inf ker lg lim"
_NAMES += " liminf limsup ln log max min Pr sec sin sinh sup tan tanh"
_FUNCTIONS = frozenset(_NAMES.split())
_ACCENTS = {
    "\u0300": "grave", "\u0301": "acute", "\u0302": "hat", "\u0303": "tilde", "\u0304": "bar",
    "\u0305": "overline", "\u0306": "breve", "\u0307": "dot", "\u0308": "ddot",
    "\u030a": "mathring", "\u030c": "check", "\u0332": "underline", "\u20d6": "overleftarrow",
    "\u20d7": "vec",
    "\u20db": "dddot", "\u20e1": "overleftrightarrow", "^": "hat", "~": "tilde", "¯": "bar",
    "→": "vec", "ˆ": "hat", "˜": "tilde", "˙": "dot", "¨": "ddot", "ˇ": "check", "´": "acute",
    "`": "grave", "˘": "breve", "\u20d1": "overrightarrow", "\u20d0": "overleftarrow",
}  # fmt: skip
_LARGE = {
    "∑": r"\sum", "∏": r"\prod", "∐": r"\coprod", "∫": r"\int", "∬": r"\iint", "∭": r"\iiint",
    "∮": r"\oint", "⋃": r"\bigcup", "⋂": r"\bigcap", "⋁": r"\bigvee", "⋀": r"\bigwedge",
    "⨁": r"\bigoplus", "⨂": r"\bigotimes", "⨀": r"\bigodot", "∯": r"\oiint",
}  # fmt: skip
_BRACKETS = {
    "{": r"\{", "}": r"\}", "⟨": r"\langle ", "⟩": r"\rangle ", "〈": r"\langle ",
    "〉": r"\rangle ", "⌊": r"\lfloor ", "⌋": r"\rfloor ", "⌈": r"\lceil ", "⌉": r"\rceil ",
    "‖": r"\|", "": ".",
}  # fmt: skip
_MATRICES = {"()": "pmatrix", "[]": "bmatrix", "{}": "Bmatrix", "||": "vmatrix", "‖‖": "Vmatrix"}
# Letters that LaTeX lacks.
_SYMBOLS = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "varepsilon", "ϵ": "epsilon",
    "ζ": "zeta", "η": "eta", "θ": "theta", "ϑ": "vartheta", "ι": "iota", "κ": "kappa",
    "λ": "lambda", "μ": "mu", "ν": "nu", "ξ": "xi", "π": "pi", "ρ": "rho", "σ": "sigma",
    "ς": "varsigma", "τ": "tau", "υ": "upsilon", "φ": "varphi", "ϕ": "phi", "χ": "chi",
    "ψ": "psi", "ω": "omega", "Γ": "Gamma", "Δ": "Delta", "Θ": "Theta", "Λ": "Lambda",
    "Ξ": "Xi", "Π": "Pi", "Σ": "Sigma", "Υ": "Upsilon", "Φ": "Phi", "Ψ": "Psi", "Ω": "Omega",
    "±": "pm", "∓": "mp", "×": "times", "÷": "div", "⋅": "cdot", "·": "cdot", "∙": "cdot",
    "≤": "le", "≥": "ge", "≠": "ne", "≈": "approx", "≡": "equiv", "≅": "cong", "∼": "sim",
    "∝": "propto", "∞": "infty", "∂": "partial", "∇": "nabla", "√": "surd", "∈": "in",
    "∉": "notin", "⊂": "subset", "⊆": "subseteq", "⊃": "supset", "⊇": "supseteq", "∪": "cup",
    "∩": "cap", "∅": "emptyset", "∀": "forall", "∃": "exists", "¬": "neg", "∧": "wedge",
    "∨": "vee", "→": "to", "←": "leftarrow", "↔": "leftrightarrow", "⇒": "Rightarrow",
    "⇐": "Leftarrow", "⇔": "Leftrightarrow", "↦": "mapsto", "…": "ldots", "⋯": "cdots",
    "⋮": "vdots", "⋱": "ddots", "∠": "angle", "⊥": "perp", "∥": "parallel", "△": "triangle",
    "ℕ": "mathbb{N}", "ℤ": "mathbb{Z}", "ℚ": "mathbb{Q}", "ℝ": "mathbb{R}", "ℂ": "mathbb{C}",
    "ℏ": "hbar", "ℓ": "ell", "∘": "circ", "°": "degree", "⊕": "oplus", "⊗": "otimes",
    "∗": "ast", "≪": "ll", "≫": "gg", "∴": "therefore", "∵": "because", "′": "prime",
    "∑": "sum", "∏": "prod", "∫": "int", "∮": "oint",
}  # fmt: skip
_ESCAPED = {c: f"\\{c}" for c in "#$%&_{}"} | {"\\": r"\backslash ", "−": "-", "\u2061": ""}


def to_latex(math: Any) -> str:
    """Return an `m:oMath` element (of lxml) as LaTeX."""
    return re.sub(r" +(?=[})\]]|$)", "", _children(math)).strip()


def _children(element: Any) -> str:
    return "".join(map(_element, element)) if element is not None else ""


def _element(element: Any) -> str:
    if not isinstance(element.tag, str):  # a comment
        return ""
    name = element.tag.removeprefix(_MATH)
    if name == "t":
        return _plain(element.text or "")
    if name == "oMath" or name.startswith("{") or name not in _WRITERS:
        if name.endswith("}t"):  # a word among the formulas
            return rf"\text{{{element.text or ''}}}"
        return "" if name.endswith(_UNSHOWN) else _children(element)
    return _WRITERS[name](element)


_UNSHOWN = ("Pr", "}del", "}moveFrom", "}delText", "}instrText")


def _plain(text: str) -> str:
    written = []
    for character in text:
        if character in _SYMBOLS:
            written.append(f"\\{_SYMBOLS[character]} ")
        else:
            written.append(_ESCAPED.get(character, character))
    return "".join(written)


def _find(element: Any, name: str) -> Any:
    return element.find(f"{_MATH}{name}")


def _part(element: Any, name: str) -> str:
    return _children(_find(element, name))


def _property(element: Any, name: str, default: str = "") -> str:
    """Return a value of the element's `…Pr`; a property without a value is on."""
    tag = element.tag.removeprefix(_MATH)
    found = element.find(f"{_MATH}{tag}Pr/{_MATH}{name}")
    return default if found is None else found.get(f"{_MATH}val", "1" if not default else "")


def _is_on(element: Any, name: str) -> bool:
    return _property(element, name, "0") not in ("0", "off", "false")


def _run(element: Any) -> str:
    text = _children(element)
    normal = element.find(f"{_MATH}rPr/{_MATH}nor") is not None
    return rf"\text{{{text}}}" if normal and " " in text.strip() else text


def _fraction(element: Any) -> str:
    above, below = _part(element, "num"), _part(element, "den")
    kind = _property(element, "type", "bar")
    if kind == "noBar":
        return rf"\binom{{{above}}}{{{below}}}"
    return f"{{{above}}}/{{{below}}}" if kind in ("lin", "skw") else rf"\frac{{{above}}}{{{below}}}"


def _radical(element: Any) -> str:
    degree = "" if _is_on(element, "degHide") else _part(element, "deg").strip()
    order = f"[{degree}]" if degree else ""
    return rf"\sqrt{order}{{{_part(element, 'e')}}}"


def _scripts(element: Any) -> str:
    base = _part(element, "e")
    base = base if len(base) == 1 or re.fullmatch(r"\\[A-Za-z]+ ?", base) else f"{{{base}}}"
    return base.rstrip() + _below_and_above(element)


def _below_and_above(element: Any) -> str:
    below, above = _part(element, "sub"), _part(element, "sup")
    return (f"_{{{below}}}" if below else "") + (f"^{{{above}}}" if above else "")


def _large_operator(element: Any) -> str:
    sign = _property(element, "chr", "∫") or "∫"
    operator = _LARGE.get(sign) or _plain(sign).strip()
    return f"{operator}{_below_and_above(element)} {_part(element, 'e')}"


def _delimiters(element: Any) -> str:
    left, right = _property(element, "begChr", "("), _property(element, "endChr", ")")
    parts = element.findall(f"{_MATH}e")
    inside = [[c for c in part if not c.tag.endswith("Pr")] for part in parts]
    if len(parts) == 1 and len(inside[0]) == 1:
        only = inside[0][0]
        if only.tag == f"{_MATH}m" and (kind := _MATRICES.get(left + right)):
            return _matrix(only, kind)
        if only.tag == f"{_MATH}eqArr" and (left, right) == ("{", ""):
            return _equations(only, "cases")
    between = _plain(_property(element, "sepChr", "|") or "|")
    fraction = len(parts) == 1 and len(inside[0]) == 1 and inside[0][0].tag == f"{_MATH}f"
    if fraction and _property(inside[0][0], "type") == "noBar" and left + right == "()":
        return _fraction(inside[0][0])
    written = between.join(map(_children, parts))
    if left + right == "()":
        return f"({written})" if "\\" not in written else rf"\left({written}\right)"
    return rf"\left{_BRACKETS.get(left, left)}{written}\right{_BRACKETS.get(right, right)}"


def _matrix(element: Any, kind: str = "matrix") -> str:
    rows = [
        " & ".join(_children(cell) for cell in row.findall(f"{_MATH}e"))
        for row in element.findall(f"{_MATH}mr")
    ]
    return rf"\begin{{{kind}}}" + r" \\ ".join(rows) + rf"\end{{{kind}}}"


def _equations(element: Any, kind: str = "aligned") -> str:
    rows = [_children(row) for row in element.findall(f"{_MATH}e")]
    rows = [row.replace(r"\&", "&") for row in rows]  # Word's marks of alignment
    return rf"\begin{{{kind}}}" + r" \\ ".join(rows) + rf"\end{{{kind}}}"


def _function(element: Any) -> str:
    name = _part(element, "fName").strip()
    first = re.match(r"[A-Za-z]+", name)
    if first and first[0] in _FUNCTIONS:
        name = f"\\{name}"
    return f"{name} {_part(element, 'e')}"


def _limit_below(element: Any) -> str:
    base = _part(element, "e").strip()
    if base in _FUNCTIONS:
        return rf"\{base}_{{{_part(element, 'lim')}}}"
    return rf"\underset{{{_part(element, 'lim')}}}{{{base}}}"


def _accent(element: Any) -> str:
    sign = _property(element, "chr", "\u0302")
    inside = _part(element, "e")
    if sign in _ACCENTS:
        return rf"\{_ACCENTS[sign]}{{{inside}}}"
    return rf"\overset{{{_plain(sign)}}}{{{inside}}}"


def _bar(element: Any) -> str:
    where = "overline" if _property(element, "pos", "bot") == "top" else "underline"
    return rf"\{where}{{{_part(element, 'e')}}}"


def _group(element: Any) -> str:
    sign, inside = _property(element, "chr", "⏟"), _part(element, "e")
    if sign in "⏟⏞":
        return rf"\{'under' if sign == '⏟' else 'over'}brace{{{inside}}}"
    above = _property(element, "pos", "bot") == "top"
    return rf"\{'over' if above else 'under'}set{{{_plain(sign)}}}{{{inside}}}"


_WRITERS: dict[str, Callable[[Any], str]] = {
    "r": _run,
    "f": _fraction,
    "rad": _radical,
    "sSub": _scripts,
    "sSup": _scripts,
    "sSubSup": _scripts,
    "sPre": lambda e: f"{{}}{_below_and_above(e)}{{{_part(e, 'e')}}}",
    "nary": _large_operator,
    "d": _delimiters,
    "m": _matrix,
    "eqArr": _equations,
    "func": _function,
    "limLow": _limit_below,
    "limUpp": lambda e: rf"\overset{{{_part(e, 'lim')}}}{{{_part(e, 'e')}}}",
    "acc": _accent,
    "bar": _bar,
    "groupChr": _group,
    "borderBox": lambda e: rf"\boxed{{{_part(e, 'e')}}}",
}
