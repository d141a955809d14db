r"""Finds the mathematics in an answer.

Models write `$…$` and `\(…\)` in a line, `$$…$$`, `\[…\]` and bare environments on display. A
dollar sign is also money and a shell's variable, so a single one opens a formula only as in
Pandoc: nothing but a space or a mark before it, no space behind it, the closing one touching the
formula and followed by no letter or digit; and only if what is between looks like mathematics.
"""

import re
from dataclasses import dataclass

from bot.render.markdown_spans import MarkdownSpans

_FORMULA = re.compile(
    r"""
      (?P<code> (?<!`) (?P<ticks>`+) (?!`) .+? (?<!`) (?P=ticks) (?!`) )
    | \$\$ (?P<dollars> (?: \\[^\n] | (?!\$\$|\n[ ]*\n|```) [^\\] | \\(?=\n) )+ ) \$\$
    | \\\[ (?P<brackets> (?: \\[^\[\]\n] | (?!\n[ ]*\n|```) [^\\] | \\(?=\n) )+ ) \\\]
    | (?P<environment>
        \\begin\{ (?P<name> (?:align|alignat|flalign|equation|gather|multline|eqnarray|split
                            |aligned|alignedat|gathered|[bpvBV]?matrix|smallmatrix|[dr]?cases)
                            \*? ) \}
        (?: (?!\n[ ]*\n|```) . ){1,3000}? \\end\{ (?P=name) \} )
    | \\\( (?P<parentheses> (?: \\[^()\n] | (?!\n[ ]*\n|```) [^\\] | \\(?=\n) )+ ) \\\)
    | (?<![\\$A-Za-z0-9]) \$
        (?P<dollar> (?=[^\s$]) (?: \\. | [^$`\\] ){0,400}? (?: \\\S | [^\s\\$`] ) )
      \$ (?![A-Za-z0-9$])
    | \\.
    """,
    re.VERBOSE | re.DOTALL,
)
_DISPLAY = ("dollars", "brackets", "environment")
_INLINE = ("parentheses", "dollar")

# The beginning of a quoted line; a list mark may stand before or after the quotation mark.
_LINE_PREFIX = re.compile(r"(?:[ ]{0,9}(?:>|[-*+](?=[ ])|\d{1,9}[.)](?=[ ])))*")
_COMMAND_OR_TEXT = re.compile(r"\\(?:text\w*|mathrm|operatorname)\{[^}]*\}|\\[A-Za-z]+")
_WORDS = re.compile(r"[A-Za-z]{3,}\s+[A-Za-z]{2,}|\n\s*\n")
_WORDS_BESIDE = re.compile(r"[^\W\d_]{2}|[\u3040-\u9fff]")
_NOT_LATIN_OR_GREEK = re.compile(r"[\u1100-\u11ff\u2e80-\ua4cf\uac00-\ud7af\uff00-\uffef]")
# Prices, paths and regular expressions between two dollar signs: `$20 or 30$`, `**$20** or **5$**`,
# `$HOME/bin:$`, `^a$|^b$`.
_NOT_MATHEMATICS = re.compile(
    r"""
      \A \d[\d.,]* \s? [kKmMbB]? [*_~]{0,3} \s+
      (?:or|and|to|per|for|each|from|is|was|in|an?|the|vs|plus|than|oder|und|bis|ou|et|à|o|y
        |или|и) \b
    | \A (?: [,;:!?)}] | \|\^ )
    | (?<!\\) [(/:^_{&] \Z | \s [*~_]{1,3} \Z | \A \d[\d.,]* \s+ \|\| \Z
    | \*\* | " | ://
    """,
    re.VERBOSE,
)


@dataclass(frozen=True)
class Formula:
    latex: str
    display: bool
    source: str  # as it stood in the text, delimiters included


Segment = str | Formula


def sources(text: str) -> list[str]:
    """Return the LaTeX of each formula once."""
    found = (part.latex.strip() for part in extract(text) if isinstance(part, Formula))
    return list(dict.fromkeys(found))


def extract(text: str) -> list[Segment]:
    """Split the text into prose and formulas. Their joined sources are the text."""
    marks = MarkdownSpans(text)
    segments: list[Segment] = []
    done = at = 0
    while found := _FORMULA.search(text, at):
        formula = None if marks.language(found.start()) is not None else _formula(found, text)
        if formula is None:
            # After a dollar sign that opens no formula, the next one may open one.
            at = found.start() + 1 if found["dollar"] else found.end()
            continue
        segments += [text[done : found.start()], formula]
        done = at = found.end()
    return [segment for segment in (*segments, text[done:]) if segment]


def _formula(found: re.Match[str], text: str) -> Formula | None:
    name = found.lastgroup
    if name not in (*_DISPLAY, *_INLINE):
        return None
    latex = _unquote(found[name], text, found.start()).strip()
    if not latex or (name == "dollar" and not _is_mathematics(latex)):
        return None
    is_alone = name in _DISPLAY and not _amid_words(text, *found.span())
    return Formula(latex, is_alone, found[0])


def _unquote(latex: str, text: str, start: int) -> str:
    """Return the formula without the quotation marks of the lines that it stands in."""
    if "\n" not in latex:
        return latex
    line = text.rfind("\n", 0, start) + 1
    prefix = _LINE_PREFIX.match(text, line, start)
    depth = prefix[0].count(">") if prefix and not text.startswith(">>>", line) else 0
    return re.sub(rf"\n(?:[ ]*>){{1,{depth}}}[ ]?", "\n", latex) if depth else latex


def _amid_words(text: str, start: int, end: int) -> bool:
    """Return whether words of the line stand on both sides: `where $$x$$ is …`."""
    before = text[text.rfind("\n", 0, start) + 1 : start]
    after = text[end:].partition("\n")[0]
    return all(_WORDS_BESIDE.search(side) for side in (before, after))


def _is_mathematics(latex: str) -> bool:
    outside_text = _COMMAND_OR_TEXT.sub(" ", latex)
    if _NOT_MATHEMATICS.search(latex):
        return False
    return not _WORDS.search(outside_text) and not _NOT_LATIN_OR_GREEK.search(outside_text)
