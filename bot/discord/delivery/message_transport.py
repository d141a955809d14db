"""Transports that put an answer into messages: below an interaction, or as replies to a message.

They translate the errors of discord.py and of the network:

    TransportError
    ├── Retry   the network, a 5xx or a 429 that outlasted discord.py's own retries
    └── Gone    Discord will not take this message here, however often it is tried
        ├── Rejected     it may take less: `leave_out` says what to leave out, in order
        │   └── Malformed    the message is not made as Discord wants it
        └── TokenExhausted  the interaction's token may send no further message
"""

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import replace
from functools import wraps
from io import BytesIO
from typing import Any, ParamSpec, Protocol, TypeVar, cast

import aiohttp
import discord

from bot.discord.delivery.reply_target import InteractionTarget, MessageTarget, ReplyTarget
from bot.discord.views import answer_buttons
from bot.discord.views.embeds import notice_container, notice_embed, notice_text
from bot.i18n import Words
from bot.notices import Notice
from bot.render.components_layout import Gap, Layout, Part
from bot.render.format_answer import stack
from bot.render.message_view import MessageView, Refusable
from bot.render.split import MESSAGE_UNITS

# Arguments of discord.py's `send` and `edit` for an answer's messages.

DOCUMENT = "answer.md"
LONGEST_DESCRIPTION = 256  # of a picture in a gallery


class PayloadBuilder:
    """Builds the arguments for the messages of one job."""

    def __init__(self, job_id: str, words: Words) -> None:
        self._job_id = job_id
        self._words = words

    def build_send(self, message: MessageView) -> dict[str, Any]:
        """Return the arguments of a send. An absent view must stay absent there."""
        if message.layout:
            return {
                "files": self._files(message),
                "view": self._build_layout(message, message.layout),
            }
        view = {"view": found} if (found := self._view(message)) else {}
        files = self._files(message)
        return {
            "content": self._content(message) or None,
            "embeds": self._embeds(message),
            "files": files,
            **view,
        }

    def build_edit(self, message: MessageView) -> dict[str, Any]:
        """Return the arguments of an edit. It names everything, so that nothing old is left."""
        if message.layout:
            # A message of components has no content. These fields clear the streamed text.
            return {
                "content": None,
                "embeds": [],
                "attachments": self._files(message),
                "view": self._build_layout(message, message.layout),
            }
        return {
            "content": self._content(message) or None,
            "embeds": self._embeds(message),
            "attachments": self._files(message),
            "view": self._view(message),
        }

    def _content(self, message: MessageView) -> str:
        if not (message.notice and message.card_as_text):
            return message.content
        return stack(message.content, notice_text(message.notice, self._words))[:MESSAGE_UNITS]

    def _embeds(self, message: MessageView) -> list[discord.Embed]:
        if message.notice is None or message.card_as_text:
            return []
        return [notice_embed(message.notice, self._words)]

    def _files(self, message: MessageView) -> list[discord.File]:
        """Create the files anew for each attempt, since a sent file is used up."""
        pictures = message.layout.pictures if message.layout else filter(None, [message.picture])
        named = {picture.name: picture for picture in pictures}  # one may be shown twice
        files = [
            discord.File(BytesIO(picture.png), name, description=picture.alt)
            for name, picture in named.items()
        ]
        if message.document:
            files.append(discord.File(BytesIO(message.document.encode()), DOCUMENT))
        return files

    # --- made of components ---------------------------------------------------------------------

    def _build_layout(self, message: MessageView, layout: Layout) -> discord.ui.LayoutView:
        view = discord.ui.LayoutView(timeout=None)
        for part in layout.parts:
            view.add_item(_component(part))
        if message.document:
            view.add_item(discord.ui.File(f"attachment://{DOCUMENT}"))
        if message.notice:
            view.add_item(notice_container(message.notice, self._words))
        for line in self._rows(message):
            row: discord.ui.ActionRow[discord.ui.LayoutView] = discord.ui.ActionRow()
            for button in line:
                row.add_item(button)
            view.add_item(row)
        return view

    def _rows(self, message: MessageView) -> list[list[Any]]:
        if message.buttons:
            return answer_buttons.button_rows(message.buttons, self._words)
        return (
            [[answer_buttons.stop_button(self._job_id, self._words)]] if message.stoppable else []
        )

    # --- plain ----------------------------------------------------------------------------------

    def _view(self, message: MessageView) -> discord.ui.View | None:
        if message.buttons:
            return answer_buttons.buttons_view(message.buttons, self._words)
        return self._build_growing_view(message) if message.stoppable else None

    def _build_growing_view(self, message: MessageView) -> discord.ui.View:
        view = discord.ui.View(timeout=None)
        if message.approval:
            for button in answer_buttons.approval_buttons(
                message.approval, self._job_id, self._words
            ):
                view.add_item(button)
        view.add_item(answer_buttons.stop_button(self._job_id, self._words))
        return view


