"""Channels, threads, members and people."""

from aiohttp import web

from playground.discord.errors import (
    DiscordError,
    archived_thread_error,
    missing_access_error,
    unknown_error,
)
from playground.discord.json_types import THREADS, ChannelType, Json
from playground.discord.permissions import Permission
from playground.discord.rest.http_io import (
    get_backend,
    json_response,
    no_content,
    read_body,
    read_query,
)
from playground.discord.schema import Array, Boolean, Choice, Integer, Object, Snowflake, String
from playground.discord.state import StoredMessage

routes = web.RouteTableDef()

_SECONDS = Integer(0, 21_600)
_MINUTES = Choice((60, 1440, 4320, 10_080))
_NAME = String(1, 100, visible=True)
THREAD = Object(
    {
        "name": _NAME,
        "type": Choice((10, 11, 12)),
        "auto_archive_duration": _MINUTES,
        "rate_limit_per_user": _SECONDS,
        "invitable": Boolean(),
    },
    ("name",),
)
THREAD_EDIT = Object(
    {
        "name": _NAME,
        "archived": Boolean(),
        "locked": Boolean(),
        "invitable": Boolean(),
        "auto_archive_duration": _MINUTES,
        "rate_limit_per_user": _SECONDS,
        "applied_tags": Array(Snowflake(), 0, 5),
    }
)
CHANNEL_EDIT = Object(
    {
        "name": _NAME,
        "topic": String(0, 4096),
        "nsfw": Boolean(),
        "rate_limit_per_user": _SECONDS,
        "position": Integer(),
        "parent_id": Snowflake(),
    }
)
NEW_DM = Object({"recipient_id": Snowflake()}, ("recipient_id",))


def _channel(request: web.Request, *needed: Permission) -> Json:
    state = get_backend(request).state
    channel = state.channel(request.match_info["channel"])
    state.require(state.bot["id"], channel, *needed)
    return channel


def _guild(request: web.Request) -> Json:
    """Return the server of the path. The bot must be its member."""
    state = get_backend(request).state
    guild = state.guild(request.match_info["guild"])
    if not state.has_bot(guild["id"]):
        raise missing_access_error()
    return guild


@routes.get("/channels/{channel}")
async def get_channel(request: web.Request) -> web.Response:
    return json_response(_channel(request))


@routes.patch("/channels/{channel}")
async def edit_channel(request: web.Request) -> web.Response:
    channel = _channel(request)
    is_thread = channel["type"] in THREADS
    mine = channel.get("owner_id") == get_backend(request).state.bot["id"]
    body = await read_body(request, THREAD_EDIT if is_thread else CHANNEL_EDIT)
    body = {key: value for key, value in body.items() if value is not None}
    if is_thread and body == {"archived": False} and not channel["thread_metadata"]["locked"]:
        _channel(
            request, Permission.SEND_MESSAGES_IN_THREADS
        )  # a message there would unarchive it, too
    elif not (is_thread and mine):
        _channel(request, Permission.MANAGE_THREADS if is_thread else Permission.MANAGE_CHANNELS)
    for key in ("name", "topic", "rate_limit_per_user", "nsfw"):
        if key in body:
            channel[key] = body[key]
    for key in ("archived", "locked", "auto_archive_duration"):
        if is_thread and key in body:
            channel["thread_metadata"][key] = body[key]
    event = "THREAD_UPDATE" if is_thread else "CHANNEL_UPDATE"
    get_backend(request).state.publish(event, channel, channel=channel["id"])
    return json_response(channel)


@routes.delete("/channels/{channel}")
async def delete_channel(request: web.Request) -> web.Response:
    channel = _channel(request)
    if channel["type"] != ChannelType.DM:
        _channel(request, Permission.MANAGE_CHANNELS)
        get_backend(request).state.remove_channel(channel)
    return json_response(channel)


@routes.post("/channels/{channel}/messages/{message}/threads")
async def start_thread_from_message(request: web.Request) -> web.Response:
    channel = _channel(request, Permission.CREATE_PUBLIC_THREADS)
    state = get_backend(request).state
    starter = state.message(channel["id"], request.match_info["message"])
    if starter.id in state.channels:
        raise DiscordError(400, 160004, "A thread has already been created for this message")
    return await _start_thread(request, channel, ChannelType.PUBLIC_THREAD, starter)


