"""Where an answer is shown: below an interaction, or as a reply to a message.

Foreign errors end here:

    TransportError
    ├── Retry   the network, a 5xx or a 429 that outlasted discord.py's own retries
    └── Gone    this message, or this place, will not take it however often it is tried
        ├── Rejected     it would perhaps take less: `leave_out` says what to leave out, in order
        │   └── Unfit    the message is not made as Discord wants it
        └── TooMany      the interaction's token may send no further message
"""

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import replace
from functools import wraps
from typing import Any, ParamSpec, Protocol, TypeVar, cast

import aiohttp
import discord

from bot.discord.delivery.message_payload import PayloadBuilder
from bot.discord.delivery.reply_target import InteractionTarget, MessageTarget, ReplyTarget
from bot.i18n import Words
from bot.notices import Notice
from bot.render.message_view import Face, Refusable

NEARBY = 50  # messages after a question among which its response is looked for
MOST_OF_A_PERSONAL_TOKEN = 6  # the response and five follow-ups
ORIGINAL = "@original"  # Discord's name for an interaction's first response
ORDINARY = "channel/"  # marks a message that no interaction's token may touch
NOBODY = discord.AllowedMentions.none()

P = ParamSpec("P")
R = TypeVar("R")


class TransportError(Exception):
    """Base of what a place raises on purpose."""


class Retry(TransportError):
    """Trying again later may work."""


class Gone(TransportError):
    """Trying again is no use."""


class Rejected(Gone):
    """What the message holds is not taken here."""

    def __init__(self, reason: str, leave_out: Sequence[Refusable]) -> None:
        super().__init__(reason)
        self.leave_out = leave_out


class Unfit(Rejected):
    """The message is not made as this place wants it."""


class TooMany(Gone):
    """A token of a personal installation sends five follow-ups."""


_LINKS, _TEXT, _CARD, _FILES = Refusable
_CANNOT_REPLY = 160002  # without the permission Read Message History
# What may be left out, by Discord's code, else by its status, in the order in which it is tried.
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
_ALWAYS = {40094: TooMany, _ARCHIVED: Gone}  # the former: follow-ups are used up


def _meaning_of(error: discord.HTTPException) -> TransportError:
    """Return what Discord's answer means for the message."""
    reason = str(error)
    if error.status >= 500 or error.status == 429:
        return Retry(reason)
    if error.code in _ALWAYS:
        return _ALWAYS[error.code](reason)
    if error.status == 400 and error.code not in _LEAVE_OUT:
        return Unfit(reason, (_FILES, _CARD, _TEXT))
    leave_out = _LEAVE_OUT.get(error.code) or _LEAVE_OUT.get(error.status)
    return Rejected(reason, leave_out) if leave_out else Gone(reason)


