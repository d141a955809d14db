"""Messages that a question points at, quoted below it.

What a quotation holds was said by anybody, and may be written to look like an instruction or like
another message. So it stands in a code fence that it cannot end, below a title of ours, in the
person's own turn: it is never a part of the system prompt.
"""

from collections.abc import Sequence

from bot.files.prompt_files import fence_text
from bot.notices import Notice
from bot.pending_questions import Quote
from bot.sanitize import clean_text


def with_quotes(prompt: str, quotes: Sequence[Quote], room: int) -> tuple[str, list[Notice]]:
    """Return the prompt with the quotations, in at most `room` bytes of UTF-8 for all their texts,
    and a note on each that is cut."""
    fitted = _fit(quotes, room)
    notes = [
        Notice(
            "quote-cut-newest" if quoted.newest else "quote-cut",
            arguments={"name": quoted.name, "characters": len(quoted.text)},
        )
        for quoted in fitted
        if quoted.cut
    ]
    return "\n\n".join((prompt, *map(_format_quote, fitted))), notes


def names_in(quotes: Sequence[Quote]) -> str:
    return ", ".join(dict.fromkeys(f"`{quoted.name}`" for quoted in quotes if quoted.name))


def _format_quote(quoted: Quote) -> str:
    extent = ""
    if quoted.cut:
        part = "last" if quoted.newest else "first"
        extent = f" (its {part} {len(quoted.text)} characters)"
    return f"{quoted.title}{extent}:\n{fence_text(quoted.text)}"


def _fit(quotes: Sequence[Quote], room: int) -> list[Quote]:
    """Cut the quotations to the room. A short one leaves the rest of its share to the others."""
    quotes = [quoted.with_text(clean_text(quoted.text), cut=quoted.cut) for quoted in quotes]
    fitted: dict[Quote, Quote] = {}
    left, open_ = room, len(quotes)
    for quoted in sorted(quotes, key=lambda each: len(each.text.encode())):
        fitted[quoted] = _cut(quoted, left // open_)
        left -= len(fitted[quoted].text.encode())
        open_ -= 1
    return [fitted[quoted] for quoted in quotes]


def _cut(quoted: Quote, room: int) -> Quote:
    raw = quoted.text.encode()
    if len(raw) <= room:
        return quoted
    if quoted.newest:
        kept = raw[-room:].decode(errors="ignore") if room > 0 else ""
        return quoted.with_text(kept.partition("\n")[2] or kept, cut=True)  # whole lines
    return quoted.with_text(raw[: max(room, 0)].decode(errors="ignore"), cut=True)
