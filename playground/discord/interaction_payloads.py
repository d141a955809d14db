"""The `data` of each kind of interaction, as Discord's own client builds it.

Where that client would not let a person send a value, `UserError` is raised.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from playground.discord.backend import Backend
from playground.discord.commands import CHAT_INPUT, SUBCOMMAND, SUBCOMMAND_GROUP
from playground.discord.commands import MESSAGE as MESSAGE_COMMAND
from playground.discord.commands import USER as USER_COMMAND
from playground.discord.components import ACTION_ROW, BUTTON, FILE_UPLOAD, LABEL, TEXT_INPUT, walk
from playground.discord.json_types import File, Json, UserError
from playground.discord.message_validation import FILE_BYTES
from playground.discord.state import ServerState, StoredMessage

STRING, INTEGER, BOOLEAN, USER, CHANNEL, ROLE, MENTIONABLE, NUMBER, ATTACHMENT = range(3, 12)
STRING_LIMIT = 6000

StoreFile = Callable[[File], Json]  # uploads a file and returns its attachment object
_AT_NAME = re.compile(r"<@!?([^\W\d][\w.\-]*)>|(?<![\w<])@([\w.\-]+)")
BOT_ALIAS = "bot"  # names the bot, whatever its username is


def command_data(
    backend: Backend,
    place: Json,
    line: str,
    options: Mapping[str, Any],
    files: Sequence[File] = (),
    *,
    focused: str | None = None,
) -> Json:
    """Build the data of a slash command. `line` is its name and those of the subcommand."""
    name, *path = line.removeprefix("/").split()
    found = _find_command(backend, name, CHAT_INPUT, place)
    definitions, chain = resolve_subcommand(found, path)
    filler = OptionFiller(backend.state, _create_uploader(backend, place["id"]))
    filled = filler.fill(definitions, options, files, focused=focused)
    for step in reversed(chain):
        filled = [{"name": step["name"], "type": step["type"], "options": filled}]
    data: Json = {**_identify(found), "options": filled, "resolved": filler.resolved}
    if "guild_id" in found:
        data["guild_id"] = found["guild_id"]
    return data


def context_menu_data(backend: Backend, place: Json, name: str, target: str) -> Json:
    """Build the data of a context menu's command. `target` is a message's id, or a user."""
    state = backend.state
    found = backend.commands.find(name, MESSAGE_COMMAND, place.get("guild_id"))
    if found is not None:
        message = backend.messages.present(state.message(place["id"], target))
        return {
            **_identify(found),
            "target_id": target,
            "resolved": {"messages": {target: message}},
        }
    found = _find_command(backend, name, USER_COMMAND, place)
    user = find_by_name(state.users.values(), target)
    return {**_identify(found), "target_id": user["id"], "resolved": {"users": {user["id"]: user}}}


def component_data(
    state: ServerState, source: StoredMessage, wanted: str, values: Sequence[str]
) -> Json:
    """Build the data of a button or a menu. `wanted` is its custom_id or its label."""
    found = find_component(source.data["components"], wanted)
    data: Json = {
        "id": found.get("id", 0),
        "custom_id": found["custom_id"],
        "component_type": found["type"],
    }
    return data if found["type"] == BUTTON else data | menu_data(state, found, values)


def modal_data(backend: Backend, opened: Json, values: Mapping[str, Any], channel: str) -> Json:
    """Build the data of a submitted modal. `values` are by custom_id."""
    filler = ModalFiller(opened, values, _create_uploader(backend, channel))
    return {
        "custom_id": opened["custom_id"],
        "components": filler.components,
        "resolved": filler.resolved,
    }


def _identify(found: Json) -> Json:
    return {key: found[key] for key in ("id", "name", "type")}


def _find_command(backend: Backend, name: str, kind: int, place: Json) -> Json:
    found = backend.commands.find(name, kind, place.get("guild_id"))
    if found is None:
        offered = [c["name"] for c in backend.commands.list_usable(place.get("guild_id"))]
        raise UserError(f"no command {name!r}; there are: {', '.join(offered) or 'none'}")
    return found


def _create_uploader(backend: Backend, channel: str) -> StoreFile:
    def upload(file: File) -> Json:
        if len(file.data) > FILE_BYTES:
            raise UserError(f"{file.name} is larger than {FILE_BYTES} bytes")
        return backend.cdn.store(file, channel, backend.state.snowflakes.next())

    return upload


# --- options and fields -----------------------------------------------------------------------


class OptionFiller:
    """Converts names and plain values to the options of a command interaction."""

    def __init__(self, state: ServerState, store: StoreFile) -> None:
        self._state = state
        self._store = store
        self.resolved: dict[str, Json] = {}

    def fill(
        self,
        definitions: Sequence[Json],
        values: Mapping[str, Any],
        files: Sequence[File],
        *,
        focused: str | None = None,
    ) -> list[Json]:
        unknown = set(values) - {d["name"] for d in definitions}
        if unknown:
            raise UserError(f"no such option: {', '.join(sorted(unknown))}")
        given = {**_assign_files(definitions, values, files), **values}
        filled = [
            self._fill_option(d, given[d["name"]], focused=focused)
            for d in definitions
            if given.get(d["name"]) is not None
        ]
        missing = [d["name"] for d in definitions if d.get("required") and d["name"] not in given]
        if missing and focused is None:
            raise UserError(f"required option missing: {', '.join(missing)}")
        return filled

    def _fill_option(self, definition: Json, value: Any, *, focused: str | None) -> Json:
        name, kind = definition["name"], definition["type"]
        option: Json = {"name": name, "type": kind}
        if focused == name:
            return {**option, "value": value, "focused": True}
        return {**option, "value": self.resolve_value(definition, kind, value)}

    def resolve_value(self, definition: Json, kind: int, value: Any) -> Any:
        if kind in (STRING, INTEGER, NUMBER):
            return _plain_value(definition, kind, value)
        if kind == BOOLEAN:
            return value if isinstance(value, bool) else str(value).lower() in ("true", "yes", "1")
        if kind == ATTACHMENT:
            if not isinstance(value, File):
                raise UserError(f"{definition['name']}: a file is needed")
            attachment = self._store(value)
            return self._resolve("attachments", attachment)
        if kind in (USER, MENTIONABLE):
            return self._resolve("users", find_by_name(self._state.users.values(), value))
        if kind == CHANNEL:
            return self._resolve("channels", find_by_name(self._state.channels.values(), value))
        roles = (role for guild in self._state.guilds.values() for role in guild["roles"])
        return self._resolve("roles", find_by_name(roles, value))

    def _resolve(self, kind: str, thing: Json) -> str:
        self.resolved.setdefault(kind, {})[thing["id"]] = thing
        return str(thing["id"])


# The option type of each menu for people, roles or channels, by component type.
_OPTION_TYPES = {5: USER, 6: ROLE, 7: MENTIONABLE, 8: CHANNEL}


def menu_data(state: ServerState, menu: Json, values: Sequence[str]) -> Json:
    """Build the data of a menu. discord.py relies on plain options without `resolved`."""
    kind = _OPTION_TYPES.get(menu["type"])
    if kind is None:
        return {"values": list(values)}
    filler = OptionFiller(state, _refuse_file)
    ids = [filler.resolve_value({}, kind, value) for value in values]
    return {"values": ids, "resolved": filler.resolved}


def _refuse_file(_file: File) -> Json:
    raise UserError("a menu takes no file")


def _assign_files(
    definitions: Sequence[Json], values: Mapping[str, Any], files: Sequence[File]
) -> dict[str, File]:
    """Assign files without an option's name to the free attachment options, in order."""
    free = [d["name"] for d in definitions if d["type"] == ATTACHMENT and d["name"] not in values]
    if len(files) > len(free):
        raise UserError(f"the command takes {len(free)} files, {len(files)} were given")
    return dict(zip(free, files, strict=False))


