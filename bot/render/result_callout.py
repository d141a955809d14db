r"""The final answer of a problem, set apart from its solution.

It ends with its result: a formula in a `\boxed{…}`, or what a program printed, in bold. What reads
the same on a line is shown large; what does not is drawn, in its box.
"""

from collections.abc import Iterator

import regex

from bot.render.formulas import Formula, extract
from bot.render.latex_to_unicode import linear
from bot.render.split import units

SHORT_UNITS = 90  # what is shown large

_BOX = regex.compile(r"\\boxed\s*(?=\{)")
_BRACE = regex.compile(r"[{}]")
_DISPLAY = "$$"
_PRINTED = regex.compile(r"\*\*([^\n]+)\*\*")
_CODE = regex.compile(r"[`~]{3,}")
_MARKUP = regex.compile(r"[*_~|`]")
_ESCAPED = r"\\\g<0>"
_STANDS_ALONE = regex.compile(r"\A(?:[#>|]|[-*] )|\$\$|\\\[|\\begin")


def set_apart(text: str) -> str:
    """The answer with its result as a quotation, and large where that is one short line."""
    text = text.strip()
    words, _, last = text.rpartition("\n\n")
    if (result := _result(last)) is None:
        return _whole(_with_formulas(text))
    return f"{_with_formulas(words)}\n\n{result}" if words else result


def _result(paragraph: str) -> str | None:
    if (latex := _boxed_content(paragraph)) is not None:
        line = linear(latex)
        reads_the_same = line is not None and line.flat and len(line.text) <= SHORT_UNITS
        return rf"> ## \({latex}\)" if reads_the_same else paragraph
    printed = _PRINTED.fullmatch(paragraph)
    if printed is None or units(paragraph) > SHORT_UNITS:
        return None
    is_plain = "$" not in printed[1] and "\\" not in printed[1]
    return f"> ## {_MARKUP.sub(_ESCAPED, printed[1]) if is_plain else printed[1]}"


def _whole(text: str) -> str:
    if _CODE.search(text):
        return text  # a block of code stands apart by itself
    is_short = "\n" not in text and units(text) <= SHORT_UNITS
    if is_short and not _STANDS_ALONE.search(text):
        return f"> ## {text}"
    return "\n".join(f"> {line}" for line in text.split("\n"))


def _with_formulas(text: str) -> str:
    """Each box is in a formula; one with words in it is just bold."""
    return "".join(
        segment.source if isinstance(segment, Formula) else _without_boxes(segment)
        for segment in extract(text)
    )


def _without_boxes(text: str) -> str:
    pieces, done = [], 0
    for start, opening, closing in _boxes(text):
        if start >= done:
            pieces += [text[done:start], _formula(text[opening + 1 : closing].strip())]
            done = closing + 1
    return "".join((*pieces, text[done:]))


def _boxed_content(paragraph: str) -> str | None:
    """Return what is in its box, of a formula on display that is nothing else."""
    if not (paragraph.startswith(_DISPLAY) and paragraph.endswith(_DISPLAY)):
        return None
    formula = paragraph[len(_DISPLAY) : -len(_DISPLAY)].strip()
    start, opening, closing = next(_boxes(formula), (-1, 0, 0))
    is_all = start == 0 and closing == len(formula) - 1
    return formula[opening + 1 : closing].strip() if is_all else None


def _boxes(text: str) -> Iterator[tuple[int, int, int]]:
    """Yield where each box begins, and its braces."""
    closings: dict[int, int] = {}
    openings: list[int] = []
    for brace in _BRACE.finditer(text):
        if brace[0] == "{":
            openings.append(brace.start())
        elif openings:
            closings[openings.pop()] = brace.start()
    for box in _BOX.finditer(text):
        if box.end() in closings:
            yield box.start(), box.end(), closings[box.end()]


def _formula(inside: str) -> str:
    is_formula = any(isinstance(segment, Formula) for segment in extract(f"${inside}$"))
    return f"${inside}$" if is_formula else f"**{inside}**"