def _component(part: Part) -> "discord.ui.Item[discord.ui.LayoutView]":
    if isinstance(part, str):
        return discord.ui.TextDisplay(part)
    if isinstance(part, Gap):
        return discord.ui.Separator(visible=False)
    described = part.alt[:LONGEST_DESCRIPTION] or None
    shown = discord.MediaGalleryItem(f"attachment://{part.name}", description=described)
    return discord.ui.MediaGallery(shown)


NEARBY = 50  # messages after a question among which its response is looked for
MAX_PERSONAL_MESSAGES = 6  # the response and five follow-ups
ORIGINAL = "@original"  # Discord's name for an interaction's first response
CHANNEL_PREFIX = "channel/"  # marks a message that no interaction's token may touch
NOBODY = discord.AllowedMentions.none()

P = ParamSpec("P")
R = TypeVar("R")


class TransportError(Exception):
    """Base of what a transport raises on purpose."""


class Retry(TransportError):
    """Trying again later may work."""


class Gone(TransportError):
    """Trying again is no use."""


class Rejected(Gone):
    """Discord refuses something that the message holds."""

    def __init__(self, reason: str, leave_out: Sequence[Refusable]) -> None:
        super().__init__(reason)
        self.leave_out = leave_out


class Malformed(Rejected):
    """The message is not made as Discord wants it."""


class TokenExhausted(Gone):
    """A personal installation's token has sent all its follow-ups."""


_LINKS, _TEXT, _CARD, _FILES = Refusable
_CANNOT_REPLY = 160002  # without the permission Read Message History
# Parts that may be left out, in this order, by Discord's error code or HTTP status.
# https://discord.com/developers/docs/topics/opcodes-and-status-codes
_LEAVE_OUT = {
    20009: (_FILES, _LINKS, _TEXT),  # explicit content
    40005: (_FILES,),  # too large
    50013: (_CARD, _FILES),  # a permission is missing
    200000: (_LINKS, _TEXT),  # blocked by AutoMod
    200001: (_LINKS, _TEXT),
    240000: (_LINKS, _TEXT),  # blocked by the filter of harmful links
    400001: (_FILES,),  # the server's uploads are limited
    403: (_CARD, _FILES),
    413: (_FILES,),
}
_ARCHIVED = 50083  # and so is every message in that thread
_ALWAYS = {40094: TokenExhausted, _ARCHIVED: Gone}  # the former: follow-ups are used up


def _translate_error(error: discord.HTTPException) -> TransportError:
    """Return what Discord's answer means for the message."""
    reason = str(error)
    if error.status >= 500 or error.status == 429:
        return Retry(reason)
    if error.code in _ALWAYS:
        return _ALWAYS[error.code](reason)
    if error.status == 400 and error.code not in _LEAVE_OUT:
        return Malformed(reason, (_FILES, _CARD, _TEXT))
    leave_out = _LEAVE_OUT.get(error.code) or _LEAVE_OUT.get(error.status)
    return Rejected(reason, leave_out) if leave_out else Gone(reason)


def _with_translated_errors(call: Callable[P, Awaitable[R]]) -> Callable[P, Coroutine[Any, Any, R]]:
    @wraps(call)
    async def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return await call(*args, **kwargs)
        except discord.RateLimited as error:
            raise Retry(str(error)) from error
        except discord.HTTPException as error:
            raise _translate_error(error) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Retry(repr(error)) from error

    return wrapper


