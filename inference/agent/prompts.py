"""What an agent says: to a model that is to try again, and as the answer."""

import re
from collections.abc import Mapping

from inference.maths.question_parser import Reading
from inference.tool_parsers.one_line_forms import as_code_fence
from inference.tools.base import Outcome

PROGRAM_WANTED = "Write a program that computes this and prints the result."
MAX_BOXED = 300
MAX_LINE = 160

_BOXED = re.compile(r"\\boxed\{((?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*)\}")


def describe_files(files: Mapping[str, bytes]) -> str:
    """Describe for a prompt how programs open the files and how each file begins."""
    return "\n".join(
        f"Attached file {name!r}, begins with: {_first_line(data)!r}"
        for name, data in files.items()
    )


def _first_line(data: bytes) -> str:
    return data[:MAX_LINE].decode("utf-8-sig", "replace").partition("\n")[0].strip()


def describe_refutation(reading: Reading | None) -> str:
    hint = (
        f"\n\nThe question, read word for word:\n{as_code_fence(reading.form)}" if reading else ""
    )
    return f"A check shows that this result is wrong. Compare it with the question.{hint}"


def is_chinese(prompt: str, locale: str) -> bool:
    """Return whether an answer is worded in Chinese: that is the question's language or the
    person's."""
    return bool(re.search(r"[\u3400-\u9fff]", prompt)) or locale.startswith("zh")


def answer(said: str, outcome: Outcome | None, latex: str, *, chinese: bool = False) -> str:
    """The model's words, and in a box what the program printed: never another result.

    A program that only drew a figure has answered too: one sentence points to the figure.
    """
    if outcome is None:
        return said.strip()
    words = _BOXED.sub(r"\1", said).strip()
    result = _result(outcome, latex, chinese=chinese)
    text = "\n\n".join(part for part in (words, result) if part)
    return text or (point_to_figure(chinese=chinese) if outcome.figures else "")


def point_to_figure(*, chinese: bool) -> str:
    return "图中是程序画出的结果。" if chinese else "The figure shows the result."


# What programs of `maths.programs` print in words, and the same in English and Chinese.
_PHRASES = tuple(
    (re.compile(pattern), english, chinese)
    for pattern, english, chinese in (
        (r"no solution", r"no solution", r"无解"),
        (r"true for all real (\w+) except (.+)", r"\g<0>", r"对除 \2 以外的所有实数 \1 成立"),
        (r"true for all real ([\w ]+?) where (.+)", r"\g<0>", r"对所有满足 \2 的实数 \1 成立"),
        (r"true for all real ([\w ]+)", r"\g<0>", r"对所有实数 \1 成立"),
        (r"true for all (.+) where (.+)", r"\g<0>", r"对所有满足 \1 且 \2 的实数成立"),
        (r"true for all (.+)", r"\g<0>", r"对所有满足 \1 的实数成立"),
        (
            r"infinitely many solutions: (.+) for every real (.+) where (.+)",
            r"\g<0>",
            r"有无穷多组解：\1，其中 \2 为任意实数，且 \3",
        ),
        (
            r"infinitely many solutions: (.+) for every real (.+)",
            r"\g<0>",
            r"有无穷多组解：\1，其中 \2 为任意实数",
        ),
        (
            r"the limit does not exist: it oscillates between (.+) and (.+)",
            r"\g<0>",
            r"极限不存在：函数在 \1 与 \2 之间振荡",
        ),
        (
            r"the limit does not exist: (.+) from the left, (.+) from the right",
            r"\g<0>",
            r"极限不存在：左极限为 \1，右极限为 \2",
        ),
        (r"the limit does not exist", r"\g<0>", r"极限不存在"),
        (r"a number of more than ([\d,]+) digits", r"\g<0>", r"一个超过 \1 位的数"),
        (r"(.+), repeated every (.+)", r"\g<0>", r"\1，每隔 \2 重复一次"),
        (r"infinite, with the sign of (.+)", r"\g<0>", r"无穷大，符号与 \1 相同"),
        (r"undefined|-?infinity", r"\g<0>", r"\g<0>"),
    )
)
_SIGNS = {
    ">=": ("≥", "≥"),
    "<=": ("≤", "≤"),
    "!=": ("≠", "≠"),
    " and ": (" and ", " 和 "),
    " or ": (" or ", " 或 "),
    "-infinity": ("minus infinity", "负无穷大"),
    "infinity": ("infinity", "正无穷大"),
    "undefined": ("undefined", "无定义"),
}
_NO_NUMBER = {"zoo": "undefined", "nan": "undefined", "oo": "infinity", "inf": "infinity"}
_INFINITE = re.compile(rf"(?<![\w.])(?:{'|'.join(_NO_NUMBER)})(?![\w(])")
_SHORT_MATHEMATICS = re.compile(
    r"(?!.*[^\W\d_] +[^\W\d_])(?:[^\W\d_]{1,4}\b|[\d\s=+\-*/().,\[\]{}:<>|&^_])+"
)


def _in_words(line: str, *, chinese: bool) -> str:
    """A line that a program printed, if it says something in words or names an infinity."""
    if _SHORT_MATHEMATICS.fullmatch(line):
        reworded = _INFINITE.sub(lambda found: _NO_NUMBER[found[0]], line)
        return line if reworded == line else _with_signs(reworded, chinese=chinese)
    for pattern, english, translated in _PHRASES:
        if found := pattern.fullmatch(line):
            return _with_signs(found.expand(translated if chinese else english), chinese=chinese)
    return line


def _with_signs(text: str, *, chinese: bool) -> str:
    for sign, written in _SIGNS.items():
        text = text.replace(sign, written[chinese])
    return re.sub(r"(?<=[\u3400-\u9fff]) (?=[\u3400-\u9fff])", "", text)


def _result(outcome: Outcome, latex: str, *, chinese: bool) -> str:
    printed = "\n".join(
        _in_words(line, chinese=chinese) for line in outcome.text.strip().splitlines()
    )
    if latex:
        return f"$$\\boxed{{{latex}}}$$"
    if printed and len(printed) <= MAX_BOXED and len(printed.splitlines()) == 1:
        return f"**{printed}**"
    return f"```\n{printed}\n```" if printed else ""
