"""The commands that the bot registers, with Discord's checks of them.

https://discord.com/developers/docs/interactions/application-commands
"""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from playground.discord.errors import FormErrors, unknown_error
from playground.discord.json_types import Json
from playground.discord.schema import (
    LARGEST_INTEGER,
    AnyOf,
    Array,
    Boolean,
    Choice,
    Integer,
    MapOf,
    Number,
    Object,
    Schema,
    String,
    TaggedObject,
    check_body_schema,
)
from playground.discord.state import ServerState

CHAT_INPUT, USER, MESSAGE = 1, 2, 3
PER_KIND = {CHAT_INPUT: 100, USER: 15, MESSAGE: 15}
SUBCOMMAND, SUBCOMMAND_GROUP = 1, 2
IN_GUILD, IN_BOT_DM, IN_PRIVATE_CHANNEL = 0, 1, 2
GUILD_INSTALL, USER_INSTALL = 0, 1

GLOBAL = ""  # the scope of global commands; other scopes are ids of servers


class Commands:
    def __init__(self, state: ServerState) -> None:
        self._state = state
        self._scopes: dict[str, dict[str, Json]] = {GLOBAL: {}}  # by guild, by command id

    def list_all(self, scope: str = GLOBAL) -> list[Json]:
        return list(self._scopes.get(scope, {}).values())

    def get(self, command_id: str, scope: str = GLOBAL) -> Json:
        command = self._scopes.get(scope, {}).get(command_id)
        if command is None:
            raise unknown_error("application command")
        return command

    def replace(self, bodies: list[Json], scope: str = GLOBAL) -> list[Json]:
        """Replace all commands of a scope. One with the same name and type keeps its id."""
        check_body_schema(Array(COMMAND), bodies)
        _check_counts(bodies)
        known = {(c["name"], c["type"]): c["id"] for c in self.list_all(scope)}
        made = [
            self._build(body, scope, known.get((body.get("name"), body.get("type") or CHAT_INPUT)))
            for body in bodies
        ]
        self._scopes[scope] = {command["id"]: command for command in made}
        self._publish_change(scope)
        return made

    def upsert(self, body: Json, scope: str = GLOBAL) -> Json:
        check_body_schema(COMMAND, body)
        kind = body.get("type") or CHAT_INPUT
        others = [
            c for c in self.list_all(scope) if (c["name"], c["type"]) != (body.get("name"), kind)
        ]
        made = self.replace([*others, body], scope)
        return made[-1]

    def edit(self, command_id: str, body: Json, scope: str = GLOBAL) -> Json:
        merged = {**self.get(command_id, scope), **body}
        check_body_schema(COMMAND, merged)
        command = self._build(merged, scope, command_id)
        self._scopes[scope][command_id] = command
        self._publish_change(scope)
        return command

    def delete(self, command_id: str, scope: str = GLOBAL) -> None:
        self.get(command_id, scope)
        del self._scopes[scope][command_id]
        self._publish_change(scope)

    def list_usable(self, guild: str | None) -> list[Json]:
        """Return the commands that a person can use in a server, or in DMs where it is None.

        The server's own commands come first.
        """
        own = self.list_all(guild) if guild is not None else []
        return own + [c for c in self.list_all() if _is_usable(c, in_guild=guild is not None)]

    def find(self, name: str, kind: int, guild: str | None) -> Json | None:
        return next(
            (c for c in self.list_usable(guild) if c["name"] == name and c["type"] == kind), None
        )

    def _build(self, body: Json, scope: str, command_id: str | None) -> Json:
        permissions = body.get("default_member_permissions")
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
            "default_member_permissions": None if permissions is None else str(permissions),
            "dm_permission": body.get("dm_permission", True),
            "nsfw": bool(body.get("nsfw")),
            "integration_types": body.get("integration_types") or [GUILD_INSTALL],
            "contexts": body.get("contexts"),
        }
        if scope != GLOBAL:
            command["guild_id"] = scope
        return command

    def _publish_change(self, scope: str) -> None:
        self._state.publish(
            "GUILD_APPLICATION_COMMAND_INDEX_UPDATE",
            {"application_commands": self.list_all(scope), "guild_id": scope or None},
            guild=scope or None,
        )


def _is_usable(command: Json, *, in_guild: bool) -> bool:
    contexts = command["contexts"]
    if contexts is not None:
        return (IN_GUILD if in_guild else IN_BOT_DM) in contexts
    return in_guild or bool(command["dm_permission"])


def _check_counts(bodies: list[Json]) -> None:
    for kind, limit in PER_KIND.items():
        if sum((b.get("type") or CHAT_INPUT) == kind for b in bodies) > limit:
            raise FormErrors.single(
                "commands",
                "APPLICATION_COMMANDS_LIMIT",
                f"Maximum number of application commands reached ({limit}).",
            )
    names = [(b.get("name"), b.get("type") or CHAT_INPUT) for b in bodies]
    if len(set(names)) != len(names):
        raise FormErrors.single(
            "name",
            "APPLICATION_COMMANDS_DUPLICATE_NAME",
            "Application command names must be unique",
        )


