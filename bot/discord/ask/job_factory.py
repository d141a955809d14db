"""Jobs from Discord's events: an interaction or a message."""

from dataclasses import dataclass

import discord
from msgspec.structs import replace

from bot import notices
from bot.config import BotSettings
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
from bot.notices import QuestionRefused
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
    """Return the id of the conversation: the channel's, or the one that this person has here.

    A personal installation brings the bot to a server without it, or to messages between people.
    Nobody else there agreed to share a conversation, so each person has their own.
    """
    channel = str(interaction.channel_id)
    if private:
        return f"{channel}.{interaction.user.id}"
    is_shared = interaction.is_guild_integration() or interaction.context.dm_channel
    return channel if is_shared else f"{channel}.{interaction.user.id}.shown"


@dataclass(frozen=True)
class AskOptions:
    """A person's wishes for an answer, besides the question."""

    private: bool = False  # for them alone
    quoted: bool = True  # above the answer: Discord tells readers only of the command
    about: str = ""  # the address of the message that the question is about
    quotes: tuple[Quote, ...] = ()  # that the model reads below the prompt
    material: str = ""  # the quoted part of an earlier prompt
    capability: str = "chat"
    thinking: bool | None = None
    attachments: tuple[Attachment, ...] = ()
    footnotes: tuple[Footnote, ...] = ()
    order: ArticleOrder | None = None  # of an article
    seed: int | None = None


def from_interaction(
    interaction: discord.Interaction,
    prompt: str,
    settings: BotSettings,
    options: AskOptions | None = None,
) -> Job:
    """Create the job of a command, menu or form.

    Raises:
        QuestionRefused: the prompt cannot be asked.
    """
    options = options or AskOptions()
    prompt = clean_prompt(prompt, settings.commonroom_max_prompt_chars)
    if options.material:
        prompt = f"{prompt}\n\n{clean_prompt(options.material, MATERIAL_CHARS)}"
    target = _interaction_target(interaction, options)
    return Job(
        id=str(interaction.id),
        channel=conversation(interaction, private=options.private),
        user=str(interaction.user.id),
        user_name=clean_name(interaction.user.display_name),
        server=server_of(interaction),
        prompt=prompt,
        reader=settings.reader,
        reply=reply_target.encode(target).decode(),
        locale=str(interaction.locale),
        capability=options.capability,
        thinking=options.thinking,
        attachments=options.attachments,
        order=options.order,
        sampling=Sampling(seed=options.seed),
        ttl_ms=CHANNEL_TTL_MS if target.may_write else TOKEN_TTL_MS,
    )


def repeat_job(interaction: discord.Interaction, failed: Job, settings: BotSettings) -> Job:
    """Create a job that asks a failed one's question again, by a button."""
    before: ReplyTarget = reply_target.decode(failed.reply)
    command = before if isinstance(before, InteractionTarget) else None
    options = AskOptions(
        private=command is not None and command.private,
        quoted=command is None or command.quoted,
        about=command.about if command else "",
        footnotes=before.footnotes,
    )
    target = replace(_interaction_target(interaction, options), read_along=before.read_along)
    return replace(
        failed,
        id=str(interaction.id),
        reader=settings.reader,
        reply=reply_target.encode(target).decode(),
        ttl_ms=CHANNEL_TTL_MS if target.may_write else TOKEN_TTL_MS,
        # The conversation may have continued since.
        parent=None,
        continues="",
        trace="",
    )


def _interaction_target(interaction: discord.Interaction, options: AskOptions) -> InteractionTarget:
    return InteractionTarget(
        application=str(interaction.application_id),
        token=interaction.token,
        channel=str(interaction.channel_id),
        created_s=int(interaction.created_at.timestamp()),
        may_write=_may_write(interaction) and not options.private,
        private=options.private,
        personal=not (interaction.is_guild_integration() or interaction.context.dm_channel),
        quoted=options.quoted,
        about=options.about,
        footnotes=options.footnotes,
    )


def _may_write(interaction: discord.Interaction) -> bool:
    """Return whether the bot may send ordinary messages where the interaction was."""
    if interaction.guild_id is None:
        return interaction.context.dm_channel
    allowed = interaction.app_permissions
    in_thread = isinstance(interaction.channel, discord.Thread)
    send = allowed.send_messages_in_threads if in_thread else allowed.send_messages
    return interaction.is_guild_integration() and allowed.view_channel and send


