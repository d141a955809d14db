"""The `data` of each kind of interaction, as Discord's own client makes it.

What that client would not let a person send raises `UserError`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from playground.discord import commands, components, message_validation
from playground.discord.backend import Backend
from playground.discord.client_forms import (
    ModalFiller,
    OptionFiller,
    find_by_name,
    find_component,
    menu_data,
    resolve_subcommand,
)
from playground.discord.json_types import File, Json, UserError
from playground.discord.state import ServerState, StoredMessage


def command_data(
    backend: Backend,
    place: Json,
    line: str,
    options: Mapping[str, Any],
    files: Sequence[File] = (),
    *,
    focused: str | None = None,
) -> Json:
    """`line` is a command's name and, where it has them, those of the subcommand."""
    name, *path = line.removeprefix("/").split()
    found = _find_command(backend, name, commands.CHAT_INPUT, place)
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
    """`target` is a message's id for a message command, a user for a user command."""
    state = backend.state
    found = backend.commands.find(name, commands.MESSAGE, place.get("guild_id"))
    if found is not None:
        message = backend.messages.present(state.message(place["id"], target))
        return {
            **_identify(found),
            "target_id": target,
            "resolved": {"messages": {target: message}},
        }
    found = _find_command(backend, name, commands.USER, place)
    user = find_by_name(state.users.values(), target)
    return {**_identify(found), "target_id": user["id"], "resolved": {"users": {user["id"]: user}}}


def component_data(
    state: ServerState, source: StoredMessage, wanted: str, values: Sequence[str]
) -> Json:
    """A button pressed or a menu's `values` chosen; found by custom_id or label."""
    found = find_component(source.data["components"], wanted)
    data: Json = {
        "id": found.get("id", 0),
        "custom_id": found["custom_id"],
        "component_type": found["type"],
    }
    return data if found["type"] == components.BUTTON else data | menu_data(state, found, values)


def modal_data(backend: Backend, opened: Json, values: Mapping[str, Any], channel: str) -> Json:
    """What a person filled in; fields by custom_id."""
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


def _create_uploader(backend: Backend, channel: str) -> Callable[[File], Json]:
    def upload(file: File) -> Json:
        if len(file.data) > message_validation.FILE_BYTES:
            raise UserError(f"{file.name} is larger than {message_validation.FILE_BYTES} bytes")
        return backend.cdn.store(file, channel, backend.state.snowflakes.next())

    return upload