# --- rules for commands -----------------------------------------------------------------------

OPTIONS = CHOICES = 25
DESCRIPTION = String(1, 100)
NAME_CHARACTERS = 32
COMMAND_CHARACTERS = 8000
OPTION_TYPES = range(1, 12)
STRING, INTEGER, NUMBER = 3, 4, 10
# The scripts whose combining marks a name may hold: Devanagari and Thai.
_MARKED_SCRIPTS = ((0x0900, 0x097F), (0xA8E0, 0xA8FF), (0x0E00, 0x0E7F))


def _is_valid_name(text: str) -> bool:
    """Return whether a name has only lower-case letters and digits of any script, and - _ '."""
    return (
        1 <= len(text) <= NAME_CHARACTERS
        and text == text.lower()
        and all(map(_is_name_character, text))
    )


def _is_name_character(character: str) -> bool:
    marked = any(first <= ord(character) <= last for first, last in _MARKED_SCRIPTS)
    return character in "-_'" or marked or unicodedata.category(character)[0] in "LN"


class Digits:
    """A whole number as a string."""

    def check(self, form: FormErrors, at: str, value: object) -> None:
        if not (isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20):
            form.add(at, "NUMBER_TYPE_COERCE", f'Value "{value!s:.40}" is not int.')


class CommandName:
    """The name of a slash command or of an option."""

    def check(self, form: FormErrors, at: str, value: object) -> None:
        if not isinstance(value, str) or not _is_valid_name(value):
            form.add(at, "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid")


def _check_options(form: FormErrors, at: str, body: Json) -> None:
    """Check the order and the names of the options of a command or subcommand."""
    options: list[Json] = body.get("options") or []
    place = f"{at}.options".removeprefix(".")
    optional_seen = False
    kinds = {option["type"] in (SUBCOMMAND, SUBCOMMAND_GROUP) for option in options}
    if len(kinds) > 1:
        message = "Sub-command and sub-command group option types are mutually exclusive to others"
        form.add(place, "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", message)
    for index, option in enumerate(options):
        if option.get("required") and optional_seen:
            form.add(
                f"{place}.{index}",
                "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID",
                "Required options must be placed before non-required options",
            )
        optional_seen = optional_seen or not (option.get("required") or True in kinds)
    for index in _duplicate_indices(options):
        message = "Option names must be unique"
        code = "APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS"
        form.add(f"{place}.{index}.name", code, message)


def _duplicate_indices(named: Sequence[Json]) -> Iterator[int]:
    """Yield the index of each entry whose name an earlier one has, in any language."""
    locales = {locale for each in named for locale in each.get("name_localizations") or {}}
    for locale in ("", *sorted(locales)):
        seen: set[str] = set()
        for index, each in enumerate(named):
            name = (each.get("name_localizations") or {}).get(locale) or each["name"]
            if name in seen:
                yield index
            seen.add(name)


def _check_choices(form: FormErrors, at: str, option: Json) -> None:
    choices = option.get("choices") or []
    if choices and option.get("autocomplete"):
        message = "Options with choices cannot have autocomplete"
        form.add(f"{at}.autocomplete", "APPLICATION_COMMAND_AUTOCOMPLETE_WITH_CHOICES", message)
    values = [choice["value"] for choice in choices]
    again = {*_duplicate_indices(choices), *(i for i, v in enumerate(values) if v in values[:i])}
    for index in sorted(again):
        message = "Choice names and values must be unique"
        code = "APPLICATION_COMMAND_OPTIONS_CHOICE_NAME_ALREADY_EXISTS"
        form.add(f"{at}.choices.{index}", code, message)


def _check_bounds(form: FormErrors, at: str, option: Json) -> None:
    for what in ("length", "value"):
        low, high = option.get(f"min_{what}"), option.get(f"max_{what}")
        if low is not None and high is not None and low > high:
            message = f"Must be less than or equal to max_{what} ({high})."
            form.add(f"{at}.min_{what}", "APPLICATION_COMMAND_OPTION_BOUNDS_INVALID", message)


def _check_size(form: FormErrors, at: str, body: Json) -> None:
    """Check the total length of names, descriptions and choices.

    Each text counts with its longest translation.
    """
    if _count_characters(body) > COMMAND_CHARACTERS:
        message = f"Command exceeds maximum size ({COMMAND_CHARACTERS})"
        form.add(at, "APPLICATION_COMMAND_TOO_LARGE", message)


def _count_characters(part: Json) -> int:
    own = _longest_translation(part, "name") + _longest_translation(part, "description")
    choices = part.get("choices") or ()
    return (
        own
        + sum(
            _longest_translation(choice, "name") + len(str(choice["value"])) for choice in choices
        )
        + sum(map(_count_characters, part.get("options") or ()))
    )


def _longest_translation(part: Json, name: str) -> int:
    translated = (part.get(f"{name}_localizations") or {}).values()
    return max(len(text or "") for text in (part.get(name), *translated))