async def _retry_in_open_thread(
    client: discord.Client, channel: int, request: Callable[[], Coroutine[Any, Any, R]]
) -> R:
    """Make a request. If the thread is archived, open it and repeat the request.

    Whoever may write in a thread may open it, unless a moderator has locked it.
    """
    try:
        return await request()
    except discord.HTTPException as error:
        if error.code != _ARCHIVED:
            raise
        try:
            await client.http.edit_channel(channel, archived=False)
        except discord.HTTPException:
            raise error from None
    return await request()


class Transport(Protocol):
    @property
    def first_message(self) -> str | None:
        """The message that is already there, if any."""
        ...

    @property
    def is_rate_limited(self) -> bool:
        """True if its requests count towards the 50 a second that a bot may make."""
        ...

    @property
    def max_messages(self) -> int | None:
        """The most messages that an answer may have here, or None without a limit."""
        ...

    async def typing(self) -> None:
        """Show the typing indicator for some seconds."""
        ...

    async def send(self, view: MessageView, nonce: str, *, first: bool) -> str:
        """Send a message. Return the name that `edit` and `delete` know it by.

        The same nonce within minutes gives the same message, as it is by then.
        """
        ...

    async def edit(self, message: str, view: MessageView) -> str:
        """Make the message look like `view`. Return the name it is known by from now on."""
        ...

    async def delete(self, message: str) -> None:
        """Delete the message."""
        ...


def create_transport(
    client: discord.Client, target: ReplyTarget, job_id: str, words: Words
) -> "InteractionTransport | MessageTransport":
    payload = PayloadBuilder(job_id, words)
    if isinstance(target, InteractionTarget):
        return InteractionTransport(client, target, payload, interaction=job_id)
    return MessageTransport(client, target, payload)


async def show_notice(
    client: discord.Client, message: discord.Message, notice: Notice, words: Words
) -> None:
    """Reply to a message with a notice: as a card or, where cards are not allowed, as text."""
    target = MessageTarget(channel=str(message.channel.id), message=str(message.id))
    transport = create_transport(client, target, str(message.id), words)
    view, nonce = MessageView(notice=notice), f"{message.id}.n"
    try:
        await transport.send(view, nonce, first=True)
    except Rejected:
        await transport.send(replace(view, card_as_text=True), nonce, first=True)


class MessageTransport:
    """Replies to a message: a mention, a reply or a direct message."""

    first_message: str | None = None
    is_rate_limited = True
    max_messages = None

    def __init__(
        self, client: discord.Client, target: MessageTarget, payload: PayloadBuilder
    ) -> None:
        self._client = client
        self._channel = client.get_partial_messageable(int(target.channel))
        self._question: discord.MessageReference | None = (
            discord.MessageReference(
                message_id=int(target.message),
                channel_id=int(target.channel),
                fail_if_not_exists=False,
            )
            if target.message
            else None
        )
        self._payload = payload

    @_with_translated_errors
    async def typing(self) -> None:
        await self._channel.typing()

    @_with_translated_errors
    async def send(self, view: MessageView, nonce: str, *, first: bool) -> str:
        if first and self._question:
            reply = {"reference": self._question, "mention_author": False}
            try:
                return await self._send(view, nonce, **reply)
            except discord.HTTPException as error:
                if error.code != _CANNOT_REPLY:
                    raise
                self._question = None
        return await self._send(view, nonce)

    async def _send(self, view: MessageView, nonce: str, **options: Any) -> str:
        message = await self._channel.send(
            **self._payload.build_send(view), **options, nonce=nonce, allowed_mentions=NOBODY
        )
        return str(message.id)

    @_with_translated_errors
    async def edit(self, message: str, view: MessageView) -> str:
        known = self._channel.get_partial_message(int(message))
        await _retry_in_open_thread(
            self._client,
            self._channel.id,
            lambda: known.edit(**self._payload.build_edit(view), allowed_mentions=NOBODY),
        )
        return message

    @_with_translated_errors
    async def delete(self, message: str) -> None:
        await self._channel.get_partial_message(int(message)).delete()


