"""A Discord message as text and files for a model to read: all that a person sees of it.

Somebody else than the asker wrote it, perhaps in order to deceive. So the result is for a
quotation (`bot.quotes`), never for a prompt by itself.
"""

import asyncio
import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime

import aiohttp
import discord

from bot.pending_questions import PostedFile
from bot.sanitize import clean_name

MAX_LOOKUPS = 5  # of people, for one message
LOOKUP_S = 1.0
USER_TYPES = (discord.MessageType.default, discord.MessageType.reply)
COMMAND_TYPES = (discord.MessageType.chat_input_command, discord.MessageType.context_menu_command)

MessageLike = discord.Message | discord.MessageSnapshot

_MARKUP = re.compile(
    r"<(?:@!?(?P<user>\d{1,20})|@&(?P<role>\d{1,20})|#(?P<channel>\d{1,20})"
    r"|a?:(?P<emoji>\w{1,32}):\d{1,20}|t:(?P<time>-?\d{1,13})(?::[a-zA-Z])?"
    r"|/(?P<command>[^:<>\n]{1,100}):\d{1,20}|id:(?P<page>[a-z-]{1,20}))>"
)
_TICKS = re.compile(r"(`+)")


# --- markup -------------------------------------------------------------------------------------


def replace_markup(text: str, message: discord.Message) -> str:
    """Return the text with names in place of mentions, emoji, times and commands.

    Code stays as it is, since Discord reads none of these there.
    """
    users = {user.id: user for user in (*message.mentions, message.author)}
    guild = message.guild

    def user(number: int) -> object:
        return users.get(number) or (guild and guild.get_member(number))

    def name(found: re.Match[str]) -> str:
        kind, value = found.lastgroup or "", found[found.lastgroup or 0]
        if kind == "user":
            return f"@{_name_of(user(int(value))) or 'unknown-user'}"
        if kind == "role":
            return f"@{_name_of(guild and guild.get_role(int(value))) or 'unknown-role'}"
        if kind == "channel":
            return f"#{_channel_name(message, int(value)) or 'unknown'}"
        if kind == "time":
            return _format_time(int(value)) or found[0]
        return {"emoji": f":{value}:", "command": f"/{value}", "page": f"#{value}"}[kind]

    return outside_code(text, lambda prose: _MARKUP.sub(name, prose))


def outside_code(text: str, change: Callable[[str], str]) -> str:
    """Return the text with `change` made to what is not between backticks, in linear time."""
    pieces = _TICKS.split(text)  # prose and runs of backticks by turns
    runs: dict[str, list[int]] = defaultdict(list)
    for index in range(1, len(pieces), 2):
        runs[pieces[index]].append(index)
    output, at = [], 0
    while at < len(pieces):
        output.append(change(pieces[at]))
        if at + 1 < len(pieces):
            same = runs[pieces[at + 1]]
            later = bisect_right(same, at + 1)
            end = same[later] if later < len(same) else at + 1
            output += pieces[at + 1 : end + 1]
            at = end
        at += 1
    return "".join(output)


def _name_of(thing: object) -> str:
    """Return the name of a person, role or channel; empty for one that the bot does not know."""
    name = getattr(thing, "display_name", "") or getattr(thing, "name", "")
    return clean_name(name) if name else ""


def _channel_name(message: discord.Message, number: int) -> str:
    """Return a channel's name, or "" if the message's author may not see the channel."""
    guild = message.guild
    channel = guild.get_channel_or_thread(number) if guild else None
    if guild is None or channel is None:
        return ""
    reader = message.author if isinstance(message.author, discord.Member) else guild.default_role
    try:
        is_visible = channel.permissions_for(reader).view_channel
    except discord.ClientException:  # a thread whose channel is not known
        is_visible = False
    return _name_of(channel) if is_visible else ""


def _format_time(seconds: int) -> str:
    try:
        when = datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return ""
    return f"{when:%Y-%m-%d %H:%M} UTC"


async def learn_names(*messages: discord.Message | None) -> None:
    """Fetch people whom a card or a forwarded message mentions.

    Discord sends only those whom the message's own text mentions.
    """
    for message in messages:
        if message is None or message.guild is None or message.guild.me is None:
            continue
        known = {user.id for user in message.mentions}
        source = "\n".join(_parts(message, buttons=False, files=False))
        mentioned = dict.fromkeys(
            int(found["user"]) for found in _MARKUP.finditer(source) if found["user"]
        )
        unknown = [number for number in mentioned if number not in known][:MAX_LOOKUPS]
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOKUP_S):
                found = await asyncio.gather(
                    *(_fetch_member(message.guild, each) for each in unknown)
                )
                message.mentions += [member for member in found if member]


