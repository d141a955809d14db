"""Messages that a question points at: the one that it replies to, the one that began its thread,
or a part of its channel.

What Discord sends along with the question is quoted at once. The rest is fetched when the question
is asked: nobody waits for it, and the next process can do it as well.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Sequence

import aiohttp
import discord
import msgspec
from redis.exceptions import RedisError

from bot import notices
from bot.discord.ask import message_text
from bot.discord.ask.admission import PATIENCE_S
from bot.discord.delivery.reply_target import Footnote
from bot.notices import Notice, QuestionRefused
from bot.pending_questions import Question, Quote, Reference
from bot.sanitize import clean_name
from jobqueue.errors import QueueUnavailable
from jobqueue.history import History
from jobqueue.schema import Job

FETCH_S = 10.0
CACHED_MESSAGES = 200
MAX_FILES = 20  # of a question, and of all that it points at
TRANSCRIPT_MESSAGES = 100
TRANSCRIPT_LINE = 1_000  # characters
TRANSCRIPT_TITLE = "Messages of this channel, the oldest first"
REPLIED_TO = ", replied to"
REPLY_TYPES = (discord.MessageReferenceType.default, discord.MessageReferenceType.reply)
# The model reads this in place of a message. The person sees a notice in their language.
UNREAD = {
    "deleted": "(This message was deleted and cannot be read.)",
    "hidden": "(The bot is not allowed to read this message.)",
    "forbidden": "(The bot is not allowed to read this message.)",
    "unreadable": "(The bot is not allowed to read this message.)",
    "lost": "(This message could not be fetched.)",
}

log = logging.getLogger(__name__)

MessageKey = tuple[int, int | None, str]  # a person, a channel, and a message there


class MessageCache:
    """The newest messages that people opened a form about.

    Without the message-content intent Discord shows another person's message only to the command
    that was used on it.
    """

    def __init__(self) -> None:
        self._messages: OrderedDict[MessageKey, discord.Message] = OrderedDict()

    def add(self, key: MessageKey, message: discord.Message) -> None:
        self._messages[key] = message
        if len(self._messages) > CACHED_MESSAGES:
            self._messages.popitem(last=False)

    def find(self, key: MessageKey) -> discord.Message | None:
        return self._messages.get(key)


# --- sent along with the question ---------------------------------------------------------------


def reply_target(message: discord.Message) -> int | None:
    """Return the id of the message that this one replies to."""
    reference = message.reference
    is_reply = reference is not None and reference.type in REPLY_TYPES
    return reference.message_id if reference and is_reply else None


def resolved_target(message: discord.Message) -> discord.Message | None:
    """Return the message that this one replies to, if Discord sent a readable one along."""
    target = _raw_target(message)
    is_readable = isinstance(target, discord.Message) and not message_text.is_blank(target)
    return target if isinstance(target, discord.Message) and is_readable else None


def _raw_target(
    message: discord.Message,
) -> discord.Message | discord.DeletedReferencedMessage | None:
    return message.reference.resolved if message.reference and reply_target(message) else None


def is_reply_to_bot(message: discord.Message, me: int) -> bool:
    """Return whether a message replies to one of the bot's."""
    target = _raw_target(message)
    return isinstance(target, discord.Message) and target.author.id == me


def deleted_target(message: discord.Message) -> list[Quote]:
    """Return a quote that says that the message replied to is gone, if Discord says so."""
    gone = isinstance(_raw_target(message), discord.DeletedReferencedMessage)
    return [Quote("Message replied to", UNREAD["deleted"])] if gone else []


def reply_of(message: discord.Message) -> Reference | None:
    """Return a reference to the message that this one replies to."""
    target = reply_target(message)
    if target is None or message.reference is None:
        return None
    return Reference("reply", channel=str(message.reference.channel_id), message=str(target))


