"""Channel messages, reactions and typing, with the bot's permissions."""

from urllib.parse import unquote

from aiohttp import web

from playground.discord.clock import creation_time
from playground.discord.errors import DiscordError, FormErrors, archived_thread_error, unknown_error
from playground.discord.intents import Intent, hide_content
from playground.discord.json_types import THREADS, ChannelType, Json
from playground.discord.messages import Origin
from playground.discord.permissions import Permission, send_permission
from playground.discord.rest.http_io import (
    get_backend,
    json_response,
    no_content,
    read_body,
    read_message,
    read_query,
)
from playground.discord.schema import Array, Integer, Object, Snowflake, is_emoji
from playground.discord.state import StoredMessage

routes = web.RouteTableDef()

BULK_DELETE = Object({"messages": Array(Snowflake(), 2, 100, unique=True)}, ("messages",))
BULK_DELETE_SECONDS = 14 * 24 * 3600

_MESSAGES = "/channels/{channel}/messages"
_MESSAGE = _MESSAGES + "/{message}"
_MY_REACTION = _MESSAGE + "/reactions/{emoji}/@me"


def _channel(request: web.Request, *needed: Permission) -> Json:
    state = get_backend(request).state
    channel = state.channel(request.match_info["channel"])
    state.require(state.bot["id"], channel, *needed)
    return channel


def _message(request: web.Request, channel: Json) -> StoredMessage:
    message = get_backend(request).state.message(channel["id"], request.match_info["message"])
    if message.visible_to is not None:  # only its token reaches an ephemeral one
        raise unknown_error("Message")
    return message


def _present_readable(request: web.Request, message: StoredMessage) -> Json:
    state = get_backend(request).state
    intents = Intent(state.privileged_intents & Intent.MESSAGE_CONTENT)
    shown = get_backend(request).messages.present(message)
    if "guild_id" in message.data:  # `hide_content` takes a message without it for a DM
        shown["guild_id"] = message.data["guild_id"]
    shown = hide_content(shown, intents, state.bot["id"])
    return {key: value for key, value in shown.items() if key != "guild_id"}