def _plain_value(definition: Json, kind: int, value: Any) -> Any:
    choices = definition.get("choices") or []
    for choice in choices:
        if value in (choice["name"], choice["value"]):
            return choice["value"]
    if choices:
        raise UserError(f"{definition['name']}: {value!r} is not among the choices")
    if kind == STRING:
        text = str(value)
        _check_range(definition, len(text), "length", default_max=STRING_LIMIT)
        return text
    try:
        number = int(value) if kind == INTEGER else float(value)
    except ValueError:
        raise UserError(f"{definition['name']}: {value!r} is not a number") from None
    _check_range(definition, number, "value")
    return number


def _check_range(
    definition: Json, amount: float, what: str, *, default_max: float | None = None
) -> None:
    low, high = definition.get(f"min_{what}"), definition.get(f"max_{what}", default_max)
    if (low is not None and amount < low) or (high is not None and amount > high):
        raise UserError(f"{definition['name']}: {what} must be within {low} and {high}")


def resolve_subcommand(command: Json, path: Sequence[str]) -> tuple[list[Json], list[Json]]:
    """Return the options of a (sub)command, and the subcommand definitions on the way to it."""
    options: list[Json] = command["options"]
    chain: list[Json] = []
    for name in path:
        step = next(
            (
                o
                for o in options
                if o["name"] == name and o["type"] in (SUBCOMMAND, SUBCOMMAND_GROUP)
            ),
            None,
        )
        if step is None:
            raise UserError(f"/{command['name']} has no subcommand {name!r}")
        chain.append(step)
        options = step.get("options") or []
    if any(o["type"] in (SUBCOMMAND, SUBCOMMAND_GROUP) for o in options):
        raise UserError(f"/{command['name']} needs a subcommand")
    return options, chain