def thread_of(
    channel: object, allowed: discord.Permissions, known: Sequence[int | None] = ()
) -> Reference | None:
    """Return a reference to a thread, with the message that began it if that is to be fetched.

    It is not fetched if it is one of those `known`, or if its person is not `allowed` to read
    earlier messages.
    """
    if not isinstance(channel, discord.Thread):
        return None
    in_forum = isinstance(channel.parent, discord.ForumChannel)
    is_unknown = channel.id not in known
    return Reference(
        "thread",
        channel=str(channel.id if in_forum else channel.parent_id),
        message=str(channel.id) if is_unknown and allowed.read_message_history else "",
        title=channel.name,
        tags=tuple(tag.name for tag in channel.applied_tags),
        in_forum=in_forum,
    )


def quotes_of(message: discord.Message, me: int, how: str = "") -> list[Quote]:
    """Quote a message for the model; `how` says in what way the question points at it.

    A message that holds only pictures has no quote.
    """
    pictures = all(file.picture for file in message_text.files_of(message))
    if pictures and not message_text.text_of(message, me, files=False):
        return []
    title = f"Message by {speaker(message, me)}{how}"
    name = clean_name(message.author.display_name)
    return [Quote(title, message_text.text_of(message, me), name)]


def quotes_about(message: discord.Message, me: int) -> tuple[Quote, ...]:
    """Quote a message that is asked about by its menu, and the one that it replies to."""
    target = resolved_target(message)
    context = quotes_of(target, me, ", replied to by that one") if target else []
    return (*quotes_of(message, me), *context)


def with_own_target(message: discord.Message, me: int, question: Question) -> Question:
    """Return the question with the bot's message that it replies to, which has no record."""
    target = resolved_target(message)
    if target is None or not is_reply_to_bot(message, me) or message_text.is_growing(target):
        return question
    quotes = (*question.quotes, *quotes_of(target, me, REPLIED_TO))
    return msgspec.structs.replace(question, quotes=quotes)


def without_target(question: Question) -> Question:
    """Return the question without its reply reference: a turn of the conversation holds that."""
    others = tuple(each for each in question.references if each.kind != "reply")
    return msgspec.structs.replace(question, references=others)


def speaker(message: discord.Message, me: int) -> str:
    """Return who said it. No name holds a parenthesis."""
    name = clean_name(message.author.display_name)
    if message.author.id == me:
        return f"{name} (you)"
    return f"{name} (bot)" if message.author.bot or message.webhook_id else name


def own_quotes(message: discord.Message) -> list[Quote]:
    """Return what a question's own message shows beside its person's words: a message that it
    forwards, and previews of its addresses."""
    name = clean_name(message.author.display_name)
    quotes = []
    if forwarded := message_text.forwarded_by(message):
        quotes.append(Quote(f"Message forwarded by {name}", forwarded, name))
    if previews := message_text.previews_of(message):
        quotes.append(Quote(f"Message by {name}, previews of its addresses", previews, name))
    return quotes


# --- fetched ------------------------------------------------------------------------------------


async def resolve_references(
    client: discord.Client, history: History, question: Question
) -> tuple[Question, list[Notice]]:
    """Return the question with the messages that it points at, and notices on unreadable ones.

    Raises:
        QuestionRefused: nothing was asked, and nothing that the question points at can be read.
    """
    me = client.user.id if client.user else 0
    quotes, files, notes = list(question.quotes), list(question.files), list[Notice]()
    for reference in question.references:
        if reference.kind == "thread" and await has_history(history, question.job):
            continue  # it was read with the first question
        found = await _fetch_message(client, reference)
        if isinstance(found, discord.Message):
            files += message_text.files_of(found)
        elif found:
            notes.append(Notice(f"{reference.kind}-{found}"))
        quotes += _quote_reference(reference, found, me)
    if not question.asked and not files and len(notes) == len(quotes):
        raise QuestionRefused(notes[0] if notes else notices.EMPTY_PROMPT)
    if len(files) > MAX_FILES:
        notes.append(Notice("files-more", arguments={"count": len(files) - MAX_FILES}))
    pointed_at = msgspec.structs.replace(
        question, quotes=tuple(dict.fromkeys(quotes)), files=tuple(files[:MAX_FILES]), references=()
    )
    return pointed_at, notes


