"""What was said since a message, for the model to sum up."""

import discord

from bot import notices
from bot.discord.ask import message_text, references
from bot.discord.delivery.reply_target import Footnote
from bot.notices import Refused
from bot.pending_questions import Quote

MOST_MESSAGES = 100
LONGEST_LINE = 1_000
TITLE = "Messages of this channel, the oldest first"


async def transcript(first: discord.Message, me: int) -> tuple[Quote, tuple[Footnote, ...]]:
    """The messages from `first` on, as lines of a name and a text, and what is missing there.

    Raises:
        Refused: the bot may not read them, or none has words.
    """
    try:
        later = [m async for m in first.channel.history(after=first, limit=MOST_MESSAGES)]
    except (discord.Forbidden, discord.NotFound) as error:
        raise Refused(notices.HISTORY_FORBIDDEN) from error
    said = [first, *later[: MOST_MESSAGES - 1]]
    unread = sum(message_text.is_blank(message) for message in said if message.author.id != me)
    people = [m for m in said[1:] if not m.author.bot and not message_text.is_blank(m)]
    if unread and not people:
        raise Refused(notices.HISTORY_UNREADABLE)
    lines = [line for message in said if (line := _line(message, me))]
    if not lines:
        raise Refused(notices.EMPTY_PROMPT)
    missing = []
    if unread:
        missing.append(Footnote("summary-unread", {"count": unread}))
    if len(later) == MOST_MESSAGES:
        missing.append(Footnote("summary-more", {"count": MOST_MESSAGES}))
    return Quote(TITLE, "\n".join(lines), newest=True), tuple(missing)


def _line(message: discord.Message, me: int = 0) -> str:
    """Line breaks would let a text pass for somebody else's line."""
    if message.author.id == me and message.embeds and not message.content:
        return ""  # a card that tells of a question, and says nothing itself
    said = " ".join(message_text.text_of(message, me).split())
    if len(said) > LONGEST_LINE:
        said = f"{said[:LONGEST_LINE]} […]"
    target = references.resolved_target(message)
    to = f" (replying to {references.speaker(target, me)})" if target else ""
    return f"{references.speaker(message, me)}{to}: {said}" if said else ""