@routes.get(_MESSAGES)
async def list_messages(request: web.Request) -> web.Response:
    channel = _channel(request)
    state = get_backend(request).state
    if Permission.READ_MESSAGE_HISTORY not in state.permissions(state.bot["id"], channel):
        return json_response([])  # Discord documents this as no error
    wanted = read_query(
        request, limit=Integer(1, 100), before=Snowflake(), after=Snowflake(), around=Snowflake()
    )
    if len(wanted.keys() - {"limit"}) > 1:
        message = "before, after and around are mutually exclusive"
        raise FormErrors.single("around", "MESSAGES_QUERY_EXCLUSIVE", message)
    limit = wanted.get("limit", 50)
    everything = state.messages[channel["id"]].values()
    shown = [m for m in everything if m.visible_to is None]
    if "before" in wanted:
        shown = [m for m in shown if int(m.id) < wanted["before"]]
    if "after" in wanted:
        shown = [m for m in shown if int(m.id) > wanted["after"]][:limit]
    if "around" in wanted:
        middle = wanted["around"]
        older = [m for m in shown if int(m.id) <= middle][-(limit // 2 + 1) :]
        shown = older + [m for m in shown if int(m.id) > middle][: limit - len(older)]
    return json_response([_present_readable(request, m) for m in reversed(shown[-limit:])])


@routes.post(_MESSAGES)
async def create_message(request: web.Request) -> web.Response:
    channel = _channel(request)
    if channel["type"] == ChannelType.FORUM:
        raise DiscordError(400, 50008, "Cannot send messages in a non-text channel")
    body, files = await read_message(request)
    needed = [send_permission(channel)]
    if files:
        needed.append(Permission.ATTACH_FILES)
    if body.get("embeds"):
        needed.append(Permission.EMBED_LINKS)
    _channel(request, *needed)
    server = get_backend(request)
    granted = server.state.permissions(server.state.bot["id"], channel)
    if body.get("message_reference") and Permission.READ_MESSAGE_HISTORY not in granted:
        message = "Cannot reply without permission to read message history"
        raise DiscordError(403, 160002, message)
    _unarchive(request, channel)
    origin = Origin(
        server.state.bot, responds_to=server.find_by_nonce(body.get("nonce"), channel["id"])
    )
    return json_response(
        server.messages.present(server.messages.post(channel, body, files, origin))
    )


@routes.get(_MESSAGE)
async def get_message(request: web.Request) -> web.Response:
    channel = _channel(request, Permission.READ_MESSAGE_HISTORY)
    return json_response(_present_readable(request, _message(request, channel)))


@routes.patch(_MESSAGE)
async def edit_message(request: web.Request) -> web.Response:
    channel = _channel(request)
    message = _message(request, channel)
    if message.author != get_backend(request).state.bot["id"]:
        raise DiscordError(403, 50005, "Cannot edit a message authored by another user")
    _require_open(channel)
    body, files = await read_message(request)
    edited = get_backend(request).messages.edit(message, body, files)
    return json_response(get_backend(request).messages.present(edited))


@routes.delete(_MESSAGE)
async def delete_message(request: web.Request) -> web.Response:
    channel = _channel(request)
    message = _message(request, channel)
    if message.author != get_backend(request).state.bot["id"]:
        _channel(request, Permission.MANAGE_MESSAGES)
    get_backend(request).messages.delete(message)
    return no_content()


@routes.post("/channels/{channel}/typing")
async def typing(request: web.Request) -> web.Response:
    channel = _channel(request)
    _channel(request, send_permission(channel))
    get_backend(request).state.publish_typing(get_backend(request).state.bot["id"], channel)
    return no_content()


@routes.put(_MY_REACTION)
async def add_reaction(request: web.Request) -> web.Response:
    channel = _channel(request, Permission.READ_MESSAGE_HISTORY)
    message = _message(request, channel)
    _require_open(channel)
    emoji = unquote(request.match_info["emoji"])
    if not is_emoji(emoji):
        raise unknown_error("Emoji")
    if not any(r["emoji"]["name"] == emoji for r in message.data["reactions"]):
        _channel(request, Permission.ADD_REACTIONS)
    get_backend(request).messages.react(message, get_backend(request).state.bot["id"], emoji)
    return no_content()


@routes.delete(_MY_REACTION)
async def remove_reaction(request: web.Request) -> web.Response:
    message = _message(request, _channel(request))
    emoji = unquote(request.match_info["emoji"])
    get_backend(request).messages.unreact(message, get_backend(request).state.bot["id"], emoji)
    return no_content()


@routes.put("/channels/{channel}/pins/{message}")
@routes.delete("/channels/{channel}/pins/{message}")
@routes.put("/channels/{channel}/messages/pins/{message}")
@routes.delete("/channels/{channel}/messages/pins/{message}")
async def pin(request: web.Request) -> web.Response:
    channel = _channel(request, Permission.PIN_MESSAGES)
    message = _message(request, channel)
    _require_open(channel)
    message.data["pinned"] = request.method == "PUT"
    get_backend(request).state.publish_message("MESSAGE_UPDATE", message)
    return no_content()


@routes.post("/channels/{channel}/messages/bulk-delete")
async def bulk_delete(request: web.Request) -> web.Response:
    channel = _channel(request, Permission.MANAGE_MESSAGES)
    state = get_backend(request).state
    body = await read_body(request, BULK_DELETE)
    oldest = state.clock.now() - BULK_DELETE_SECONDS
    if any(creation_time(str(each)) < oldest for each in body["messages"]):
        message = "You can only bulk delete messages that are under 14 days old."
        raise DiscordError(400, 50034, message)
    for message_id in map(str, body["messages"]):
        if message_id in state.messages[channel["id"]]:  # Discord skips the others
            get_backend(request).messages.delete(state.message(channel["id"], message_id))
    return no_content()


def _require_open(channel: Json) -> None:
    if channel["type"] in THREADS and channel["thread_metadata"]["archived"]:
        raise archived_thread_error()


def _unarchive(request: web.Request, channel: Json) -> None:
    """Unarchive a thread for a new message. Raises 160005 for a locked one.

    Members who manage threads may write in locked ones.
    """
    if channel["type"] not in THREADS:
        return
    state = get_backend(request).state
    about = channel["thread_metadata"]
    granted = state.permissions(state.bot["id"], channel)
    if about["locked"] and Permission.MANAGE_THREADS not in granted:
        raise DiscordError(403, 160005, "Thread is locked")
    if about["archived"]:
        state.set_archived(channel, archived=False, locked=about["locked"])