def from_message(
    message: discord.Message, me: discord.ClientUser, settings: BotSettings
) -> Question:
    """Create the question of a message.

    Raises:
        QuestionRefused: there is nothing in it to ask.
    """
    target = references.resolved_target(message)
    is_own = target is not None and target.author.id == me.id  # an answer, which is remembered
    reply = None if is_own else references.reply_of(message)
    quotes = references.own_quotes(message)
    files = message_text.files_of(message)
    if target is not None and not is_own:
        quotes += references.quotes_of(target, me.id, references.REPLIED_TO)
        files += message_text.files_of(target)
    known = (message.id, references.reply_target(message))
    thread = references.thread_of(message.channel, _permissions(message), known)
    to_fetch = (None if target else reply, thread)
    prompt = "\n".join(
        filter(None, (_strip_mentions(me, message), message_text.extras_of(message)))
    )
    asked = bool(prompt.strip()) or not (files or quotes or any(to_fetch))
    if not asked:
        key = "prompt-reply" if reply else "prompt-files" if files or quotes else "prompt-thread"
        prompt = words(locale_of(message))(key)
    own_words = clean_prompt(prompt, settings.commonroom_max_prompt_chars)
    preview = quotes if target or not reply else [*quotes, *references.deleted_target(message)]
    prompt, _ = with_quotes(own_words, preview, QUOTED_BYTES)  # until the model's context is known
    answers_to = references.reply_target(message)
    job = Job(
        id=str(message.id),
        channel=str(message.channel.id),
        user=str(message.author.id),
        user_name=clean_name(message.author.display_name),
        server=str(message.guild.id if message.guild else message.author.id),
        prompt=prompt,
        reader=settings.reader,
        reply=reply_target.encode(
            MessageTarget(
                channel=str(message.channel.id),
                message=str(message.id),
                about=_message_url(message, answers_to) if answers_to else "",
            )
        ).decode(),
        locale=locale_of(message),
        ttl_ms=CHANNEL_TTL_MS,
    )
    return Question(
        job,
        files,
        asked,
        own_words=own_words,
        quotes=tuple(quotes),
        references=tuple(filter(None, to_fetch)),
    )


def is_addressed_to(me: discord.ClientUser, message: discord.Message) -> bool:
    """Return whether this is a person's direct message, mention of the bot, or reply to it."""
    if message.author.bot or message.webhook_id or message.type not in message_text.USER_TYPES:
        return False
    called = me in message.mentions or bool(_own_roles(me, message))
    return message.guild is None or called or references.is_reply_to_bot(message, me.id)


def require_readable(me: discord.ClientUser, message: discord.Message) -> None:
    """Refuse a reply that Discord blanks, since it does not mention the bot and the bot has no
    message-content intent.

    Raises:
        QuestionRefused: this is such a reply.
    """
    if message.guild and message_text.is_blank(message) and me not in message.mentions:
        raise QuestionRefused(notices.UNREADABLE_PROMPT)


def locale_of(message: discord.Message) -> str:
    """Return the server's language, since a message does not tell its author's."""
    return str(message.guild.preferred_locale) if message.guild else "en-US"


def _permissions(message: discord.Message) -> discord.Permissions:
    """Return a message's author's permissions in its thread."""
    place, author = message.channel, message.author
    if isinstance(place, discord.Thread) and isinstance(author, discord.Member) and place.parent:
        return place.permissions_for(author)
    return discord.Permissions.none()


def _message_url(message: discord.Message, target: int) -> str:
    """Return the address of a message of the same channel."""
    server = message.guild.id if message.guild else "@me"
    return f"https://discord.com/channels/{server}/{message.channel.id}/{target}"


def _strip_mentions(me: discord.ClientUser, message: discord.Message) -> str:
    """Return the text without mentions of the bot at its ends, and with names in place of other
    mentions."""
    calls = [f"<@{me.id}>", f"<@!{me.id}>"]
    calls += [role.mention for role in _own_roles(me, message)]
    text, before = message.content.strip(), ""
    while text != before:
        before = text
        for call in calls:
            text = text.removeprefix(call).removesuffix(call).strip()
    return message_text.replace_markup(text, message)


def _own_roles(me: discord.ClientUser, message: discord.Message) -> list[discord.Role]:
    """Return the bot's own role if the message mentions it. It has the bot's name."""
    roles = message.role_mentions
    return [role for role in roles if role.tags and role.tags.bot_id == me.id]