class InteractionTransport:
    """Below a slash command, whose token lives 15 minutes; afterwards as a bot in the channel.

    Discord lets a bot edit its own responses as ordinary messages, token or not, where it can
    see the channel. Further messages are ordinary ones from the start where it may write:
    only those have nonces.
    """

    first_message: str | None = ORIGINAL

    def __init__(
        self,
        client: discord.Client,
        target: InteractionTarget,
        payload: PayloadBuilder,
        *,
        interaction: str,
    ) -> None:
        self._client = client
        self._target = target
        self._interaction = int(interaction)
        self._webhook = discord.Webhook.partial(
            int(target.application), target.token, client=client
        )
        self._webhook.type = discord.WebhookType.application  # only those may be ephemeral
        self._channel = client.get_partial_messageable(int(target.channel))
        self._payload = payload

    @property
    def is_rate_limited(self) -> bool:
        return self._target.may_write and not self._target.token_alive

    @property
    def max_messages(self) -> int | None:
        return MAX_PERSONAL_MESSAGES if self._target.personal else None

    def _by_token(self, message: str) -> bool:
        """Return whether the token reaches a message: the response, or a follow-up."""
        by_token = self._target.token_alive or not self._target.may_write
        return by_token and not message.startswith(CHANNEL_PREFIX)

    async def _channel_message(self, message: str) -> discord.PartialMessage:
        if message == ORIGINAL:
            return await self._find_response()
        return self._channel.get_partial_message(int(message.removeprefix(CHANNEL_PREFIX)))

    async def _find_response(self) -> discord.PartialMessage:
        """Find the response itself, if the token is over before Discord has told its id."""
        interaction = discord.Object(self._interaction)
        async for message in self._channel.history(after=interaction, limit=NEARBY):
            metadata = message.interaction_metadata
            if metadata is not None and metadata.id == self._interaction:
                return self._channel.get_partial_message(message.id)
        raise Gone("the token expired, and the response is not in the channel")

    async def typing(self) -> None:
        """Do nothing: the deferred response says by itself that the bot is thinking."""

    @_with_translated_errors
    async def send(self, view: MessageView, nonce: str, *, first: bool) -> str:  # noqa: ARG002 — a reply's
        if not self._target.may_write:
            return await self._follow_up(view)
        try:
            message = await self._channel.send(
                **self._payload.build_send(view), nonce=nonce, allowed_mentions=NOBODY
            )
        except discord.Forbidden:  # the permission was taken away meanwhile
            if not self._target.token_alive:
                raise
            return await self._follow_up(view)
        return f"{CHANNEL_PREFIX}{message.id}"

    async def _follow_up(self, view: MessageView) -> str:
        message = await self._webhook.send(
            **self._payload.build_send(view),
            wait=True,
            ephemeral=self._target.private,
            allowed_mentions=NOBODY,
        )
        return str(message.id)

    @_with_translated_errors
    async def edit(self, message: str, view: MessageView) -> str:
        return await _retry_in_open_thread(
            self._client, self._channel.id, lambda: self._edit(message, view)
        )

    async def _edit(self, message: str, view: MessageView) -> str:
        change = self._payload.build_edit(view)
        if self._by_token(message):
            try:
                # discord.py's type asks for a number, but Discord also takes this name.
                edited = await self._webhook.edit_message(
                    cast("int", message), **change, allowed_mentions=NOBODY
                )
                return str(edited.id)
            except discord.HTTPException as error:
                if error.status not in (401, 404) or not self._target.may_write:
                    raise
            change = self._payload.build_edit(view)  # a sent file is used up
        known = await self._channel_message(message)
        await known.edit(**change, allowed_mentions=NOBODY)
        return str(known.id) if message == ORIGINAL else message

    @_with_translated_errors
    async def delete(self, message: str) -> None:
        if self._by_token(message):
            await self._webhook.delete_message(cast("int", message))
        else:
            await (await self._channel_message(message)).delete()
