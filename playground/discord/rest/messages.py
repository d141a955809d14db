"""Channel messages, reactions and typing, with the bot's permissions."""

from urllib.parse import unquote

from aiohttp import web

from playground.discord.errors import DiscordError, unknown
from playground.discord.intents import Intent, readable
from playground.discord.messages import Origin
from playground.discord.permissions import Permission
from playground.discord.reactions import react, unreact
from playground.discord.rest.exchange import answer, backend, nothing, read_json, read_message
from playground.discord.shapes import THREADS, Json
from playground.discord.state import Message

routes = web.RouteTableDef()

GATEWAY_ALONE = ("member", "guild_id")  # fields that only events carry
_MESSAGES = "/channels/{channel}/messages"
_MESSAGE = _MESSAGES + "/{message}"
_MY_REACTION = _MESSAGE + "/reactions/{emoji}/@me"


def _channel(request: web.Request, *needed: Permission) -> Json:
    state = backend(request).state
    channel = state.channel(request.match_info["channel"])
    state.require(state.bot["id"], channel, *needed)
    return channel


def _message(request: web.Request, channel: Json) -> Message:
    message = backend(request).state.message(channel["id"], request.match_info["message"])
    if message.visible_to is not None:  # an ephemeral one is reached only through its token
        raise unknown("Message")
    return message


def _presented(request: web.Request, message: Message) -> Json:
    state = backend(request).state
    intents = Intent(state.privileged_intents & Intent.MESSAGE_CONTENT)
    shown = readable(backend(request).messages.present(message), intents, state.bot["id"])
    return {key: value for key, value in shown.items() if key not in GATEWAY_ALONE}


def send_permission(channel: Json) -> Permission:
    if channel["type"] in THREADS:
        return Permission.SEND_MESSAGES_IN_THREADS
    return Permission.SEND_MESSAGES


@routes.get(_MESSAGES)
async def list_messages(request: web.Request) -> web.Response:
    channel = _channel(request)
    state = backend(request).state
    if Permission.READ_MESSAGE_HISTORY not in state.permissions(state.bot["id"], channel):
        return answer([])  # not an error, says Discord
    limit = min(max(int(request.query.get("limit", 50)), 1), 100)
    everything = state.messages[channel["id"]].values()
    shown = [m for m in everything if m.visible_to is None]
    if "before" in request.query:
        shown = [m for m in shown if int(m.id) < int(request.query["before"])]
    if "after" in request.query:
        shown = [m for m in shown if int(m.id) > int(request.query["after"])][:limit]
    if "around" in request.query:
        middle = int(request.query["around"])
        older = [m for m in shown if int(m.id) <= middle][-(limit // 2 + 1) :]
        shown = older + [m for m in shown if int(m.id) > middle][: limit - len(older)]
    return answer([_presented(request, m) for m in reversed(shown[-limit:])])


@routes.post(_MESSAGES)
async def create_message(request: web.Request) -> web.Response:
    channel = _channel(request)
    body, files = await read_message(request)
    needed = [send_permission(channel)]
    if files:
        needed.append(Permission.ATTACH_FILES)
    if body.get("embeds"):
        needed.append(Permission.EMBED_LINKS)
    if body.get("message_reference"):
        needed.append(Permission.READ_MESSAGE_HISTORY)
    _channel(request, *needed)
    _reopen(request, channel)
    server = backend(request)
    origin = Origin(
        server.state.bot, answers=server.answered_by_nonce(body.get("nonce"), channel["id"])
    )
    return answer(server.messages.present(server.messages.post(channel, body, files, origin)))


@routes.get(_MESSAGE)
async def get_message(request: web.Request) -> web.Response:
    channel = _channel(request, Permission.READ_MESSAGE_HISTORY)
    return answer(_presented(request, _message(request, channel)))


@routes.patch(_MESSAGE)
async def edit_message(request: web.Request) -> web.Response:
    channel = _channel(request)
    message = _message(request, channel)
    if message.author != backend(request).state.bot["id"]:
        raise DiscordError(403, 50005, "Cannot edit a message authored by another user")
    _require_open(channel)
    body, files = await read_message(request)
    edited = backend(request).messages.edit(message, body, files)
    return answer(backend(request).messages.present(edited))


@routes.delete(_MESSAGE)
async def delete_message(request: web.Request) -> web.Response:
    channel = _channel(request)
    message = _message(request, channel)
    if message.author != backend(request).state.bot["id"]:
        _channel(request, Permission.MANAGE_MESSAGES)
    backend(request).messages.delete(message)
    return nothing()


@routes.post("/channels/{channel}/typing")
async def typing(request: web.Request) -> web.Response:
    channel = _channel(request)
    _channel(request, send_permission(channel))
    backend(request).state.publish_typing(backend(request).state.bot["id"], channel)
    return nothing()


@routes.put(_MY_REACTION)
async def add_reaction(request: web.Request) -> web.Response:
    channel = _channel(request, Permission.READ_MESSAGE_HISTORY)
    message = _message(request, channel)
    emoji = unquote(request.match_info["emoji"])
    if not any(r["emoji"]["name"] == emoji for r in message.data["reactions"]):
        _channel(request, Permission.ADD_REACTIONS)
    react(backend(request).state, message, backend(request).state.bot["id"], emoji)
    return nothing()


@routes.delete(_MY_REACTION)
async def remove_reaction(request: web.Request) -> web.Response:
    message = _message(request, _channel(request))
    emoji = unquote(request.match_info["emoji"])
    unreact(backend(request).state, message, backend(request).state.bot["id"], emoji)
    return nothing()


@routes.put("/channels/{channel}/pins/{message}")
@routes.delete("/channels/{channel}/pins/{message}")
@routes.put("/channels/{channel}/messages/pins/{message}")
@routes.delete("/channels/{channel}/messages/pins/{message}")
async def pin(request: web.Request) -> web.Response:
    message = _message(request, _channel(request, Permission.PIN_MESSAGES))
    message.data["pinned"] = request.method == "PUT"
    backend(request).state.publish_message("MESSAGE_UPDATE", message)
    return nothing()


@routes.post("/channels/{channel}/messages/bulk-delete")
async def bulk_delete(request: web.Request) -> web.Response:
    channel = _channel(request, Permission.MANAGE_MESSAGES)
    state = backend(request).state
    for message_id in (await read_json(request))["messages"]:
        backend(request).messages.delete(state.message(channel["id"], str(message_id)))
    return nothing()


def _require_open(channel: Json) -> None:
    if channel["type"] in THREADS and channel["thread_metadata"]["archived"]:
        raise DiscordError(400, 50083, "Thread is archived")


def _reopen(request: web.Request, channel: Json) -> None:
    """A new message takes a thread out of the archive, unless it is locked."""
    if channel["type"] in THREADS and channel["thread_metadata"]["archived"]:
        if channel["thread_metadata"]["locked"]:
            _require_open(channel)
        backend(request).state.set_archived(channel, archived=False)