async def _fetch_member(guild: discord.Guild, number: int) -> discord.Member | None:
    try:
        return await guild.fetch_member(number)
    except (discord.HTTPException, aiohttp.ClientError, OSError):
        return None  # they left, or the bot is not in this server


# --- text ---------------------------------------------------------------------------------------


def is_blank(message: discord.Message) -> bool:
    """Return whether a message is empty: Discord hides what the bot may not read."""
    return message.type in (*USER_TYPES, *COMMAND_TYPES) and not any(
        (
            message.content,
            message.embeds,
            message.attachments,
            message.components,
            message.stickers,
            message.poll,
            any(map(_has_content, message.message_snapshots)),
        )
    )


def _has_content(source: discord.MessageSnapshot) -> bool:
    return bool(
        source.content
        or source.embeds
        or source.attachments
        or source.components
        or source.stickers
    )


def is_growing(message: discord.Message) -> bool:
    """Return whether this is an answer that is still being written: it has a Stop button."""
    items = iterate_components(message.components)
    return any((getattr(item, "custom_id", None) or "").startswith("stop:") for item in items)


def text_of(message: discord.Message, me: int, *, files: bool = True) -> str:
    """Return all that a message says, with the names of its files if `files`.

    Buttons of the bot's own messages are left out.
    """
    parts = _parts(message, buttons=message.author.id != me, files=files)
    return "\n".join(replace_markup(part, message) for part in parts if part)


def _parts(message: discord.Message, *, buttons: bool, files: bool) -> Iterator[str]:
    yield _message_words(message)
    yield from _extras(message, buttons=buttons, files=files)
    yield from _forwarded_parts(message, files=files)


def extras_of(message: discord.Message) -> str:
    """Return what a person's message says beside its words: its stickers and its poll."""
    return "\n".join((*_stickers(message), *_poll(message)))


def forwarded_by(message: discord.Message) -> str:
    """Return what a message forwards."""
    return "\n".join(
        replace_markup(part, message) for part in _forwarded_parts(message, files=True) if part
    )


def previews_of(message: discord.Message) -> str:
    """Return what Discord shows of the addresses in a message."""
    return replace_markup("\n".join(_embeds(message)), message)


def _forwarded_parts(message: discord.Message, *, files: bool) -> Iterator[str]:
    """Yield the parts of forwarded messages; Discord does not tell who wrote them."""
    for source in message.message_snapshots:
        yield f"[Forwarded message{_forwarded_from(message)}]"
        yield source.content
        yield from _extras(source, buttons=True, files=files)


def _forwarded_from(message: discord.Message) -> str:
    """Return where a forwarded message stood, if the bot knows that channel."""
    reference, guild = message.reference, message.guild
    if reference is None or guild is None or reference.guild_id != guild.id:
        return ""
    channel = _channel_name(message, reference.channel_id)
    return f" from #{channel}" if channel else ""


def _message_words(message: discord.Message) -> str:
    if message.type in (*USER_TYPES, *COMMAND_TYPES):
        return message.content
    if message.type is discord.MessageType.thread_starter_message:
        first = message.reference.resolved if message.reference else None
        return text_of(first, 0) if isinstance(first, discord.Message) else ""
    try:
        words = message.system_content
    except (AttributeError, LookupError, TypeError, ValueError):  # it takes much for granted
        words = ""
    return f"[System message] {words or message.content or message.type.name}"


def _extras(source: MessageLike, *, buttons: bool, files: bool) -> Iterator[str]:
    yield from _embeds(source)
    yield from _components(source.components, buttons=buttons)
    if isinstance(source, discord.Message):
        yield from _poll(source)
    yield from _stickers(source)
    if files:
        yield from map(_describe_file, source.attachments)


def _embeds(source: MessageLike) -> Iterator[str]:
    for embed in source.embeds:
        of = " · ".join(filter(None, (embed.provider.name, embed.author.name)))
        yield " ".join(filter(None, ("[Embed]", of and f"{of}:", embed.title))).strip()
        yield embed.description or ""
        for field in embed.fields:
            yield f"{field.name}: {field.value}"
        yield embed.footer.text or ""
        yield from ("[Picture]" for _ in _embed_picture_urls(embed))


def iterate_components(components: Iterable[object]) -> Iterator[object]:
    """Yield components in their order, without those that only contain others."""
    for part in components:
        match part:
            case discord.SectionComponent():
                yield from iterate_components((*part.children, part.accessory))
            case discord.ActionRow() | discord.Container():
                yield from iterate_components(part.children)
            case _:
                yield part


