"""Prepares Discord's JSON for the page: rendered texts beside the raw ones, local addresses.

Every text a bot or a person wrote stays in its field; `html` or `<field>_html` beside it is the
safe rendering. Whatever is not named here does not reach the page.
"""

from collections.abc import Iterable
from typing import Any

from playground.discord.components import message_text
from playground.discord.json_types import Json
from playground.discord.permissions import Permission, guild_permissions
from playground.discord.user_actions import UserActions
from playground.web_ui.discord_markdown import DisplayNames, render, render_line, render_preview

MESSAGE_FIELDS = (
    "id", "channel_id", "type", "flags", "content", "timestamp", "edited_timestamp",
    "message_reference", "thread",
)  # fmt: skip
CHANNEL_FIELDS = ("id", "type", "name", "topic", "parent_id", "recipients")
OPTION_FIELDS = (
    "name", "type", "required", "autocomplete", "min_value", "max_value", "min_length",
    "max_length",
)  # fmt: skip
PREVIEW_CHARS = 160
SLASH, SUBCOMMAND, SUBCOMMAND_GROUP = 1, 1, 2
TEXT_DISPLAY = 10
COMMAND_INTERACTION = 2
ATTACHMENT = 11  # an option's type


class Presenter:
    """A presenter of messages.

    It asks `world` for names when it renders, so that they are current.
    """

    def __init__(self, world: UserActions) -> None:
        self._world = world

    # --- people and places --------------------------------------------------------------------

    def user(self, user: Json) -> Json:
        bot = self._world.state.bot["id"]
        online = self._world.backend.gateway.is_online if user["id"] == bot else True
        return {**_present_person(user), "online": online}

    def people(self) -> list[Json]:
        """List the server's members, without its owner, whom only Discord needs."""
        guild = self._world.guild
        members = self._world.state.members[guild["id"]].values()
        return [self.user(m["user"]) for m in members if m["user"]["id"] != guild["owner_id"]]

    def channel(self, channel: Json) -> Json:
        shown = _pick(channel, CHANNEL_FIELDS)
        if recipients := shown.get("recipients"):
            shown["recipients"] = [_present_person(user) for user in recipients]
        return shown

    def _display_names(self) -> DisplayNames:
        state = self._world.state
        return DisplayNames(
            {user["id"]: _display_name(user) for user in state.users.values()},
            {c["id"]: c["name"] for c in state.channels.values() if c.get("name")},
        )

    # --- messages -----------------------------------------------------------------------------

    def message(self, message: Json) -> Json:
        names = self._display_names()
        return {
            **_pick(message, MESSAGE_FIELDS),
            "author": _present_person(message["author"]),
            "mentions": [{"id": user["id"]} for user in message["mentions"]],
            "html": render(message["content"], names),
            "attachments": [self._with_local_url(file) for file in message["attachments"]],
            "embeds": [self._present_embed(embed, names) for embed in message["embeds"]],
            "components": [self.component(part) for part in message["components"]],
            "reactions": message.get("reactions") or [],
            "referenced_message": _present_reference(self._find_origin(message), names),
            "command": self._present_command(message.get("interaction_metadata")),
        }

    def _find_origin(self, message: Json) -> Json | None:
        """Return the message that this one replies to; for the answer to a button, the message with
        the button.
        """
        used = (message.get("interaction_metadata") or {}).get("interacted_message_id", "")
        kept = self._world.state.messages[message["channel_id"]].get(used)
        return kept.data if kept is not None else message.get("referenced_message")

    def _present_embed(self, embed: Json, names: DisplayNames) -> Json:
        shown = dict(embed)
        for key in ("image", "thumbnail"):
            if shown.get(key):
                shown[key] = self._with_local_url(shown[key])
        shown["title_html"] = render_line(embed.get("title") or "", names)
        shown["description_html"] = render(embed.get("description") or "", names)
        shown["fields"] = [
            {
                "name_html": render_line(field["name"], names),
                "value_html": render(field["value"], names),
                "inline": field.get("inline", False),
            }
            for field in embed.get("fields") or ()
        ]
        return shown

    def component(self, part: Json) -> Json:
        """Present a component and all components in it, in a message or a modal."""
        shown = dict(part)
        if part["type"] == TEXT_DISPLAY:
            shown["html"] = render(part["content"], self._display_names())
        for key in ("media", "file"):
            if isinstance(part.get(key), dict):
                shown[key] = self._with_local_url(part[key])
        if "items" in part:
            shown["items"] = [
                {**item, "media": self._with_local_url(item["media"])} for item in part["items"]
            ]
        for key in ("accessory", "component"):
            if part.get(key):
                shown[key] = self.component(part[key])
        if "components" in part:
            shown["components"] = [self.component(child) for child in part["components"]]
        return shown

    def modal(self, modal: Json) -> Json:
        parts = [self.component(part) for part in modal["components"]]
        return {"id": modal["id"], "title": modal["title"], "components": parts}

    def _with_local_url(self, file: Json) -> Json:
        """Make the address relative: the page may be open under another name of loopback."""
        base = self._world.backend.cdn.base_url.removesuffix("/cdn")
        return {**file, "url": str(file.get("url") or "").removeprefix(base)}

    def _present_command(self, metadata: Json | None) -> Json | None:
        """Return the command for the first answer to it, and for no other."""
        first = metadata and "original_response_message_id" not in metadata
        metadata = (metadata or {}).get("triggering_interaction_metadata") or metadata
        if not metadata or not first or metadata["type"] != COMMAND_INTERACTION:
            return None
        name = metadata.get("name", "")
        is_slash = self._world.backend.commands.find(name, SLASH, self._world.guild["id"])
        used = self._world.backend.interactions.by_id.get(metadata["id"])
        return {
            "user": _present_person(metadata["user"]),
            "label": f"/{name}" if is_slash else name,
            "options": list(_list_filled_options(used.data)) if used else [],
        }

    # --- commands -----------------------------------------------------------------------------

    def commands(self, viewer: str, locale: str) -> list[Json]:
        """List each command or subcommand that a person may call, and where: in the server, in DMs,
        or both.

        As in Discord, a server's members do not see commands for which they lack permissions.
        """
        usable = self._world.backend.commands.list_usable
        guild = self._world.guild
        member = self._world.state.members[guild["id"]][viewer]
        held = guild_permissions(guild, member)
        in_guild = {
            command["id"]: command
            for command in usable(guild["id"])
            if Permission(int(command["default_member_permissions"] or 0)) in held
        }
        in_dm = {command["id"]: command for command in usable(None)}
        return [
            {**entry, "in_guild": key in in_guild, "in_dm": key in in_dm}
            for key, command in {**in_guild, **in_dm}.items()
            for entry in _list_callable(command, (), (), locale, command["type"])
        ]


