"""Channels, threads, members and people."""

from aiohttp import web

from playground.discord.errors import DiscordError, Form, unknown
from playground.discord.permissions import Permission
from playground.discord.rest.exchange import answer, backend, nothing, read_json
from playground.discord.shapes import THREADS, ChannelType, Json
from playground.discord.state import Message

routes = web.RouteTableDef()


def _channel(request: web.Request, *needed: Permission) -> Json:
    state = backend(request).state
    channel = state.channel(request.match_info["channel"])
    state.require(state.bot["id"], channel, *needed)
    return channel


@routes.get("/channels/{channel}")
async def get_channel(request: web.Request) -> web.Response:
    return answer(_channel(request))


@routes.patch("/channels/{channel}")
async def edit_channel(request: web.Request) -> web.Response:
    channel = _channel(request)
    is_thread = channel["type"] in THREADS
    mine = channel.get("owner_id") == backend(request).state.bot["id"]
    body = await read_json(request)
    if is_thread and body == {"archived": False} and not channel["thread_metadata"]["locked"]:
        _channel(request, Permission.SEND_MESSAGES_IN_THREADS)  # as whoever writes there reopens it
    elif not (is_thread and mine):
        _channel(request, Permission.MANAGE_THREADS if is_thread else Permission.MANAGE_CHANNELS)
    _check_name(body, required=False)
    for key in ("name", "topic", "rate_limit_per_user", "nsfw"):
        if key in body:
            channel[key] = body[key]
    for key in ("archived", "locked", "auto_archive_duration"):
        if is_thread and key in body:
            channel["thread_metadata"][key] = body[key]
    event = "THREAD_UPDATE" if is_thread else "CHANNEL_UPDATE"
    backend(request).state.publish(event, channel, channel=channel["id"])
    return answer(channel)


@routes.delete("/channels/{channel}")
async def delete_channel(request: web.Request) -> web.Response:
    channel = _channel(request)
    if channel["type"] != ChannelType.DM:
        _channel(request, Permission.MANAGE_CHANNELS)
        backend(request).state.remove_channel(channel)
    return answer(channel)


@routes.post("/channels/{channel}/messages/{message}/threads")
async def start_thread_from_message(request: web.Request) -> web.Response:
    channel = _channel(request, Permission.CREATE_PUBLIC_THREADS)
    state = backend(request).state
    starter = state.message(channel["id"], request.match_info["message"])
    if starter.id in state.channels:
        raise DiscordError(400, 160004, "A thread has already been created for this message")
    return await _start_thread(request, channel, ChannelType.PUBLIC_THREAD, starter)


@routes.post("/channels/{channel}/threads")
async def start_thread(request: web.Request) -> web.Response:
    body = await read_json(request)
    private = body.get("type", ChannelType.PRIVATE_THREAD) == ChannelType.PRIVATE_THREAD
    if private:
        channel = _channel(request, Permission.CREATE_PRIVATE_THREADS)
        return await _start_thread(request, channel, ChannelType.PRIVATE_THREAD)
    channel = _channel(request, Permission.CREATE_PUBLIC_THREADS)
    return await _start_thread(request, channel, ChannelType.PUBLIC_THREAD)


async def _start_thread(
    request: web.Request, channel: Json, kind: ChannelType, starter: Message | None = None
) -> web.Response:
    body = await read_json(request)
    _check_name(body, required=True)
    if channel["type"] != ChannelType.TEXT:
        raise DiscordError(400, 50024, "Cannot execute action on this channel type")
    thread = backend(request).state.add_thread(
        channel,
        body["name"],
        backend(request).state.bot["id"],
        starter=starter,
        kind=kind,
        auto_archive_minutes=body.get("auto_archive_duration") or 1440,
    )
    return answer(thread, 201)


def _check_name(body: Json, *, required: bool) -> None:
    form = Form()
    if required:
        form.required("name", body.get("name"))
    form.longest("name", body.get("name"), 100)
    form.check()


@routes.put("/channels/{channel}/thread-members/{user}")
@routes.delete("/channels/{channel}/thread-members/{user}")
async def thread_member(request: web.Request) -> web.Response:
    channel = _channel(request)
    state = backend(request).state
    user = request.match_info["user"]
    user = state.bot["id"] if user == "@me" else state.user(user)["id"]
    if channel["type"] not in THREADS:
        raise unknown("Channel")
    state.set_thread_member(channel, user, present=request.method == "PUT")
    return nothing()


@routes.get("/channels/{channel}/thread-members")
async def thread_members(request: web.Request) -> web.Response:
    channel = _channel(request)
    ids = backend(request).state.thread_members.get(channel["id"], set())
    return answer([{"id": channel["id"], "user_id": user, "flags": 0} for user in sorted(ids)])


@routes.get("/guilds/{guild}/threads/active")
async def active_threads(request: web.Request) -> web.Response:
    state = backend(request).state
    guild = state.guild(request.match_info["guild"])["id"]
    threads = [
        c
        for c in state.channels.values()
        if c["type"] in THREADS
        and c["guild_id"] == guild
        and not c["thread_metadata"]["archived"]
        and state.may_view(state.bot["id"], c["id"])
    ]
    return answer({"threads": threads, "members": [], "has_more": False})


@routes.post("/users/@me/channels")
async def open_dm(request: web.Request) -> web.Response:
    body = await read_json(request)
    user = backend(request).state.user(str(body.get("recipient_id")))
    if user["bot"]:
        raise DiscordError(400, 50007, "Cannot send messages to this user")
    return answer(backend(request).state.open_dm(user["id"]))


@routes.get("/users/{user}")
async def get_user(request: web.Request) -> web.Response:
    return answer(backend(request).state.user(request.match_info["user"]))


@routes.get("/guilds/{guild}")
async def get_guild(request: web.Request) -> web.Response:
    guild = backend(request).state.guild(request.match_info["guild"])
    return answer({**guild, "emojis": [], "stickers": []})


@routes.get("/guilds/{guild}/channels")
async def guild_channels(request: web.Request) -> web.Response:
    state = backend(request).state
    guild = state.guild(request.match_info["guild"])["id"]
    mine = [c for c in state.channels.values() if c.get("guild_id") == guild]
    return answer([c for c in mine if c["type"] not in THREADS])


@routes.get("/guilds/{guild}/roles")
async def guild_roles(request: web.Request) -> web.Response:
    return answer(backend(request).state.guild(request.match_info["guild"])["roles"])


@routes.get("/guilds/{guild}/members")
async def guild_members(request: web.Request) -> web.Response:
    guild = backend(request).state.guild(request.match_info["guild"])
    return answer(list(backend(request).state.members[guild["id"]].values()))


@routes.get("/guilds/{guild}/members/{user}")
async def guild_member(request: web.Request) -> web.Response:
    guild = backend(request).state.guild(request.match_info["guild"])
    return answer(backend(request).state.member(guild["id"], request.match_info["user"]))