def find_by_name(things: Any, wanted: Any) -> Json:
    """Return the object with this id or name. Raises UserError where there is none."""
    for thing in things:
        names = (thing["id"], thing.get("username"), thing.get("name"))
        if str(wanted).removeprefix("@").removeprefix("#") in names:
            found: Json = thing
            return found
    raise UserError(f"nothing is called {wanted!r}")


def insert_mentions(state: ServerState, text: str) -> str:
    """Replace @name and <@name> by mentions, as Discord's client does while a person types."""
    by_name = {BOT_ALIAS: state.bot["id"]} | {u["username"]: u["id"] for u in state.users.values()}

    def mention(match: re.Match[str]) -> str:
        user = by_name.get(match[1] or match[2])
        return f"<@{user}>" if user else match.group(0)

    return _AT_NAME.sub(mention, text)


def find_component(components: Sequence[Json], wanted: str) -> Json:
    """Return the component with this custom_id, or else with this label."""
    every = [c for c in walk(components) if c.get("custom_id")]
    for key in ("custom_id", "label"):
        for component in every:
            if component.get(key) == wanted:
                if component.get("disabled"):
                    raise UserError(f"{wanted!r} is disabled")
                return component
    offered = ", ".join(str(c.get("label") or c["custom_id"]) for c in every) or "nothing"
    raise UserError(f"no button or menu {wanted!r}; the message offers {offered}")


class ModalFiller:
    """Builds the components of a submitted modal, in the modal's own structure."""

    def __init__(self, modal: Json, values: Mapping[str, Any], store: StoreFile) -> None:
        self._values = values
        self._store = store
        self.resolved: dict[str, Json] = {}
        fields = [c["custom_id"] for c in walk(modal["components"]) if c.get("custom_id")]
        if unknown := set(values) - set(fields):
            raise UserError(f"the modal has no field {', '.join(sorted(unknown))}")
        self.components = list(self._fill(modal["components"]))

    def _fill(self, definitions: Sequence[Json]) -> Iterator[Json]:
        for definition in definitions:
            entry: Json = {"type": definition["type"], "id": definition.get("id", 0)}
            if definition["type"] == LABEL:
                yield {**entry, "component": next(self._fill([definition["component"]]))}
            elif definition["type"] == ACTION_ROW:
                yield {**entry, "components": list(self._fill(definition["components"]))}
            elif "custom_id" in definition:
                yield {
                    **entry,
                    "custom_id": definition["custom_id"],
                    **self._fill_value(definition),
                }

    def _fill_value(self, definition: Json) -> Json:
        name = definition["custom_id"]
        value = self._values.get(name)
        if definition["type"] == TEXT_INPUT:
            text = str(definition.get("value") or "" if value is None else value)
            if definition.get("required", True) and not text:
                raise UserError(f"{name}: required")
            if text:
                _check_range({**definition, "name": name}, len(text), "length", default_max=4000)
            return {"value": text}
        if definition["type"] == FILE_UPLOAD:
            attachments = [self._store(file) for file in value or ()]
            self.resolved.setdefault("attachments", {}).update({a["id"]: a for a in attachments})
            return {"values": [a["id"] for a in attachments]}
        if isinstance(value, list | tuple):
            return {"values": list(value)}
        return {"value": value} if definition["type"] > FILE_UPLOAD else {"values": [value]}
