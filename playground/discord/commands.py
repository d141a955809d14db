"""The application's commands: what the bot registered, checked as Discord checks it.

https://discord.com/developers/docs/interactions/application-commands
"""

import re

from playground.discord.errors import Form, unknown
from playground.discord.shapes import Json
from playground.discord.state import State

CHAT_INPUT, USER, MESSAGE = 1, 2, 3
PER_KIND = {CHAT_INPUT: 100, USER: 15, MESSAGE: 15}
SUBCOMMAND, SUBCOMMAND_GROUP = 1, 2
IN_GUILD, IN_BOT_DM, IN_PRIVATE_CHANNEL = 0, 1, 2
GUILD_INSTALL, USER_INSTALL = 0, 1

# Letters, digits, - and _ of any script; Discord wants lower case where there is one.
_NAME = re.compile(r"^[-_'\w]{1,32}$")

GLOBAL = ""  # the scope of commands that hold everywhere


class Commands:
    def __init__(self, state: State) -> None:
        self._state = state
        self._scopes: dict[str, dict[str, Json]] = {GLOBAL: {}}  # by guild, by command id

    def all(self, scope: str = GLOBAL) -> list[Json]:
        return list(self._scopes.get(scope, {}).values())

    def get(self, command_id: str, scope: str = GLOBAL) -> Json:
        command = self._scopes.get(scope, {}).get(command_id)
        if command is None:
            raise unknown("application command")
        return command

    def replace(self, bodies: list[Json], scope: str = GLOBAL) -> list[Json]:
        """All commands of a scope at once. A command keeps its id while its name and type stay."""
        _check_counts(bodies)
        known = {(c["name"], c["type"]): c["id"] for c in self.all(scope)}
        made = [
            self._make(body, scope, known.get((body.get("name"), body.get("type") or CHAT_INPUT)))
            for body in bodies
        ]
        self._scopes[scope] = {command["id"]: command for command in made}
        self._changed(scope)
        return made

    def upsert(self, body: Json, scope: str = GLOBAL) -> Json:
        kind = body.get("type") or CHAT_INPUT
        others = [c for c in self.all(scope) if (c["name"], c["type"]) != (body.get("name"), kind)]
        made = self.replace([*others, body], scope)
        return made[-1]

    def edit(self, command_id: str, body: Json, scope: str = GLOBAL) -> Json:
        command = self._make({**self.get(command_id, scope), **body}, scope, command_id)
        self._scopes[scope][command_id] = command
        self._changed(scope)
        return command

    def delete(self, command_id: str, scope: str = GLOBAL) -> None:
        self.get(command_id, scope)
        del self._scopes[scope][command_id]
        self._changed(scope)

    def usable(self, guild: str | None) -> list[Json]:
        """What a person is offered: a server's own commands first, DMs only what allows them."""
        own = self.all(guild) if guild is not None else []
        return own + [c for c in self.all() if _fits(c, in_guild=guild is not None)]

    def find(self, name: str, kind: int, guild: str | None) -> Json | None:
        return next(
            (c for c in self.usable(guild) if c["name"] == name and c["type"] == kind), None
        )

    def _make(self, body: Json, scope: str, command_id: str | None) -> Json:
        form = Form()
        _check(form, body)
        form.check()
        command: Json = {
            "id": command_id or self._state.snowflakes.next(),
            "application_id": self._state.bot["id"],
            "version": self._state.snowflakes.next(),
            "name": body["name"],
            "name_localizations": body.get("name_localizations"),
            "description": body.get("description") or "",
            "description_localizations": body.get("description_localizations"),
            "type": body.get("type") or CHAT_INPUT,
            "options": body.get("options") or [],
            "default_member_permissions": body.get("default_member_permissions"),
            "dm_permission": body.get("dm_permission", True),
            "nsfw": bool(body.get("nsfw")),
            "integration_types": body.get("integration_types") or [GUILD_INSTALL],
            "contexts": body.get("contexts"),
        }
        if scope != GLOBAL:
            command["guild_id"] = scope
        return command

    def _changed(self, scope: str) -> None:
        self._state.publish(
            "GUILD_APPLICATION_COMMAND_INDEX_UPDATE",
            {"application_commands": self.all(scope), "guild_id": scope or None},
            guild=scope or None,
        )


def _fits(command: Json, *, in_guild: bool) -> bool:
    contexts = command["contexts"]
    if contexts is not None:
        return (IN_GUILD if in_guild else IN_BOT_DM) in contexts
    return in_guild or bool(command["dm_permission"])


def _check_counts(bodies: list[Json]) -> None:
    for kind, limit in PER_KIND.items():
        if sum((b.get("type") or CHAT_INPUT) == kind for b in bodies) > limit:
            raise Form.refuse(
                "commands",
                "APPLICATION_COMMANDS_LIMIT",
                f"Maximum number of application commands reached ({limit}).",
            )
    names = [(b.get("name"), b.get("type") or CHAT_INPUT) for b in bodies]
    if len(set(names)) != len(names):
        raise Form.refuse(
            "name",
            "APPLICATION_COMMANDS_DUPLICATE_NAME",
            "Application command names must be unique",
        )


def _check(form: Form, body: Json) -> None:
    if (body.get("type") or CHAT_INPUT) == CHAT_INPUT:
        _check_named(form, "", body)
        _check_options(form, "options", body.get("options") or [])
    else:
        form.required("name", body.get("name"))
        form.longest("name", body.get("name"), 32)


def _check_named(form: Form, at: str, body: Json) -> None:
    name = body.get("name") or ""
    if not _NAME.match(name) or name != name.lower():
        form.wrong(
            f"{at}name",
            "APPLICATION_COMMAND_INVALID_NAME",
            "Command name is invalid",
        )
    form.required(f"{at}description", body.get("description"))
    form.longest(f"{at}description", body.get("description"), 100)


def _check_options(form: Form, path: str, options: list[Json]) -> None:
    if len(options) > 25:
        form.wrong(path, "BASE_TYPE_MAX_LENGTH", "Must be 25 or fewer in length.")
    optional_seen = False
    for index, option in enumerate(options):
        at = f"{path}.{index}"
        _check_named(form, f"{at}.", option)
        if len(option.get("choices") or ()) > 25:
            form.wrong(f"{at}.choices", "BASE_TYPE_MAX_LENGTH", "Must be 25 or fewer in length.")
        if option.get("required") and optional_seen:
            form.wrong(
                at,
                "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID",
                "Required options must be placed before non-required options",
            )
        is_sub = option.get("type") in (SUBCOMMAND, SUBCOMMAND_GROUP)
        optional_seen = optional_seen or not (option.get("required") or is_sub)
        _check_options(form, f"{at}.options", option.get("options") or [])
