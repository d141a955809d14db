"""Where an answer is shown: below an interaction, or as a reply to a message.

Foreign errors end here:

    PlaceError
    ├── Retry   the network, a 5xx or a 429 that outlasted discord.py's own retries
    └── Gone    this message, or this place, will not take it however often it is tried
        ├── Forbidden   the bot lacks a permission, perhaps the one to attach files
        └── Unfit       the message is not made as Discord wants it
"""

from collections.abc import Awaitable, Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec, Protocol, TypeVar, cast

import aiohttp
import discord

from bot.discord.destination import BelowInteraction, BelowMessage, Destination
from bot.discord.dresser import Dresser
from bot.render.faces import Face
from bot.words import Words

NEARBY = 50  # messages after a question among which its response is looked for
ORIGINAL = "@original"  # Discord's name for an interaction's first response
ORDINARY = "channel/"  # marks a message that no interaction's token may touch
NOBODY = discord.AllowedMentions.none()

P = ParamSpec("P")
R = TypeVar("R")


class PlaceError(Exception):
    """Base of what a place raises on purpose."""


class Retry(PlaceError):
    """Trying again later may work."""


class Gone(PlaceError):
    """Trying again is no use."""


class Forbidden(Gone):
    """A permission is missing."""


class Unfit(Gone):
    """The message is not made as this place wants it."""


_KINDS: dict[int, type[PlaceError]] = {400: Unfit, 429: Retry}


def _translated(call: Callable[P, Awaitable[R]]) -> Callable[P, Coroutine[Any, Any, R]]:
    @wraps(call)
    async def translated(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return await call(*args, **kwargs)
        except (discord.DiscordServerError, discord.RateLimited) as error:
            raise Retry(str(error)) from error
        except discord.Forbidden as error:
            raise Forbidden(str(error)) from error
        except discord.HTTPException as error:
            raise _KINDS.get(error.status, Gone)(str(error)) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Retry(repr(error)) from error

    return translated


class Place(Protocol):
    @property
    def first(self) -> str | None:
        """The message that is already there, if any."""
        ...

    @property
    def counted(self) -> bool:
        """Whether its requests count towards the 50 a second that a bot may make."""
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


def place_of(
    client: discord.Client, destination: Destination, job_id: str, words: Words
) -> "InteractionPlace | MessagePlace":
    dresser = Dresser(job_id, words)
    if isinstance(destination, BelowInteraction):
        return InteractionPlace(client, destination, dresser, interaction=job_id)
    return MessagePlace(client, destination, dresser)


class MessagePlace:
    """Replies to a message: a mention, a reply or a direct message."""

    first: str | None = None
    counted = True

    def __init__(self, client: discord.Client, destination: BelowMessage, dresser: Dresser) -> None:
        self._channel = client.get_partial_messageable(int(destination.channel))
        self._asked = destination.message and discord.MessageReference(
            message_id=int(destination.message),
            channel_id=int(destination.channel),
            fail_if_not_exists=False,
        )
        self._dress = dresser

    @_translated
    async def typing(self) -> None:
        await self._channel.typing()

    @_translated
    async def send(self, face: Face, nonce: str, *, first: bool) -> str:
        options = self._dress.new(face)
        if first and self._asked:
            options |= {"reference": self._asked, "mention_author": False}
        message = await self._channel.send(**options, nonce=nonce, allowed_mentions=NOBODY)
        return str(message.id)

    @_translated
    async def edit(self, message: str, face: Face) -> str:
        await self._channel.get_partial_message(int(message)).edit(
            **self._dress.change(face), allowed_mentions=NOBODY
        )
        return message

    @_translated
    async def delete(self, message: str) -> None:
        await self._channel.get_partial_message(int(message)).delete()


class InteractionPlace:
    """Below a slash command, whose token lives 15 minutes; afterwards as a bot in the channel.

    Discord lets a bot edit its own responses as ordinary messages, token or not, where it can
    see the channel. Further messages are ordinary ones from the start where it may write:
    only those have nonces.
    """

    first: str | None = ORIGINAL

    def __init__(
        self,
        client: discord.Client,
        destination: BelowInteraction,
        dresser: Dresser,
        *,
        interaction: str,
    ) -> None:
        self._destination = destination
        self._interaction = int(interaction)
        self._webhook = discord.Webhook.partial(
            int(destination.application), destination.token, client=client
        )
        self._webhook.type = discord.WebhookType.application  # only those may be ephemeral
        self._channel = client.get_partial_messageable(int(destination.channel))
        self._dress = dresser

    @property
    def counted(self) -> bool:
        return self._destination.may_write and not self._destination.token_alive

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
                **self._dress.new(face), nonce=nonce, allowed_mentions=NOBODY
            )
        except discord.Forbidden:  # the permission was taken away meanwhile
            return await self._follow_up(face)
        return f"{ORDINARY}{message.id}"

    async def _follow_up(self, face: Face) -> str:
        message = await self._webhook.send(
            **self._dress.new(face),
            wait=True,
            ephemeral=self._destination.private,
            allowed_mentions=NOBODY,
        )
        return str(message.id)

    @_translated
    async def edit(self, message: str, face: Face) -> str:
        change = self._dress.change(face)
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
            change = self._dress.change(face)  # a sent file is used up
        known = await self._ordinary(message)
        await known.edit(**change, allowed_mentions=NOBODY)
        return str(known.id) if message == ORIGINAL else message

    @_translated
    async def delete(self, message: str) -> None:
        if self._by_token(message):
            await self._webhook.delete_message(cast("int", message))
        else:
            await (await self._ordinary(message)).delete()
