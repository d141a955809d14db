"""What a person does in the page, done on the local Discord."""

import secrets
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from playground.discord.interactions import Interaction
from playground.discord.json_types import File, Json, UserError
from playground.discord.user_actions import UserActions
from playground.web_ui.presenter import present_choices

# Files that a browser sent ahead, until the action that uses them arrives.

FILE_BYTES = 10 * 2**20  # Discord's limit for one file
KEPT_BYTES = 128 * 2**20


class Uploads:
    """The oldest ones go when the files together grow over `KEPT_BYTES`."""

    def __init__(self) -> None:
        self._files: OrderedDict[str, File] = OrderedDict()

    def put(self, file: File) -> str:
        upload = secrets.token_urlsafe(16)
        self._files[upload] = file
        while sum(len(kept.data) for kept in self._files.values()) > KEPT_BYTES:
            self._files.popitem(last=False)
        return upload

    def take(self, upload: str) -> File:
        """Take a file, which is used once. Raises UserError if it is not there."""
        file = self._files.pop(upload, None)
        if file is None:
            raise UserError("the upload is gone; choose the file again")
        return file


class NoResponseError(Exception):
    """The application did not respond within three seconds."""


@dataclass(frozen=True)
class PageUser:
    """Whom the page acts as, and the language their Discord is set to."""

    id: str
    locale: str = "en-US"


class PageActions:
    def __init__(self, world: UserActions, uploads: Uploads) -> None:
        self._world = world
        self._uploads = uploads

    async def perform(self, person: PageUser, packet: Json) -> Any:
        """Perform an action of the page.

        Raises UserError if Discord would refuse it, Silent if the bot does not answer.
        """
        action = getattr(self, f"on_{packet['op']}", None)
        if action is None:
            raise UserError(f"unknown action {packet['op']!r}")
        return await action(person, packet)

    # --- writing ------------------------------------------------------------------------------

    async def on_say(self, person: PageUser, packet: Json) -> None:
        await self._world.say(
            person.id,
            packet["channel"],
            packet["content"],
            [self._uploads.take(upload) for upload in packet["uploads"]],
            reply_to=packet["reply"],
        )

    async def on_typing(self, person: PageUser, packet: Json) -> None:
        await self._world.start_typing(person.id, packet["channel"])

    async def on_react(self, person: PageUser, packet: Json) -> None:
        """Add the reaction, or take it back where this person gave it already."""
        place, message, emoji = packet["channel"], packet["message"], packet["emoji"]
        given = self._world.state.message(place, message).reactions.get(emoji, [])
        change = self._world.unreact if person.id in given else self._world.react
        await change(person.id, place, message, emoji)

    # --- interacting --------------------------------------------------------------------------

    async def on_slash(self, person: PageUser, packet: Json) -> None:
        options = self._with_files(packet["options"])
        where = packet["channel"]
        await _require_response(
            await self._world.slash(
                person.id, where, packet["command"], options, locale=person.locale
            )
        )

    async def on_click(self, person: PageUser, packet: Json) -> None:
        await _require_response(
            await self._world.click(
                person.id,
                packet["channel"],
                packet["message"],
                packet["custom_id"],
                packet["values"],
                locale=person.locale,
            )
        )

    async def on_context_menu(self, person: PageUser, packet: Json) -> None:
        await _require_response(
            await self._world.context_menu(
                person.id,
                packet["channel"],
                packet["command"],
                packet["target"],
                locale=person.locale,
            )
        )

    async def on_submit_modal(self, person: PageUser, packet: Json) -> None:
        values = self._with_files(packet["values"])
        await _require_response(
            await self._world.submit_modal(packet["modal"], values, locale=person.locale)
        )

    async def on_autocomplete(self, person: PageUser, packet: Json) -> list[Json]:
        typed = {**packet["values"], packet["option"]: packet["typed"]}
        offered = await self._world.autocomplete(
            person.id,
            packet["channel"],
            packet["command"],
            packet["option"],
            typed,
            locale=person.locale,
        )
        return present_choices(offered, person.locale)

    # --- making -------------------------------------------------------------------------------

    async def on_add_user(self, _person: PageUser, packet: Json) -> Json:
        return {"id": self._world.create_user(_read_name(packet))["id"]}

    async def on_add_channel(self, _person: PageUser, packet: Json) -> Json:
        name = "-".join(_read_name(packet).lower().split())
        return {"id": self._world.create_channel(name)["id"]}

    async def on_open_dm(self, person: PageUser, _packet: Json) -> Json:
        return {"id": self._world.open_dm(person.id)["id"]}

    def _with_files(self, values: Json) -> Json:
        return {name: self._with_file(value) for name, value in values.items()}

    def _with_file(self, value: Any) -> Any:
        """Replace `{"upload": id}` with the file that was uploaded before."""
        if isinstance(value, list):
            return [self._with_file(each) for each in value]
        return self._take(value) if isinstance(value, dict) else value

    def _take(self, value: Json) -> File:
        return self._uploads.take(value["upload"])


async def _require_response(interaction: Interaction) -> None:
    if not await interaction.wait_acknowledged():
        raise NoResponseError


def _read_name(packet: Json) -> str:
    name = str(packet["name"]).strip()[:32]
    if not name:
        raise UserError("a name is needed")
    return name
