"""Jobs from what Discord brings: a slash command or a message."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

import discord
import msgspec

from bot import notices
from bot.config import Settings
from bot.discord import destination
from bot.discord.destination import BelowInteraction, BelowMessage, Destination, Footnote
from bot.files.question import quote
from bot.held import Posted, Question
from bot.notices import Refused
from bot.question import clean_name, clean_prompt
from bot.words import words
from jobqueue.article import Order
from jobqueue.schema import Attachment, Job, Sampling

# An answer below an interaction must be there before its token ends, unless the bot may go on
# without it.
TOKEN_TTL_MS = 13 * 60_000
CHANNEL_TTL_MS = 60 * 60_000

MATERIAL_CHARS = 20_000  # messages that a question is about

SPOKEN = (discord.MessageType.default, discord.MessageType.reply)


def conversation(interaction: discord.Interaction, *, private: bool = False) -> str:
    """Everybody's in this channel, or the one that this person has here alone."""
    channel = str(interaction.channel_id)
    return f"{channel}.{interaction.user.id}" if private else channel


@dataclass(frozen=True)
class How:
    """What a person wants of an answer, besides what they ask."""

    private: bool = False  # for them alone
    quoted: bool = True  # above the answer: Discord tells readers only of the command
    about: str = ""  # the address of the message that the question is about
    material: str = ""  # that the model reads along with the prompt
    capability: str = "chat"
    thinking: bool | None = None
    attachments: tuple[Attachment, ...] = ()
    footnotes: tuple[Footnote, ...] = ()
    order: Order | None = None  # of an article
    seed: int | None = None


def from_interaction(
    interaction: discord.Interaction, prompt: str, settings: Settings, how: How | None = None
) -> Job:
    """Raises `Refused` when the prompt cannot be asked."""
    how = how or How()
    below = _below(interaction, how)
    return Job(
        id=str(interaction.id),
        channel=conversation(interaction, private=how.private),
        user=str(interaction.user.id),
        user_name=clean_name(interaction.user.display_name),
        server=str(interaction.guild_id or interaction.user.id),
        prompt=_with(clean_prompt(prompt, settings.commonroom_max_prompt_chars), how.material),
        reader=settings.reader,
        reply=destination.encode(below).decode(),
        locale=str(interaction.locale),
        capability=how.capability,
        thinking=how.thinking,
        attachments=how.attachments,
        order=how.order,
        sampling=Sampling(seed=how.seed),
        ttl_ms=_ttl_ms(below),
    )


def repeated(interaction: discord.Interaction, failed: Job, settings: Settings) -> Job:
    """The same question once more, by a button."""
    before: Destination = destination.decode(failed.reply)
    asked = before if isinstance(before, BelowInteraction) else None
    how = How(
        private=asked is not None and asked.private,
        quoted=asked is None or asked.quoted,
        about=asked.about if asked else "",
        footnotes=before.footnotes,
    )
    below = _below(interaction, how)
    return msgspec.structs.replace(
        failed,
        id=str(interaction.id),
        reader=settings.reader,
        reply=destination.encode(below).decode(),
        ttl_ms=_ttl_ms(below),
        # Where it stood may be no end of the conversation any more.
        parent=None,
        continues="",
        trace="",
    )


def _below(interaction: discord.Interaction, how: How) -> BelowInteraction:
    return BelowInteraction(
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


def _ttl_ms(below: BelowInteraction) -> int:
    return CHANNEL_TTL_MS if below.may_write else TOKEN_TTL_MS


def _with(prompt: str, material: str) -> str:
    return f"{prompt}\n\n{clean_prompt(material, MATERIAL_CHARS)}" if material else prompt


def from_message(message: discord.Message, me: discord.ClientUser, settings: Settings) -> Question:
    """Raises `Refused` when there is nothing in it to ask."""
    files = posted((*message.attachments, *_replied_to(me, message)))
    said = _spoken_to(me, message)
    asked = bool(said.strip()) or not files
    prompt = said if asked else words(locale_of(message))("prompt-files")
    job = _job_of(message, prompt, settings)
    return Question(job, files, asked)


def _job_of(message: discord.Message, prompt: str, settings: Settings) -> Job:
    below = BelowMessage(channel=str(message.channel.id), message=str(message.id))
    return Job(
        id=str(message.id),
        channel=str(message.channel.id),
        user=str(message.author.id),
        user_name=clean_name(message.author.display_name),
        server=str(message.guild.id if message.guild else message.author.id),
        prompt=clean_prompt(prompt, settings.commonroom_max_prompt_chars),
        reader=settings.reader,
        reply=destination.encode(below).decode(),
        locale=locale_of(message),
        ttl_ms=CHANNEL_TTL_MS,
    )


def is_for(me: discord.ClientUser, message: discord.Message) -> bool:
    """A person's direct message, mention of the bot, or reply to it."""
    if message.author.bot or message.webhook_id or message.type not in SPOKEN:
        return False
    return message.guild is None or me in message.mentions or _answers(me, message)


def require_readable(me: discord.ClientUser, message: discord.Message) -> None:
    """Without the message-content intent Discord blanks a reply that does not mention the bot.

    Raises:
        Refused: this is such a reply.
    """
    unread = not message.content and not message.attachments
    if message.guild and unread and me not in message.mentions:
        raise Refused(notices.UNREADABLE_PROMPT)


def locale_of(message: discord.Message) -> str:
    """Messages do not tell their author's language; the server's is the nearest."""
    return str(message.guild.preferred_locale) if message.guild else "en-US"


def _replied_to(me: discord.ClientUser, message: discord.Message) -> list[discord.Attachment]:
    """The files of a person's message that this one replies to: it asks about them."""
    referred = message.reference.resolved if message.reference else None
    if isinstance(referred, discord.Message) and referred.author.id != me.id:
        return referred.attachments
    return []


def _answers(me: discord.ClientUser, message: discord.Message) -> bool:
    referred = message.reference.resolved if message.reference else None
    return isinstance(referred, discord.Message) and referred.author.id == me.id


def _spoken_to(me: discord.ClientUser, message: discord.Message) -> str:
    """The text without the mention that calls the bot, and with names in place of the others."""
    names = {str(user.id): f"@{clean_name(user.display_name)}" for user in message.mentions}
    names[str(me.id)] = ""
    return re.sub(r"<@!?(\d+)>", lambda found: names.get(found[1], found[0]), message.content)


def _may_write(interaction: discord.Interaction) -> bool:
    """Whether the bot may send ordinary messages where the interaction was."""
    if interaction.guild_id is None:
        return interaction.context.dm_channel
    allowed = interaction.app_permissions
    in_thread = isinstance(interaction.channel, discord.Thread)
    send = allowed.send_messages_in_threads if in_thread else allowed.send_messages
    return interaction.is_guild_integration() and allowed.view_channel and send


def posted(attachments: Iterable[discord.Attachment]) -> tuple[Posted, ...]:
    return tuple(
        Posted(url=file.url, name=file.filename, size=file.size, voice=file.is_voice_message())
        for file in attachments
    )


def quoted(message: discord.Message) -> str:
    """Somebody's message for the model to read."""
    return f"Message by {clean_name(message.author.display_name)}:\n{quote(message.content)}"