def _components(components: Iterable[object], *, buttons: bool) -> Iterator[str]:
    """Yield all that is written on components, in their order."""
    for part in iterate_components(components):
        match part:
            case discord.TextDisplay():
                yield part.content
            case discord.MediaGalleryComponent():
                yield from (_describe("Picture", "", item.description) for item in part.items)
            case discord.ThumbnailComponent():
                yield _describe("Picture", "", part.description)
            case discord.FileComponent():
                yield _describe("File", part.name or "", None)
            case discord.Button() if buttons and part.label:
                yield f"[Button: {part.label}]" + (f" {part.url}" if part.url else "")
            case discord.SelectMenu() if buttons:
                choices = ", ".join(option.label for option in part.options)
                yield f"[Menu: {part.placeholder or ''} {choices}]"
            case _:
                pass


def _poll(message: discord.Message) -> Iterator[str]:
    if message.poll is None:
        return
    yield f"[Poll] {message.poll.question}"
    for answer in message.poll.answers:
        votes = f" ({answer.vote_count} votes)" if answer.vote_count else ""
        yield f"- {_format_emoji(answer.emoji)}{answer.text or ''}{votes}"


def _format_emoji(emoji: discord.PartialEmoji | discord.Emoji | None) -> str:
    if emoji is None:
        return ""
    return f"{emoji} " if isinstance(emoji, discord.PartialEmoji) and not emoji.id else ""


def _stickers(source: MessageLike) -> Iterator[str]:
    return (f"[Sticker: {clean_name(sticker.name)}]" for sticker in source.stickers)


def _describe_file(file: discord.Attachment) -> str:
    if file.is_voice_message():
        length = f", {round(file.duration)} s" if file.duration else ""
        return f"[Voice message{length}]"
    kind = "Picture" if (file.content_type or "").startswith("image/") else "File"
    return _describe(kind, file.filename, file.description)


def _describe(kind: str, name: str, description: str | None) -> str:
    label = ": ".join(filter(None, (clean_name(name) if name else "", description)))
    return f"[{kind}: {label}]" if label else f"[{kind}]"


# --- files --------------------------------------------------------------------------------------


def files_of(message: discord.Message) -> tuple[PostedFile, ...]:
    """Return the files and pictures of a message, whichever way it shows them."""
    found = [*_files(message)]
    for source in message.message_snapshots:
        found += _files(source)
    first = message.reference.resolved if message.reference else None
    is_starter = message.type is discord.MessageType.thread_starter_message
    if is_starter and isinstance(first, discord.Message):
        found += _files(first)
    return tuple({_path_in(file.url): file for file in reversed(found)}.values())[::-1]


def pictures_of(message: discord.Message) -> tuple[PostedFile, ...]:
    """Return the pictures of a message, as their senders declare them."""
    return tuple(file for file in files_of(message) if file.picture)


def describe_attachments(attachments: Iterable[discord.Attachment]) -> tuple[PostedFile, ...]:
    return tuple(
        PostedFile(
            url=file.url,
            name=file.filename,
            size=file.size,
            voice=file.is_voice_message(),
            picture=(file.content_type or "").startswith("image/"),
        )
        for file in attachments
    )


def _files(source: MessageLike) -> Iterator[PostedFile]:
    yield from describe_attachments(source.attachments)
    for embed in source.embeds:
        for url in _embed_picture_urls(embed):
            yield from _posted_picture(url)
    yield from _component_files(source.components)


def _component_files(components: Iterable[object]) -> Iterator[PostedFile]:
    for part in iterate_components(components):
        match part:
            case discord.MediaGalleryComponent():
                for item in part.items:
                    yield from _posted_picture(item.media.proxy_url)
            case discord.ThumbnailComponent():
                yield from _posted_picture(part.media.proxy_url)
            case discord.FileComponent():
                url = part.media.proxy_url or ""
                if url:
                    yield PostedFile(url=url, name=part.name or _name_in(url), size=part.size or 0)
            case _:
                pass


def _embed_picture_urls(embed: discord.Embed) -> list[str]:
    """Return the addresses of an embed's pictures, except those that decorate a preview."""
    if embed.type not in ("rich", "image", "gifv"):
        return []
    is_picture = embed.type != "rich"
    urls = (embed.image.proxy_url, embed.thumbnail.proxy_url if is_picture else None)
    return [url for url in urls if url]


def _posted_picture(proxy_url: str | None) -> Iterator[PostedFile]:
    """Yield the picture. Only Discord writes this address, so nobody can send the bot elsewhere."""
    if proxy_url:
        yield PostedFile(url=proxy_url, name=_name_in(proxy_url), size=0, picture=True)


def _path_in(url: str) -> str:
    """Return the path of an address.

    A file has signed addresses on several hosts, all with one path.
    """
    return url.partition("?")[0].partition("://")[2].partition("/")[2]


def _name_in(url: str) -> str:
    return _path_in(url).rpartition("/")[2] or "picture"