@routes.post("/channels/{channel}/threads")
async def start_thread(request: web.Request) -> web.Response:
    body = await read_body(request, THREAD)
    private = (body.get("type") or ChannelType.PRIVATE_THREAD) == ChannelType.PRIVATE_THREAD
    if private:
        channel = _channel(request, Permission.CREATE_PRIVATE_THREADS)
        return await _start_thread(request, channel, ChannelType.PRIVATE_THREAD)
    channel = _channel(request, Permission.CREATE_PUBLIC_THREADS)
    return await _start_thread(request, channel, ChannelType.PUBLIC_THREAD)


async def _start_thread(
    request: web.Request, channel: Json, kind: ChannelType, starter: StoredMessage | None = None
) -> web.Response:
    body = await read_body(request, THREAD)
    if channel["type"] != ChannelType.TEXT:
        raise DiscordError(400, 50024, "Cannot execute action on this channel type")
    thread = get_backend(request).state.add_thread(
        channel,
        body["name"].strip(),
        get_backend(request).state.bot["id"],
        starter=starter,
        kind=kind,
        auto_archive_minutes=body.get("auto_archive_duration") or 1440,
    )
    return json_response(thread, 201)


@routes.put("/channels/{channel}/thread-members/{user}")
@routes.delete("/channels/{channel}/thread-members/{user}")
async def thread_member(request: web.Request) -> web.Response:
    channel = _channel(request)
    state = get_backend(request).state
    user = request.match_info["user"]
    user = state.bot["id"] if user == "@me" else state.user(user)["id"]
    if channel["type"] not in THREADS:
        raise unknown_error("Channel")
    if channel["thread_metadata"]["archived"]:
        raise archived_thread_error()
    state.set_thread_member(channel, user, present=request.method == "PUT")
    return no_content()


@routes.get("/channels/{channel}/thread-members")
async def thread_members(request: web.Request) -> web.Response:
    channel = _channel(request)
    joined = get_backend(request).state.thread_members.get(channel["id"], {})
    return json_response(
        [
            {"id": channel["id"], "user_id": user, "join_timestamp": when, "flags": 0}
            for user, when in sorted(joined.items())
        ]
    )


@routes.get("/guilds/{guild}/threads/active")
async def active_threads(request: web.Request) -> web.Response:
    state = get_backend(request).state
    guild = _guild(request)["id"]
    threads = [
        c
        for c in state.channels.values()
        if c["type"] in THREADS
        and c["guild_id"] == guild
        and not c["thread_metadata"]["archived"]
        and state.can_view(state.bot["id"], c["id"])
    ]
    return json_response({"threads": threads, "members": [], "has_more": False})


@routes.post("/users/@me/channels")
async def open_dm(request: web.Request) -> web.Response:
    body = await read_body(request, NEW_DM)
    user = get_backend(request).state.user(str(body["recipient_id"]))
    if user["bot"]:
        raise DiscordError(400, 50007, "Cannot send messages to this user")
    return json_response(get_backend(request).state.open_dm(user["id"]))


@routes.get("/users/{user}")
async def get_user(request: web.Request) -> web.Response:
    return json_response(get_backend(request).state.user(request.match_info["user"]))


@routes.get("/guilds/{guild}")
async def get_guild(request: web.Request) -> web.Response:
    return json_response(_guild(request))


@routes.get("/guilds/{guild}/channels")
async def guild_channels(request: web.Request) -> web.Response:
    state = get_backend(request).state
    guild = _guild(request)["id"]
    mine = [c for c in state.channels.values() if c.get("guild_id") == guild]
    return json_response([c for c in mine if c["type"] not in THREADS])


@routes.get("/guilds/{guild}/roles")
async def guild_roles(request: web.Request) -> web.Response:
    return json_response(_guild(request)["roles"])


@routes.get("/guilds/{guild}/members")
async def guild_members(request: web.Request) -> web.Response:
    guild = _guild(request)
    wanted = read_query(request, limit=Integer(1, 1000), after=Snowflake())
    members = sorted(
        get_backend(request).state.members[guild["id"]].values(), key=lambda m: int(m["user"]["id"])
    )
    found = [m for m in members if int(m["user"]["id"]) > wanted.get("after", 0)]
    return json_response(found[: wanted.get("limit", 1)])


@routes.get("/guilds/{guild}/members/{user}")
async def guild_member(request: web.Request) -> web.Response:
    guild = _guild(request)
    return json_response(get_backend(request).state.member(guild["id"], request.match_info["user"]))
