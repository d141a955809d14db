"""What was said since a message, for the model to sum up."""

import discord

from bot import notices
from bot.files.question import quote
from bot.notices import Refused
from bot.question import clean_name

MOST_MESSAGES = 100
MOST_CHARS = 12_000
LONGEST_LINE = 1_000


async def transcript(first: discord.Message) -> str:
    """The messages from `first` on, as lines of a name and a text.

    Raises:
        Refused: the bot may not read them, or none has words.
    """
    try:
        later = [m async for m in first.channel.history(after=first, limit=MOST_MESSAGES - 1)]
    except (discord.Forbidden, discord.NotFound) as error:
        raise Refused(notices.HISTORY_FORBIDDEN) from error
    lines = [line for message in (first, *later) if (line := _line(message))]
    if later and len(lines) <= 1 and not any(m.content for m in later if not m.author.bot):
        raise Refused(notices.HISTORY_UNREADABLE)
    if not lines:
        raise Refused(notices.EMPTY_PROMPT)
    return quote("\n".join(_fitting(lines)))


def _line(message: discord.Message) -> str:
    """Line breaks would let a text pass for somebody else's line."""
    text = " ".join(message.clean_content.split())[:LONGEST_LINE]
    files = " ".join(f"[{clean_name(file.filename)}]" for file in message.attachments)
    said = " ".join(part for part in (text, files) if part)
    return f"{clean_name(message.author.display_name)}: {said}" if said else ""


def _fitting(lines: list[str]) -> list[str]:
    """The newest lines that fit."""
    kept: list[str] = []
    room = MOST_CHARS
    for line in reversed(lines):
        room -= len(line) + 1
        if room < 0:
            break
        kept.append(line)
    return kept[::-1]
