"""Parses a question by rule, word for word, or not at all.

`Solve 2x + 3 = 10 for x` leaves no word unexplained, so whatever a model makes of it can be put
to the test. `What is the smallest solution of …` has a word too many, and is left to the model,
unverified: a test of something else than what was asked is worse than none.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from inference.maths import form_programs, sympy_templates
from inference.maths.expression_parser import (
    CONSTANTS,
    FUNCTIONS,
    NotMathematics,
    conditions,
    expression,
    may_be_several_numbers,
    names,
    plain,
    relations,
)
from inference.tools import units
from inference.tools.base import ToolFailed

# Splits a question into its words and the runs of mathematics between them.


@dataclass(frozen=True, slots=True)
class Parts:
    words: frozenset[str]
    runs: tuple[str, ...]  # of mathematics, in their order


_WORD = r"[A-Za-z]{2,}(?:'[a-z]+)?"
_ITEM = re.compile(rf"({_WORD})|([\u3400-\u9fff]+)|(\d+(?:\.\d+)?|\.\d+|->|\*\*|[<>!]=|\S)|\s+")
_DIGITS = r"(?<!\d)\d++"
_CALLED = re.compile(r"\s*\(")
_SEPARATORS = ",;:?。、."


def words_to_signs(text: str) -> str:
    """Mathematics that is said in words, written in signs."""
    for pattern, written in (
        (rf"({_DIGITS}|[a-zA-Z])\s*+的\s*(\d+)\s*次方", r"(\1)^(\2)"),
        (rf"({_DIGITS}|[a-zA-Z])\s*+的平方根", r"sqrt(\1)"),
        (r"(?:the )?square root of (\d+(?:\.\d+)?)", r"sqrt(\1)"),
        (rf"({_DIGITS}|[a-zA-Z]) squared\b", r"(\1)^2"),
        (rf"({_DIGITS}|[a-zA-Z]) cubed\b", r"(\1)^3"),
        (r"(?<=\d) (?:times|multiplied by) (?=[\d(])", " * "),
        (r"(?<=\d) plus (?=[\d(])", " + "),
        (r"(?<=\d) minus (?=[\d(])", " - "),
        (r"(?<=\d) divided by (?=[\d(])(?!.*remainder)", " / "),
        (r"(?i)\bd/d([a-z])\b", r"differentiate \1, "),
        (r"(?i)\bint\b|∫", " integral "),
    ):
        text = re.sub(pattern, written, text)
    return text


def split_question(text: str, phrases: Sequence[str]) -> Parts | None:
    """`phrases` are what Chinese may be made of, longest first; None where one is unknown."""
    words: set[str] = set()
    runs: list[list[str]] = []
    open_run = False
    depth = 0
    text = _without_articles(text)
    for item in _ITEM.finditer(text):
        word, chinese, sign = (group or "" for group in item.groups())
        applied = word in FUNCTIONS and _CALLED.match(text, item.end())
        if word and not applied and word not in CONSTANTS:
            words.add(word.lower())
            open_run = False
        elif chinese:
            known = _chinese(chinese, phrases)
            if known is None:
                return None
            words |= known
            open_run = False
        elif sign and sign in _SEPARATORS and not (depth and sign == ","):
            open_run = False
        elif word or sign:
            depth += (sign == "(") - (sign == ")")
            if not open_run:
                runs.append([])
            runs[-1].append(word or sign)
            open_run = True
    return Parts(frozenset(words), tuple(map(" ".join, runs)))


def _without_articles(text: str) -> str:
    return re.sub(r"\b(?:a|A|an|I)\b(?= +[a-z]{2,})", " ", text)


def _chinese(text: str, phrases: Sequence[str]) -> set[str] | None:
    """The phrases that `text` is made of; None where one is unknown."""
    found: set[str] = set()
    at = 0
    while at < len(text):
        phrase = next((each for each in phrases if text.startswith(each, at)), None)
        if phrase is None:
            return None
        found.add(phrase)
        at += len(phrase)
    return found


MAX_QUESTION = 2_000

# What people mean by 1/2x, 2^3x or 200 - 5% is not sure.
_AMBIGUOUS = re.compile(
    r"/ *\d+(?:\.\d+)? *[A-Za-z(]|\^ *\d+ *[A-Za-z(]|[+-] *\d+(?:\.\d+)? */100\b|[+-] *[\d.]+ *%"
)

Task = dict[str, object]


@dataclass(frozen=True, slots=True)
class Reading:
    task: Task  # as `verifier` takes it
    form: str  # the same as `forms` has it


def read(question: str) -> Reading | None:
    """Parse a question; None unless every word of it is understood."""
    if len(question) > MAX_QUESTION or _has_unclear_numbers(question):
        return None
    text = _with_infinities(plain(question))
    if plotted := _AND_PLOT.search(text.rstrip(_ENDS)):
        return _with_plot(_read(text[: plotted.start()].rstrip(_JOINTS)))
    return _read(text)


def _has_unclear_numbers(question: str) -> bool:
    """Return whether a number is ambiguous: `2E+3` may be 2000 or 8.4, and `max(1,200, 3)` 1200 or
    200."""
    text = unicodedata.normalize("NFKC", question)
    return may_be_several_numbers(text) or bool(re.search(r"\dE[+-]\d|\d[eE]\d{3}", text))


def _read(text: str) -> Reading | None:
    if found := _conversion(text):
        return found
    parts = split_question(words_to_signs(text), _PHRASES)
    if parts is None or any(_AMBIGUOUS.search(run) for run in parts.runs):
        return None
    for kind in _KINDS:
        if not kind.cues or parts.words & kind.cues:
            try:
                found = kind.read(parts) if parts.words <= kind.words else None
                if found is not None:
                    form_programs.create_program(found.form)  # there is a program for it
            except (NotMathematics, SyntaxError, ValueError):
                found = None
            if found is not None:
                return found
    return None


_UNDER = re.compile(r"\blim\s*_\s*{\s*([a-zA-Z]\s*->\s*[^{}]{1,20})\s*}")


def _with_infinities(text: str) -> str:
    """Infinities as sympy writes them, and `lim_{x -> 0}` with a comma behind its point."""
    text = _UNDER.sub(r"lim \1 , ", text)
    for words, sign in (
        (r"(?:negative|minus|-) {0,3}inf(?:ini)?ty\b|负无穷大?", " -oo "),
        (r"(?:(?:positive|plus|\+) {0,3})?\binf(?:ini)?ty\b|正?无穷大?", " oo "),
    ):
        text = re.sub(words, sign, text, flags=re.IGNORECASE)
    return text


# --- and a picture of it --------------------------------------------------------------------------

_ENDS = " \t\n.!。！"
_JOINTS = " \t\n,;，；。."
_AND_PLOT = re.compile(
    r"(?:\b(?:and then|and|then) (?:plot|draw|graph|sketch) (?:it|(?:the|its) "
    r"(?:graph|curve|parabola|line|function|polynomial))"
    r"|(?:并且|并|再|然后)?(?:画出|绘制|作出|画)(?:它的|其|函数|函数的|相应的)?(?:抛物线|图像|图象|图形|曲线|图)"
    r")\Z",
    re.IGNORECASE,
)


def _with_plot(found: Reading | None) -> Reading | None:
    """Return a plot of an equation in one unknown: left side minus right side, 0 at a solution."""
    if found is None or found.task["kind"] != "equations" or found.task.get("wanted"):
        return None
    stated, unknowns = found.task["relations"], found.task["unknowns"]
    if not isinstance(stated, list) or not isinstance(unknowns, list) or len(unknowns) != 1:
        return None
    [(left, _, right)] = stated
    value = left if right == "0" else f"{left} - ({right})"
    return Reading(found.task, f"{found.form}\n{_form('plot', value, unknowns[0])}")


# --- units ----------------------------------------------------------------------------------------

_NUMBER = r"(?P<value>-?\d+(?:\.\d+)?)"
_UNIT = r"(?P<unit>[^\d?,]{1,40}?)"
_TO = r"(?P<to>[^\d?,]{1,40}?)"
_CONVERSIONS = tuple(
    re.compile(pattern + r"\s*[?.。]*", re.IGNORECASE)
    for pattern in (
        rf"\s*(?:please )?(?:convert|change|express) {_NUMBER}\s*{_UNIT} (?:in)?to {_TO}",
        rf"\s*(?:what(?:'s| is| are)|how much is)? ?{_NUMBER}\s*{_UNIT} (?:in|to|as) {_TO}",
        rf"\s*how many {_TO} (?:are|is|are there|do you get) in {_NUMBER}\s*{_UNIT}",
        rf"\s*how many {_TO} (?:are|is|make|equal)?\s*{_NUMBER}\s*{_UNIT}",
        rf"\s*(?:请)?(?:把|将)?\s*{_NUMBER}\s*{_UNIT}\s*(?:换算成|转换为|转换成|换成|化成|转为)\s*{_TO}",
        rf"\s*{_NUMBER}\s*{_UNIT}\s*(?:等于|是|合|有)\s*(?:多少|几)(?:个)?\s*{_TO}",
    )
)


def _conversion(text: str) -> Reading | None:
    text = " ".join(text.split())  # the patterns try every way to share out spaces
    for pattern in _CONVERSIONS:
        found = pattern.fullmatch(text)
        if found and units.known(found["unit"]) and units.known(found["to"]):
            value, unit, to = found["value"], found["unit"].strip(), found["to"].strip()
            try:
                exact = units.exact(Fraction(value), unit, to)
            except ToolFailed:
                return None
            task: Task = {"kind": "quantity", "value": str(exact), "units": units.spellings(to)}
            return Reading(task, _form("convert", value, unit, to))
    return None


# --- what may be asked ---------------------------------------------------------------------------


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_FILLER = _set(
    """solve find what what's is the for value values of calculate compute evaluate determine
    please work out such it need satisfy satisfies equation equations system if and then given let
    that equals equal to by following expression result answer where unknown unknowns simultaneous
    quadratic linear all solution solutions are with how much does me give get real
    解 求 的 值 已知 若 如果 则 那么 和 与 且 或 等于 多少 是 计算 什么 请 请问 问 下列 以下 未知数
    结果 得 为 满足 几 方程 方程组 一元二次方程 一元一次方程 二元一次方程组 式子 算式
    一下 所有 实数 算 试"""
)


@dataclass(frozen=True, slots=True)
class _Kind:
    read: Callable[[Parts], Reading | None]
    cues: frozenset[str]  # one of them is said; empty: none is needed
    more: frozenset[str] = frozenset()  # that may be said

    @property
    def words(self) -> frozenset[str]:
        return _FILLER | self.cues | self.more


def _kind(read: Callable[[Parts], Reading | None], cues: str = "", more: str = "") -> _Kind:
    return _Kind(read, _set(cues), _set(more))


def _relations(parts: Parts) -> Reading | None:
    stated = [run for run in parts.runs if re.search("[=<>]", run)]
    wanted = [run for run in parts.runs if run not in stated]
    if not stated or not all(re.fullmatch(r"[A-Za-z]", run) for run in wanted):
        return None
    found = [each for run in stated for each in relations(run)]
    unknowns = _unknowns(*(side for left, _, right in found for side in (left, right)))
    if not unknowns or not set(wanted) <= set(unknowns):
        return None
    kind = "equations" if all(sign == "=" for _, sign, _ in found) else "inequality"
    if (kind == "inequality" or len(found) == 1) and len(unknowns) != 1:
        return None
    task: Task = {"kind": kind, "relations": found, "unknowns": unknowns}
    task["defined"] = conditions(*(side for left, _, right in found for side in (left, right)))
    if kind == "equations" and wanted and set(wanted) != set(unknowns):
        task["wanted"] = wanted
    return Reading(task, _form("solve", *stated, *wanted))


def _roots(parts: Parts) -> Reading | None:
    [run] = parts.runs
    return _relations(Parts(parts.words, (run if "=" in run else f"{run} = 0",)))


def _value(parts: Parts) -> Reading | None:
    [run] = parts.runs
    value = expression(run.removesuffix("="))
    if names(value) or not re.search(r"[+\-*/^!%]|\w\s*\(", run) or "log" in value:
        return None
    return Reading(
        {"kind": "value", "expression": value}, _form("calculate", run.removesuffix("="))
    )


def _derivative(parts: Parts) -> Reading | None:
    run, value, name = _of_one_unknown(parts.runs)
    task: Task = {"kind": "derivative", "expression": value, "unknown": name}
    return Reading(task, _form("derivative", run, name))


def _integral(parts: Parts) -> Reading | None:
    runs = [re.sub(r"\s*d\s*[a-z]\s*$", "", run) for run in parts.runs]
    first, *bounds = [run for run in runs if run]
    if len(bounds) not in (0, 2):
        return None
    run, value, name = _of_one_unknown([first])
    limits = [expression(bound) for bound in bounds]
    task: Task = {"kind": "integral", "expression": value, "unknown": name, "bounds": limits}
    return Reading(task, _form("integral", run, name, *bounds))


def _limit(parts: Parts) -> Reading | None:
    side = next((sign for sign, words in _SIDES.items() if parts.words & words), "")
    runs = []
    for piece in [each.strip() for run in parts.runs for each in _at_arrow(run)]:
        point, towards = sympy_templates.limit_point(piece)
        side = towards or side
        runs.append(point if towards else piece)
    [value] = [run for run in runs if names(expression(run)) and len(run) > 1]
    [name] = [run for run in runs if re.fullmatch("[a-z]", run)]
    [point] = [run for run in runs if run not in (value, name)]
    if names(expression(point)) or _unknowns(expression(value)) != [name]:
        return None
    made = expression(value)
    at = expression(point)
    task: Task = {"kind": "limit", "expression": made, "unknown": name, "point": at, "side": side}
    return Reading(task, _form("limit", value, name, point, *([side] if side else [])))


_SIDES = {
    "+": frozenset({"right", "above", "右极限", "从右侧", "右侧", "从右边", "从右"}),
    "-": frozenset({"left", "below", "左极限", "从左侧", "左侧", "从左边", "从左"}),
}


def _at_arrow(run: str) -> list[str]:
    """Split `x -> 2 (x^2 - 4)/(x - 2)` where the point ends and the expression begins."""
    arrow = re.fullmatch(
        r"([a-z])\s*->\s*(-?\s*(?:\d+(?:\.\d+)?|oo|pi(?:\s*/\s*\d+)?)"
        r"(?:\s*\^\s*\(?\s*[-+](?:\s*\))?|\s*[-+]\Z)?)\s*(.*)",
        run,
    )
    return [part for part in arrow.groups() if part] if arrow else [run]


def _integers(what: str, form: str, least: int, most: int) -> Callable[[Parts], Reading | None]:
    def read(parts: Parts) -> Reading | None:
        text = " ".join(parts.runs)
        numbers = [int(each) for each in re.findall(r"\d+", text)]
        if not least <= len(numbers) <= most or re.search(r"[^\d\s(),]", text):
            return None
        if not all(0 < number < 10**7 for number in numbers):
            return None
        task: Task = {"kind": "integers", "what": what, "numbers": numbers}
        return Reading(task, _form(form, *map(str, numbers)))

    return read


def _remainder(parts: Parts) -> Reading | None:
    left, right = map(expression, parts.runs)
    if names(left, right):
        return None
    value = f"({left}) % ({right})"
    return Reading({"kind": "value", "expression": value}, _form("remainder", value))


def _of_one_unknown(runs: Sequence[str]) -> tuple[str, str, str]:
    """The run that is an expression, as it is written and as it is read, and its unknown, which
    may stand alone beside it."""
    [run] = [run for run in runs if not re.fullmatch(r"[a-z]", run)]
    value = expression(run)
    [unknown] = _unknowns(value)
    if any(each not in (run, unknown) for each in runs):
        raise NotMathematics("more than one unknown")
    return run, value, unknown


def _unknowns(*expressions: str) -> list[str]:
    """Names of one letter: of a longer one nobody knows what it was meant to be."""
    found = names(*expressions)
    if not all(len(name) == 1 for name in found):
        raise NotMathematics("a name of several letters")
    return found


def _form(name: str, *texts: str) -> str:
    return f"{name}({', '.join(repr(text) for text in texts)})"


def _kinds() -> Iterator[_Kind]:
    yield _kind(_derivative, "derivative differentiate 导数 求导", "respect first 函数 对 一阶")
    yield _kind(
        _integral,
        "integral integrate 积分 定积分 不定积分",
        "from definite indefinite over dx dy dt 从 到 在 上 函数 区间 respect between",
    )
    yield _kind(
        _limit,
        "limit lim 极限 右极限 左极限",
        f"{' '.join(each for words in _SIDES.values() for each in words)} from side hand"
        " as approaches tends goes when 当 趋于 趋近于 趋向于 时 趋近 函数",
    )
    yield _kind(_roots, "roots root zeros zeroes 根 零点", "函数 polynomial 多项式")
    yield _kind(
        _integers("gcd", "gcd", 2, 9),
        "gcd hcf greatest highest 最大公约数 最大公因数",
        "common divisor factor numbers",
    )
    yield _kind(
        _integers("lcm", "lcm", 2, 9),
        "lcm least lowest 最小公倍数",
        "common multiple numbers smallest",
    )
    yield _kind(
        _integers("factors", "prime_factors", 1, 1),
        "factorization factorisation factorize factorise 分解质因数 质因数分解 质因数",
        "prime number into primes factors 把 将 进行",
    )
    yield _kind(
        _integers("prime", "is_prime", 1, 1), "prime 质数 素数", "number 吗 不 否 是不是 是否"
    )
    yield _kind(
        _integers("divisors", "divisors", 1, 1),
        "divisors 约数 因数",
        "many positive have number there 有 个 几个 多少个 正 正约数 正因数 共",
    )
    yield _kind(_remainder, "remainder modulo 余数", "when divided on dividing 除以")
    yield _kind(
        _relations,
        "",
        "inequality 不等式 一元二次不等式 一元一次不等式 which x 解集 satisfies holds true hold",
    )
    yield _kind(_value, "", "sum 一共")


_KINDS = tuple(_kinds())
_PHRASES = sorted(
    {word for kind in _KINDS for word in kind.words if not word.isascii()}, key=len, reverse=True
)
