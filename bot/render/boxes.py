r"""The final answer of a problem, set apart.

It ends with its result: a formula in a `\boxed{…}`, or what a program printed, in bold. What reads
the same on a line is shown large; what does not is drawn, in its box.
"""

import regex

from bot.render.formulas import Formula, extract
from bot.render.linear import linear
from bot.render.split import units

SHORT_UNITS = 90  # what is shown large

_BOX = regex.compile(r"\\boxed\s*(?P<braces>\{(?:[^{}]++|(?P>braces))*+\})")
_RESULT = regex.compile(rf"\$\$\s*{_BOX.pattern}\s*\$\$")
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
    if boxed := _RESULT.fullmatch(paragraph):
        latex = boxed["braces"][1:-1].strip()
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
        segment.source if isinstance(segment, Formula) else _BOX.sub(_formula, segment)
        for segment in extract(text)
    )


def _formula(box: regex.Match[str]) -> str:
    inside = box["braces"][1:-1].strip()
    is_formula = any(isinstance(segment, Formula) for segment in extract(f"${inside}$"))
    return f"${inside}$" if is_formula else f"**{inside}**"