def _translated(call: Callable[P, Awaitable[R]]) -> Callable[P, Coroutine[Any, Any, R]]:
    @wraps(call)
    async def translated(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return await call(*args, **kwargs)
        except discord.RateLimited as error:
            raise Retry(str(error)) from error
        except discord.HTTPException as error:
            raise _meaning_of(error) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Retry(repr(error)) from error

    return translated


async def _reopening(
    client: discord.Client, channel: int, request: Callable[[], Coroutine[Any, Any, R]]
) -> R:
    """Make a request, and take the thread out of the archive where that stands in its way.

    Whoever may write in a thread may do that, unless a moderator has locked it.
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
        """Whether its requests count towards the 50 a second that a bot may make."""
        ...

    @property
    def max_messages(self) -> int | None:
        """Return how many messages an answer may have here, where that is limited."""
        ...

    async def typing(self) -> None:
        """Show for some seconds that something is on its way."""
        ...

    async def send(self, face: Face, nonce: str, *, first: bool) -> str:
        """A new message; the name that `edit` and `delete` know it by.

        The same nonce within minutes gives the same message, as it is by then.
        """
        ...

    async def edit(self, message: str, face: Face) -> str:
        """Make the message look like `face`; the name it is known by from now on."""
        ...

    async def delete(self, message: str) -> None: ...


def create_transport(
    client: discord.Client, destination: ReplyTarget, job_id: str, words: Words
) -> "InteractionTransport | MessageTransport":
    dresser = PayloadBuilder(job_id, words)
    if isinstance(destination, InteractionTarget):
        return InteractionTransport(client, destination, dresser, interaction=job_id)
    return MessageTransport(client, destination, dresser)


async def show_notice(
    client: discord.Client, message: discord.Message, notice: Notice, words: Words
) -> None:
    """Reply to a message with a notice: as a card or, where cards are not allowed, as text."""
    below = MessageTarget(channel=str(message.channel.id), message=str(message.id))
    place = create_transport(client, below, str(message.id), words)
    face, nonce = Face(notice=notice), f"{message.id}.n"
    try:
        await place.send(face, nonce, first=True)
    except Rejected:
        await place.send(replace(face, card_as_text=True), nonce, first=True)


class MessageTransport:
    """Replies to a message: a mention, a reply or a direct message."""

    first_message: str | None = None
    is_rate_limited = True
    max_messages = None

    def __init__(
        self, client: discord.Client, destination: MessageTarget, dresser: PayloadBuilder
    ) -> None:
        self._client = client
        self._channel = client.get_partial_messageable(int(destination.channel))
        self._asked: discord.MessageReference | None = (
            discord.MessageReference(
                message_id=int(destination.message),
                channel_id=int(destination.channel),
                fail_if_not_exists=False,
            )
            if destination.message
            else None
        )
        self._dress = dresser

    @_translated
    async def typing(self) -> None:
        await self._channel.typing()

    @_translated
    async def send(self, face: Face, nonce: str, *, first: bool) -> str:
        if first and self._asked:
            reply = {"reference": self._asked, "mention_author": False}
            try:
                return await self._send(face, nonce, **reply)
            except discord.HTTPException as error:
                if error.code != _CANNOT_REPLY:
                    raise
                self._asked = None
        return await self._send(face, nonce)

    async def _send(self, face: Face, nonce: str, **options: Any) -> str:
        message = await self._channel.send(
            **self._dress.build_send(face), **options, nonce=nonce, allowed_mentions=NOBODY
        )
        return str(message.id)

    @_translated
    async def edit(self, message: str, face: Face) -> str:
        known = self._channel.get_partial_message(int(message))
        await _reopening(
            self._client,
            self._channel.id,
            lambda: known.edit(**self._dress.build_edit(face), allowed_mentions=NOBODY),
        )
        return message

    @_translated
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
        destination: InteractionTarget,
        dresser: PayloadBuilder,
        *,
        interaction: str,
    ) -> None:
        self._client = client
        self._destination = destination
        self._interaction = int(interaction)
        self._webhook = discord.Webhook.partial(
            int(destination.application), destination.token, client=client
        )
        self._webhook.type = discord.WebhookType.application  # only those may be ephemeral
        self._channel = client.get_partial_messageable(int(destination.channel))
        self._dress = dresser

    @property
    def is_rate_limited(self) -> bool:
        return self._destination.may_write and not self._destination.token_alive

    @property
    def max_messages(self) -> int | None:
        return MOST_OF_A_PERSONAL_TOKEN if self._destination.personal else None

    def _by_token(self, message: str) -> bool:
        """A token reaches only what was sent with it: the response, and follow-ups."""
        by_token = self._destination.token_alive or not self._destination.may_write
        return by_token and not message.startswith(ORDINARY)

    async def _ordinary(self, message: str) -> discord.PartialMessage:
        if message == ORIGINAL:
            return await self._response()
        return self._channel.get_partial_message(int(message.removeprefix(ORDINARY)))

    async def _response(self) -> discord.PartialMessage:
        """The response itself, when the token is over before Discord has told its id."""
        asked = discord.Object(self._interaction)
        async for message in self._channel.history(after=asked, limit=NEARBY):
            made_by = message.interaction_metadata
            if made_by is not None and made_by.id == self._interaction:
                return self._channel.get_partial_message(message.id)
        raise Gone("the token expired, and the response is not in the channel")

    async def typing(self) -> None:
        """The deferred response says that it is thinking, by itself."""

    @_translated
    async def send(self, face: Face, nonce: str, *, first: bool) -> str:  # noqa: ARG002 — a reply's
        if not self._destination.may_write:
            return await self._follow_up(face)
        try:
            message = await self._channel.send(
                **self._dress.build_send(face), nonce=nonce, allowed_mentions=NOBODY
            )
        except discord.Forbidden:  # the permission was taken away meanwhile
            if not self._destination.token_alive:
                raise
            return await self._follow_up(face)
        return f"{ORDINARY}{message.id}"

    async def _follow_up(self, face: Face) -> str:
        message = await self._webhook.send(
            **self._dress.build_send(face),
            wait=True,
            ephemeral=self._destination.private,
            allowed_mentions=NOBODY,
        )
        return str(message.id)

    @_translated
    async def edit(self, message: str, face: Face) -> str:
        return await _reopening(self._client, self._channel.id, lambda: self._edit(message, face))

    async def _edit(self, message: str, face: Face) -> str:
        change = self._dress.build_edit(face)
        if self._by_token(message):
            try:
                # Its type asks for a number, its route takes Discord's name as well.
                edited = await self._webhook.edit_message(
                    cast("int", message), **change, allowed_mentions=NOBODY
                )
                return str(edited.id)
            except discord.HTTPException as error:
                if error.status not in (401, 404) or not self._destination.may_write:
                    raise
            change = self._dress.build_edit(face)  # a sent file is used up
        known = await self._ordinary(message)
        await known.edit(**change, allowed_mentions=NOBODY)
        return str(known.id) if message == ORIGINAL else message

    @_translated
    async def delete(self, message: str) -> None:
        if self._by_token(message):
            await self._webhook.delete_message(cast("int", message))
        else:
            await (await self._ordinary(message)).delete()
