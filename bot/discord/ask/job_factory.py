"""Jobs from what Discord brings: a slash command or a message."""

from dataclasses import dataclass

import discord
import msgspec

from bot import notices
from bot.config import Settings
from bot.discord.access import server_of
from bot.discord.ask import message_text, references
from bot.discord.delivery import reply_target
from bot.discord.delivery.reply_target import (
    Footnote,
    InteractionTarget,
    MessageTarget,
    ReplyTarget,
)
from bot.i18n import words
from bot.notices import Refused
from bot.pending_questions import Question, Quote
from bot.quotes import with_quotes
from bot.sanitize import clean_name, clean_prompt
from jobqueue.article import ArticleOrder
from jobqueue.schema import Attachment, Job, Sampling

# An answer below an interaction must be there before its token ends, unless the bot may go on
# without it.
TOKEN_TTL_MS = 13 * 60_000
CHANNEL_TTL_MS = 60 * 60_000

MATERIAL_CHARS = 20_000  # messages that a question is about
QUOTED_BYTES = 12_000


def conversation(interaction: discord.Interaction, *, private: bool = False) -> str:
    """Everybody's in this channel, or the one that this person has here alone.

    Where the bot is only because somebody brought it along, in a server without it or in a message
    between people, nobody else agreed to share a conversation: each person has their own.
    """
    channel = str(interaction.channel_id)
    if private:
        return f"{channel}.{interaction.user.id}"
    is_shared = interaction.is_guild_integration() or interaction.context.dm_channel
    return channel if is_shared else f"{channel}.{interaction.user.id}.shown"


@dataclass(frozen=True)
class AskOptions:
    """What a person wants of an answer, besides what they ask."""

    private: bool = False  # for them alone
    quoted: bool = True  # above the answer: Discord tells readers only of the command
    about: str = ""  # the address of the message that the question is about
    quotes: tuple[Quote, ...] = ()  # that the model reads below the prompt
    material: str = ""  # the same of a question of before, as it stood in its prompt
    capability: str = "chat"
    thinking: bool | None = None
    attachments: tuple[Attachment, ...] = ()
    footnotes: tuple[Footnote, ...] = ()
    order: ArticleOrder | None = None  # of an article
    seed: int | None = None


def from_interaction(
    interaction: discord.Interaction, prompt: str, settings: Settings, how: AskOptions | None = None
) -> Job:
    """Raises `Refused` when the prompt cannot be asked."""
    how = how or AskOptions()
    below = _below(interaction, how)
    return Job(
        id=str(interaction.id),
        channel=conversation(interaction, private=how.private),
        user=str(interaction.user.id),
        user_name=clean_name(interaction.user.display_name),
        server=server_of(interaction),
        prompt=_with(clean_prompt(prompt, settings.commonroom_max_prompt_chars), how.material),
        reader=settings.reader,
        reply=reply_target.encode(below).decode(),
        locale=str(interaction.locale),
        capability=how.capability,
        thinking=how.thinking,
        attachments=how.attachments,
        order=how.order,
        sampling=Sampling(seed=how.seed),
        ttl_ms=_ttl_ms(below),
    )


def repeat_job(interaction: discord.Interaction, failed: Job, settings: Settings) -> Job:
    """The same question once more, by a button."""
    before: ReplyTarget = reply_target.decode(failed.reply)
    asked = before if isinstance(before, InteractionTarget) else None
    how = AskOptions(
        private=asked is not None and asked.private,
        quoted=asked is None or asked.quoted,
        about=asked.about if asked else "",
        footnotes=before.footnotes,
    )
    below = msgspec.structs.replace(_below(interaction, how), read_along=before.read_along)
    return msgspec.structs.replace(
        failed,
        id=str(interaction.id),
        reader=settings.reader,
        reply=reply_target.encode(below).decode(),
        ttl_ms=_ttl_ms(below),
        # Where it stood may be no end of the conversation any more.
        parent=None,
        continues="",
        trace="",
    )


def _below(interaction: discord.Interaction, how: AskOptions) -> InteractionTarget:
    return InteractionTarget(
        application=str(interaction.application_id),
        token=interaction.token,
        channel=str(interaction.channel_id),
        created_s=int(interaction.created_at.timestamp()),
        may_write=_may_write(interaction) and not how.private,
        private=how.private,
        personal=not (interaction.is_guild_integration() or interaction.context.dm_channel),
        quoted=how.quoted,
        about=how.about,
        footnotes=how.footnotes,
    )


def _ttl_ms(below: InteractionTarget) -> int:
    return CHANNEL_TTL_MS if below.may_write else TOKEN_TTL_MS


def _with(prompt: str, material: str) -> str:
    return f"{prompt}\n\n{clean_prompt(material, MATERIAL_CHARS)}" if material else prompt