def _list_callable(
    command: Json, path: tuple[str, ...], labels: tuple[str, ...], locale: str, kind: int
) -> Iterable[Json]:
    path = (*path, command["name"])
    labels = (*labels, _localize(command, "name", locale))
    options = command.get("options") or []
    nested = [o for o in options if o["type"] in (SUBCOMMAND, SUBCOMMAND_GROUP)]
    for option in nested:
        yield from _list_callable(option, path, labels, locale, kind)
    if not nested:
        yield {
            "type": kind,
            "name": " ".join(path),
            "label": " ".join(labels),
            "description": _localize(command, "description", locale),
            "options": [_present_option(option, locale) for option in options],
        }


def _present_option(option: Json, locale: str) -> Json:
    return {
        **_pick(option, OPTION_FIELDS),
        "label": _localize(option, "name", locale),
        "description": _localize(option, "description", locale),
        "choices": present_choices(option.get("choices") or (), locale),
    }


def _list_filled_options(data: Json) -> Iterable[Json]:
    """List the options that a person filled in, as everybody may read them."""
    files = data.get("resolved", {}).get("attachments", {})
    for option in data.get("options") or ():
        if "options" in option:
            yield from _list_filled_options({**option, "resolved": data.get("resolved", {})})
        elif option["type"] == ATTACHMENT:
            yield {"name": option["name"], "value": files[option["value"]]["filename"]}
        else:
            yield {"name": option["name"], "value": str(option["value"])}


def present_choices(offered: Iterable[Json], locale: str) -> list[Json]:
    return [{"name": _localize(c, "name", locale), "value": c["value"]} for c in offered]


def _localize(thing: Json, key: str, locale: str) -> str:
    return str((thing.get(f"{key}_localizations") or {}).get(locale) or thing.get(key) or "")


def _pick(data: Json, fields: Iterable[str]) -> Json:
    return {key: data[key] for key in fields if key in data}


def _present_person(user: Json) -> Json:
    shown = _pick(user, ("id", "username", "global_name"))
    return {**shown, "bot": bool(user.get("bot"))}


def _display_name(user: Json) -> str:
    return str(user.get("global_name") or user["username"])


def _present_reference(message: Any, names: DisplayNames) -> Json | None:
    if not message:
        return None
    return {
        "id": message["id"],
        "author": _present_person(message["author"]),
        "preview_html": render_preview(message_text(message), names, PREVIEW_CHARS) or "…",
    }