async def has_history(history: History, job: Job) -> bool:
    """Return whether the model remembers something of this conversation."""
    if job.parent:
        return True
    try:
        async with asyncio.timeout(PATIENCE_S):
            return bool(await history.get_head(job.channel))
    except (TimeoutError, QueueUnavailable, RedisError):
        return False


async def _fetch_message(client: discord.Client, reference: Reference) -> discord.Message | str:
    """Return the message, or why it cannot be read. Return "" where there is none to read."""
    if not reference.message:
        return ""
    known = client.get_channel(int(reference.channel))
    unknown = client.get_partial_messageable(int(reference.channel))
    place = known if isinstance(known, discord.abc.Messageable) else unknown
    try:
        async with asyncio.timeout(FETCH_S):
            message = await place.fetch_message(int(reference.message))
    except discord.NotFound:
        return "" if reference.kind == "thread" and not reference.in_forum else "deleted"
    except discord.Forbidden:
        return "forbidden" if reference.kind == "reply" else "unreadable"
    except (discord.HTTPException, aiohttp.ClientError, OSError) as error:  # or it took too long
        log.warning("message not fetched message=%s: %r", reference.message, error)
        return "lost"
    await message_text.learn_names(message)
    return "hidden" if message_text.is_blank(message) else message


def _quote_reference(reference: Reference, found: discord.Message | str, me: int) -> list[Quote]:
    if reference.kind == "reply":
        if isinstance(found, discord.Message):
            return quotes_of(found, me, REPLIED_TO)
        return [Quote("Message replied to", UNREAD[found])]
    head = f"Title: {reference.title}"
    if reference.tags:
        head += f"\nTags: {', '.join(reference.tags)}"
    if isinstance(found, discord.Message):
        text = f"{head}\n\n{message_text.text_of(found, me)}"
        return [Quote(f"Thread begun by {speaker(found, me)}", text, reference.title)]
    return [Quote("Thread of this question", f"{head}\n{UNREAD.get(found, '')}", reference.title)]


# --- a part of a channel ------------------------------------------------------------------------


async def read_transcript(first: discord.Message, me: int) -> tuple[Quote, tuple[Footnote, ...]]:
    """Return a channel's messages from `first` on as lines of a name and a text, and footnotes on
    what is missing there.

    Raises:
        QuestionRefused: the bot may not read them, or none has words.
    """
    try:
        later = [m async for m in first.channel.history(after=first, limit=TRANSCRIPT_MESSAGES)]
    except (discord.Forbidden, discord.NotFound) as error:
        raise QuestionRefused(notices.HISTORY_FORBIDDEN) from error
    messages = [first, *later[: TRANSCRIPT_MESSAGES - 1]]
    blank = sum(message_text.is_blank(message) for message in messages if message.author.id != me)
    people = [m for m in messages[1:] if not m.author.bot and not message_text.is_blank(m)]
    if blank and not people:
        raise QuestionRefused(notices.HISTORY_UNREADABLE)
    lines = [line for message in messages if (line := _transcript_line(message, me))]
    if not lines:
        raise QuestionRefused(notices.EMPTY_PROMPT)
    missing = []
    if blank:
        missing.append(Footnote("summary-unread", {"count": blank}))
    if len(later) == TRANSCRIPT_MESSAGES:
        missing.append(Footnote("summary-more", {"count": TRANSCRIPT_MESSAGES}))
    return Quote(TRANSCRIPT_TITLE, "\n".join(lines), newest=True), tuple(missing)


def _transcript_line(message: discord.Message, me: int) -> str:
    """Return one line: a line break would let a text pass for somebody else's line."""
    if message.author.id == me and message.embeds and not message.content:
        return ""  # a card that tells of a question, and says nothing itself
    text = " ".join(message_text.text_of(message, me).split())
    if len(text) > TRANSCRIPT_LINE:
        text = f"{text[:TRANSCRIPT_LINE]} […]"
    target = resolved_target(message)
    to = f" (replying to {speaker(target, me)})" if target else ""
    return f"{speaker(message, me)}{to}: {text}" if text else ""
