"""What Discord's own client does before it sends: fill in options, modals and mentions.

Whatever the client would not let a person send raises `UserError`.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from playground.discord import message_validation
from playground.discord.commands import SUBCOMMAND, SUBCOMMAND_GROUP
from playground.discord.components import ACTION_ROW, FILE_UPLOAD, LABEL, TEXT_INPUT
from playground.discord.json_types import File, Json, UserError
from playground.discord.state import ServerState

STRING, INTEGER, BOOLEAN, USER, CHANNEL, ROLE, MENTIONABLE, NUMBER, ATTACHMENT = range(3, 12)
STRING_LIMIT = 6000

Store = Callable[[File], Json]  # uploads a file, gives its attachment object
_AT_NAME = re.compile(r"<@!?([^\W\d][\w.\-]*)>|(?<![\w<])@([\w.\-]+)")
BOT_ALIAS = "bot"  # a name for it that does not depend on what it is called


class OptionFiller:
    """Turns names and plain values into the options of a command interaction."""

    def __init__(self, state: ServerState, store: Store) -> None:
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


# Which menus choose people, roles or channels: component type to the option type like it.
_OPTION_TYPES = {5: USER, 6: ROLE, 7: MENTIONABLE, 8: CHANNEL}


def menu_data(state: ServerState, menu: Json, values: Sequence[str]) -> Json:
    """What a menu sends. Plain options carry no `resolved`, and discord.py relies on that."""
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
    """Files without an option's name go to the attachment options in their order."""
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
    """The options of a (sub)command, and the chain of subcommand definitions that leads there."""
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
    """By id or by name."""
    for thing in things:
        names = (thing["id"], thing.get("username"), thing.get("name"))
        if str(wanted).removeprefix("@").removeprefix("#") in names:
            found: Json = thing
            return found
    raise UserError(f"nothing is called {wanted!r}")


def insert_mentions(state: ServerState, text: str) -> str:
    """Discord's client turns @name into a mention while a person types; so is <@name> read."""
    by_name = {BOT_ALIAS: state.bot["id"]} | {u["username"]: u["id"] for u in state.users.values()}

    def mention(match: re.Match[str]) -> str:
        user = by_name.get(match[1] or match[2])
        return f"<@{user}>" if user else match.group(0)

    return _AT_NAME.sub(mention, text)


def find_component(components: Sequence[Json], wanted: str) -> Json:
    """By custom_id, or else by label."""
    every = [c for c in message_validation.walk(components) if c.get("custom_id")]
    for key in ("custom_id", "label"):
        for component in every:
            if component.get(key) == wanted:
                if component.get("disabled"):
                    raise UserError(f"{wanted!r} is disabled")
                return component
    offered = ", ".join(str(c.get("label") or c["custom_id"]) for c in every) or "nothing"
    raise UserError(f"no button or menu {wanted!r}; the message offers {offered}")


class ModalFiller:
    """The components of a modal's submission, shaped as the modal defined them."""

    def __init__(self, modal: Json, values: Mapping[str, Any], store: Store) -> None:
        self._values = values
        self._store = store
        self.resolved: dict[str, Json] = {}
        fields = [
            c["custom_id"]
            for c in message_validation.walk(modal["components"])
            if c.get("custom_id")
        ]
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
