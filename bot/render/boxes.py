r"""The final answer of a problem, set apart.

Mathematical models end with `\boxed{…}`, in a formula or amid plain words; there it is made a
formula, which the typesetter knows to draw.
"""

import regex

from bot.render.formulas import Formula, extract
from bot.render.split import units

SHORT_UNITS = 90  # what is shown large

_BOX = regex.compile(r"\\boxed\s*(?P<braces>\{(?:[^{}]++|(?P>braces))*+\})")
_CODE = regex.compile(r"[`~]{3,}")
_STANDS_ALONE = regex.compile(r"\A(?:[#>|]|[-*] )|\$\$|\\\[|\\begin")


def set_apart(text: str) -> str:
    """The answer as a quotation, and large where it is one short line."""
    text = _with_formulas(text.strip())
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
