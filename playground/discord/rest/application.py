"""The bot's own account, its gateway and its commands."""

from aiohttp import web

from playground.discord import permissions
from playground.discord.commands import GLOBAL
from playground.discord.errors import DiscordError
from playground.discord.intents import APPLICATION_FLAGS
from playground.discord.rest.http_io import get_backend, json_response, no_content, read_json

routes = web.RouteTableDef()

_COMMANDS = "/applications/{application}/commands"
_GUILD_COMMANDS = "/applications/{application}/guilds/{scope}/commands"


@routes.get("/users/@me")
async def me(request: web.Request) -> web.Response:
    bot = get_backend(request).state.bot
    account = {"verified": True, "mfa_enabled": False, "locale": "en-US", "email": None}
    return json_response({**bot, **account})


@routes.get("/users/@me/guilds")
async def my_guilds(request: web.Request) -> web.Response:
    """Return all servers on one page, since the local Discord has few."""
    state = get_backend(request).state
    me = state.bot["id"]
    return json_response(
        [
            {
                **{key: guild[key] for key in ("id", "name", "icon", "banner", "features")},
                "owner": guild["owner_id"] == me,
                "permissions": str(
                    int(permissions.guild_permissions(guild, state.member(guild["id"], me)))
                ),
            }
            for guild in state.guilds.values()
            if state.has_bot(guild["id"])
        ]
    )


@routes.get("/oauth2/applications/@me")
@routes.get("/applications/@me")
async def application(request: web.Request) -> web.Response:
    state = get_backend(request).state
    flags = sum(
        flag for intent, flag in APPLICATION_FLAGS.items() if state.privileged_intents & intent
    )
    owner = next((u for u in state.users.values() if not u["bot"]), state.bot)
    return json_response(
        {
            "id": state.bot["id"],
            "name": state.bot["username"],
            "icon": None,
            "description": "",
            "bot_public": True,
            "bot_require_code_grant": False,
            "verify_key": "0" * 64,
            "type": None,
            "flags": flags,
            "flags_new": str(flags),
            "owner": owner,
            "team": None,
            "rpc_origins": [],
            "tags": [],
            "approximate_guild_count": len(state.guilds),
            "approximate_user_install_count": 0,
            "approximate_user_authorization_count": 0,
            "explicit_content_filter": 0,
            "eligible_oauth2_scopes": [],
            "bot": state.bot,
            "redirect_uris": [],
            "interactions_endpoint_url": None,
            "role_connections_verification_url": None,
            "integration_types_config": {"0": {}, "1": {}},
        }
    )


@routes.get("/gateway")
async def gateway(request: web.Request) -> web.Response:
    return json_response({"url": get_backend(request).gateway.url})


@routes.get("/gateway/bot")
async def gateway_bot(request: web.Request) -> web.Response:
    limit = {"total": 1000, "remaining": 1000, "reset_after": 0, "max_concurrency": 1}
    url = get_backend(request).gateway.url
    return json_response({"url": url, "shards": 1, "session_start_limit": limit})


def _scope(request: web.Request) -> str:
    if request.match_info["application"] != get_backend(request).state.bot["id"]:
        message = "You are not authorized to perform this action on this application"
        raise DiscordError(403, 20012, message)
    guild = request.match_info.get("scope")
    if guild is None:
        return GLOBAL
    get_backend(request).state.guild(guild)
    return guild


@routes.get(_COMMANDS)
@routes.get(_GUILD_COMMANDS)
async def list_commands(request: web.Request) -> web.Response:
    return json_response(get_backend(request).commands.list_all(_scope(request)))


@routes.put(_COMMANDS)
@routes.put(_GUILD_COMMANDS)
async def replace_commands(request: web.Request) -> web.Response:
    bodies = await read_json(request)
    return json_response(get_backend(request).commands.replace(bodies, _scope(request)))


@routes.post(_COMMANDS)
@routes.post(_GUILD_COMMANDS)
async def create_command(request: web.Request) -> web.Response:
    body = await read_json(request)
    return json_response(get_backend(request).commands.upsert(body, _scope(request)), 201)


@routes.get(_COMMANDS + "/{command}")
@routes.get(_GUILD_COMMANDS + "/{command}")
async def get_command(request: web.Request) -> web.Response:
    return json_response(
        get_backend(request).commands.get(request.match_info["command"], _scope(request))
    )


@routes.patch(_COMMANDS + "/{command}")
@routes.patch(_GUILD_COMMANDS + "/{command}")
async def edit_command(request: web.Request) -> web.Response:
    body = await read_json(request)
    command = request.match_info["command"]
    return json_response(get_backend(request).commands.edit(command, body, _scope(request)))


@routes.delete(_COMMANDS + "/{command}")
@routes.delete(_GUILD_COMMANDS + "/{command}")
async def delete_command(request: web.Request) -> web.Response:
    get_backend(request).commands.delete(request.match_info["command"], _scope(request))
    return no_content()