def _check_context_menu(form: FormErrors, at: str, body: Json) -> None:
    """Check that a command of a context menu has only a name."""
    for member in ("description", "description_localizations", "options"):
        if body.get(member):
            message = f"Context menu commands cannot have a {member}"
            code = f"APPLICATION_COMMAND_CONTEXT_MENU_{member.upper()}"
            form.add(f"{at}.{member}".removeprefix("."), code, message)


# Discord's locales.
LOCALES = frozenset((
    "ar", "bg", "cs", "da", "de", "el", "en-GB", "en-US", "es-419", "es-ES", "fi", "fr", "he", "hi",
    "hr", "hu", "id", "it", "ja", "ko", "lt", "nl", "no", "pl", "pt-BR", "ro", "ru", "sv-SE", "th",
    "tr", "uk", "vi", "zh-CN", "zh-TW",
))  # fmt: skip
_SLASH_TEXTS: dict[str, Schema] = {
    "name": CommandName(),
    "name_localizations": MapOf(LOCALES, CommandName()),
    "description": DESCRIPTION,
    "description_localizations": MapOf(LOCALES, DESCRIPTION),
}
_REQUIRED = ("name", "description")


def _choices(value: Schema) -> Array:
    return Array(
        Object(
            {
                "name": String(1, 100),
                "name_localizations": MapOf(LOCALES, String(1, 100)),
                "value": value,
            },
            ("name", "value"),
        ),
        0,
        CHOICES,
    )


@dataclass(frozen=True, slots=True)
class Absent:
    """A member that this type of option must not have."""

    def check(self, form: FormErrors, at: str, value: object) -> None:
        if value not in ([], False):
            form.add(at, "BASE_TYPE_FORBIDDEN", "This kind of option does not have this field")


_TYPE_SPECIFIC_FIELDS = (
    "autocomplete", "channel_types", "choices", "max_length", "max_value", "min_length",
    "min_value", "options",
)  # fmt: skip


def _option(**more: Schema) -> Object:
    members: dict[str, Schema] = {
        **_SLASH_TEXTS,
        "required": Boolean(),
        **dict.fromkeys(_TYPE_SPECIFIC_FIELDS, Absent()),
        **more,
    }
    return Object(members, _REQUIRED, (_check_choices, _check_bounds))


_WHOLE = Integer(-LARGEST_INTEGER, LARGEST_INTEGER)
_VALUES: dict[int, Object] = {
    **{kind: _option() for kind in OPTION_TYPES if kind > SUBCOMMAND_GROUP},
    STRING: _option(
        choices=_choices(String(1, 100)),
        autocomplete=Boolean(),
        min_length=Integer(0, 6000),
        max_length=Integer(1, 6000),
    ),
    INTEGER: _option(
        choices=_choices(_WHOLE), autocomplete=Boolean(), min_value=_WHOLE, max_value=_WHOLE
    ),
    NUMBER: _option(
        choices=_choices(Number()), autocomplete=Boolean(), min_value=Number(), max_value=Number()
    ),
    7: _option(channel_types=Array(Integer(0, 16), 0, None, unique=True)),
}
_SUBCOMMAND = Object(
    {**_SLASH_TEXTS, "choices": Absent(), "options": Array(TaggedObject(_VALUES), 0, OPTIONS)},
    _REQUIRED,
    (_check_options,),
)
_GROUP = Object(
    {
        **_SLASH_TEXTS,
        "choices": Absent(),
        "options": Array(TaggedObject({SUBCOMMAND: _SUBCOMMAND}), 1, OPTIONS),
    },
    (*_REQUIRED, "options"),
    (_check_options,),
)
_COMMON: dict[str, Schema] = {
    "default_member_permissions": AnyOf((Integer(0, 2**54), Digits())),
    "dm_permission": Boolean(),
    "nsfw": Boolean(),
    "contexts": Array(Choice((0, 1, 2)), 1, None, unique=True),
    "integration_types": Array(Choice((0, 1)), 1, None, unique=True),
}
_SLASH = Object(
    {
        **_COMMON,
        **_SLASH_TEXTS,
        "choices": Absent(),
        "options": Array(
            TaggedObject({**_VALUES, SUBCOMMAND: _SUBCOMMAND, SUBCOMMAND_GROUP: _GROUP}), 0, OPTIONS
        ),
    },
    _REQUIRED,
    (_check_options, _check_size),
)
_MENU = Object(
    {
        **_COMMON,
        "name": String(1, NAME_CHARACTERS, visible=True),
        "name_localizations": MapOf(LOCALES, String(1, NAME_CHARACTERS, visible=True)),
    },
    ("name",),
    (_check_context_menu,),
)


class CommandSchema:
    """A command. Without a `type` it is a slash command."""

    _types = TaggedObject({CHAT_INPUT: _SLASH, USER: _MENU, MESSAGE: _MENU})

    def check(self, form: FormErrors, at: str, value: object) -> None:
        if isinstance(value, dict) and value.get("type") is None:
            value = {**value, "type": CHAT_INPUT}
        self._types.check(form, at, value)


COMMAND = CommandSchema()
