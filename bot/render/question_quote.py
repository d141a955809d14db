"""The question, quoted above its answer.

Discord tells a channel's readers that somebody used a command, and not what they asked.
"""

import re
from collections.abc import Iterator

from bot.render.format_answer import escape_markdown
from bot.render.link_defang import harmless_links
from bot.render.split import units

LONGEST = 300  # UTF-16 units, about
LINES = 4

# An address in angle brackets brings no card along. Mentions ping nobody, and read as names.
_WHOLE = re.compile(r"(?P<address>https?://[^\s<>`]+)|<(?:@[!&]?|#)\d+>|<a?:\w+:\d+>")
_NEXT = "\n> "


def quotation(text: str, longest: int = LONGEST, lines: int | None = LINES) -> str:
    """Quote as many of the first lines as fit, without any markup in them."""
    every = [line.strip() for line in text.splitlines() if line.strip()]
    kept = every[:lines]
    quoted, room = "> ", longest - units("> …")
    for piece in _pieces("\n".join(kept)):
        room -= units(piece)
        if room < 0:
            return harmless_links(f"{quoted.removesuffix(_NEXT)}…")
        quoted += piece
    return harmless_links(f"{quoted}…" if len(kept) < len(every) else quoted)


def _pieces(text: str) -> Iterator[str]:
    """Split the text into pieces that are shown whole or not at all."""
    done = 0
    for match in _WHOLE.finditer(text):
        yield from map(_plain, text[done : match.start()])
        yield f"<{match[0]}>" if match["address"] else match[0]
        done = match.end()
    yield from map(_plain, text[done:])


def _plain(character: str) -> str:
    return _NEXT if character == "\n" else escape_markdown(character)