def from_message(message: discord.Message, me: discord.ClientUser, settings: Settings) -> Question:
    """Raises `Refused` when there is nothing in it to ask."""
    target = references.resolved_target(message)
    own = target is not None and target.author.id == me.id  # an answer, which is remembered
    reply = None if own else references.reply_of(message)
    quotes = references.own_quotes(message)
    files = message_text.files_of(message)
    if target is not None and not own:
        quotes += references.quotes_of(target, me.id, references.REPLIED_TO)
        files += message_text.files_of(target)
    known = (message.id, references.reply_target(message))
    thread = references.thread_of(message.channel, _permissions(message), known)
    to_fetch = (None if target else reply, thread)
    said = "\n".join(filter(None, (_spoken_to(me, message), message_text.extras_of(message))))
    asked = bool(said.strip()) or not (files or quotes or any(to_fetch))
    if not asked:
        key = "prompt-reply" if reply else "prompt-files" if files or quotes else "prompt-thread"
        said = words(locale_of(message))(key)
    job = _job_of(message, said, settings)
    preview = quotes if target or not reply else [*quotes, *references.deleted_target(message)]
    prompt, _ = with_quotes(job.prompt, preview, QUOTED_BYTES)  # until there is a model to fit
    return Question(
        msgspec.structs.replace(job, prompt=prompt),
        files,
        asked,
        own_words=job.prompt,
        quotes=tuple(quotes),
        references=tuple(filter(None, to_fetch)),
    )


def _job_of(message: discord.Message, prompt: str, settings: Settings) -> Job:
    target = references.reply_target(message)
    below = MessageTarget(
        channel=str(message.channel.id),
        message=str(message.id),
        about=_address(message, target) if target else "",
    )
    return Job(
        id=str(message.id),
        channel=str(message.channel.id),
        user=str(message.author.id),
        user_name=clean_name(message.author.display_name),
        server=str(message.guild.id if message.guild else message.author.id),
        prompt=clean_prompt(prompt, settings.commonroom_max_prompt_chars),
        reader=settings.reader,
        reply=reply_target.encode(below).decode(),
        locale=locale_of(message),
        ttl_ms=CHANNEL_TTL_MS,
    )


def is_addressed_to(me: discord.ClientUser, message: discord.Message) -> bool:
    """A person's direct message, mention of the bot, or reply to it."""
    if message.author.bot or message.webhook_id or message.type not in message_text.SPOKEN:
        return False
    called = me in message.mentions or bool(_own_roles(me, message))
    return message.guild is None or called or references.is_reply_to_bot(message, me.id)


def require_readable(me: discord.ClientUser, message: discord.Message) -> None:
    """Without the message-content intent Discord blanks a reply that does not mention the bot.

    Raises:
        Refused: this is such a reply.
    """
    if message.guild and message_text.is_blank(message) and me not in message.mentions:
        raise Refused(notices.UNREADABLE_PROMPT)


def locale_of(message: discord.Message) -> str:
    """Messages do not tell their author's language; the server's is the nearest."""
    return str(message.guild.preferred_locale) if message.guild else "en-US"


def _permissions(message: discord.Message) -> discord.Permissions:
    """Return what its author may do there."""
    place, author = message.channel, message.author
    if isinstance(place, discord.Thread) and isinstance(author, discord.Member) and place.parent:
        return place.permissions_for(author)
    return discord.Permissions.none()


def _address(message: discord.Message, target: int) -> str:
    """Return where a message of the same channel is read."""
    server = message.guild.id if message.guild else "@me"
    return f"https://discord.com/channels/{server}/{message.channel.id}/{target}"


def _spoken_to(me: discord.ClientUser, message: discord.Message) -> str:
    """The text without the mentions that call the bot before and after it, and with names in place
    of the others."""
    calls = [f"<@{me.id}>", f"<@!{me.id}>"]
    calls += [role.mention for role in _own_roles(me, message)]
    text, before = message.content.strip(), ""
    while text != before:
        before = text
        for call in calls:
            text = text.removeprefix(call).removesuffix(call).strip()
    return message_text.readable(text, message)


def _own_roles(me: discord.ClientUser, message: discord.Message) -> list[discord.Role]:
    """The role that came with the bot, where the message mentions it: it has the bot's name."""
    roles = message.role_mentions
    return [role for role in roles if role.tags and role.tags.bot_id == me.id]


def _may_write(interaction: discord.Interaction) -> bool:
    """Whether the bot may send ordinary messages where the interaction was."""
    if interaction.guild_id is None:
        return interaction.context.dm_channel
    allowed = interaction.app_permissions
    in_thread = isinstance(interaction.channel, discord.Thread)
    send = allowed.send_messages_in_threads if in_thread else allowed.send_messages
    return interaction.is_guild_integration() and allowed.view_channel and send
