"""Code blocks of CommonMark, turned into code blocks that Discord shows.

Discord knows one fence: three backticks, a language of a few plain characters, a line end; the
next three backticks close it. Models also write tildes, longer fences, attributes behind the
language, and blocks within a block of Markdown.

The result grows with the text: what was returned for a beginning of a text, while that was not
complete, is a beginning of what is returned for more of it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from bot.render.link_defang import settled_part
from bot.render.markdown_spans import MAX_LANGUAGE, TICKS

_INDENT = r"[ ]*+(?:>[ ]?)*+[ ]*+"
_FENCE = re.compile(rf"(?P<indent>{_INDENT})(?P<mark>`{{3,}}|~{{3,}})(?P<info>[^\n]*)")
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
# A last line whose meaning depends on the next line. In a block any three backticks count.
_UNDECIDED = re.compile(rf"{_INDENT}(?:`{{0,2}}|`{{3,}}[^`\n]*|~{{1,2}}|~{{3,}}[^\n]*)\Z")
_LANGUAGE = re.compile(rf"[A-Za-z0-9_+\-.#]{{1,{MAX_LANGUAGE}}}")
_MANY_TICKS = re.compile("`{3,}")

# Models nest blocks in these without making the outer fence longer.
_NESTING = {"markdown", "md"}


@dataclass(frozen=True)
class _Open:
    indent: str
    mark: str
    language: str
    depth: int = 0  # blocks open within this one

    def closed_by(self, mark: str) -> bool:
        return mark[0] == self.mark[0] and len(mark) >= len(self.mark)


def discord_fences(text: str, *, complete: bool) -> str:
    """Return the text with code fences that Discord understands.

    While the text is not `complete`, a last line that may yet become a fence is left out, and so is
    a link that may yet have to be shown as text. A complete text ends its last block.
    """
    return "".join(_lines(text, complete=complete))


def code_block(text: str, language: str = "") -> str:
    """Return a code block that its text cannot close."""
    return f"{TICKS}{language}\n{_without_fences(text.strip(chr(10)))}\n{TICKS}"


def _lines(text: str, *, complete: bool) -> Iterator[str]:
    block: _Open | None = None
    for whole_line in _LINE.findall(text):
        is_partial = not complete and not whole_line.endswith("\n")
        line = _settled_part(whole_line, block) if is_partial else whole_line
        found = _FENCE.match(line)
        if block is None:
            block, shown = _read_outside(line, found)
        else:
            block, shown = _read_inside(line, found, block)
        yield shown
    if complete and block is not None:
        yield f"{'' if text.endswith(chr(10)) else chr(10)}{block.indent}{TICKS}"


def _settled_part(line: str, block: _Open | None) -> str:
    """Return the part of a last line that can be shown whatever follows."""
    if _UNDECIDED.match(line):
        return ""
    return settled_part(line if block is None else line.rstrip("`"))


def _read_outside(line: str, found: re.Match[str] | None) -> tuple[_Open | None, str]:
    if found is None or "`" in found["info"]:  # inline code is no fence
        return None, line
    language = _LANGUAGE.search(found["info"])
    block = _Open(found["indent"], found["mark"], language[0].lower() if language else "")
    shown = f"{found['indent']}{TICKS}{language[0] if language else ''}"
    return block, shown + _line_end(line)


def _read_inside(line: str, found: re.Match[str] | None, block: _Open) -> tuple[_Open | None, str]:
    if found and block.closed_by(found["mark"]):
        if found["info"].strip() and block.language in _NESTING:
            block = replace(block, depth=block.depth + 1)
        elif not found["info"].strip() and block.depth:
            block = replace(block, depth=block.depth - 1)
        elif not found["info"].strip():
            return None, f"{found['indent']}{TICKS}{_line_end(line)}"
    return block, _without_fences(line)


def _without_fences(text: str) -> str:
    """Return the text with backticks that look the same and close no fence."""
    return _MANY_TICKS.sub(lambda found: "\u200b".join(found[0]), text)


def _line_end(line: str) -> str:
    return line[len(line.rstrip("\r\n")) :]
