"""Interaction callbacks, and the webhook of an interaction's token."""

from aiohttp import web

from playground.discord.interactions import Interaction
from playground.discord.json_types import Callback, MessageFlag
from playground.discord.rest.http_io import get_backend, json_response, no_content, read_message

routes = web.RouteTableDef()

_MESSAGE = "/webhooks/{application}/{token}/messages/{message}"


@routes.post("/interactions/{interaction}/{token}/callback")
async def callback(request: web.Request) -> web.Response:
    body, files = await read_message(request)
    interaction = get_backend(request).interactions.acknowledge(
        request.match_info["interaction"], request.match_info["token"], body, files
    )
    if request.query.get("with_response", "").lower() not in ("1", "true"):
        return no_content()
    return json_response(_callback_response(request, interaction))


def _callback_response(request: web.Request, interaction: Interaction) -> dict[str, object]:
    about: dict[str, object] = {"id": interaction.id, "type": int(interaction.kind)}
    message = interaction.response
    shown: dict[str, object] = {"interaction": about}
    if message is not None:
        about |= {
            "response_message_id": message.id,
            "response_message_loading": MessageFlag.LOADING in message.flags,
            "response_message_ephemeral": MessageFlag.EPHEMERAL in message.flags,
        }
        if interaction.callback in (Callback.MESSAGE, Callback.UPDATE):
            shown["resource"] = {
                "type": int(interaction.callback),
                "message": get_backend(request).messages.present(message),
            }
    return shown


def _find_interaction(request: web.Request) -> Interaction:
    return get_backend(request).interactions.find_by_token(
        request.match_info["application"], request.match_info["token"]
    )


@routes.post("/webhooks/{application}/{token}")
async def follow_up(request: web.Request) -> web.Response:
    interaction = _find_interaction(request)
    body, files = await read_message(request)
    message = get_backend(request).interactions.follow_up(interaction, body, files)
    return json_response(get_backend(request).messages.present(message))


@routes.get(_MESSAGE)
async def get_message(request: web.Request) -> web.Response:
    found = get_backend(request).interactions.message(
        _find_interaction(request), request.match_info["message"]
    )
    return json_response(get_backend(request).messages.present(found))


@routes.patch(_MESSAGE)
async def edit_message(request: web.Request) -> web.Response:
    interaction = _find_interaction(request)
    interactions = get_backend(request).interactions
    message = interactions.message(interaction, request.match_info["message"])
    body, files = await read_message(request)
    edited = interactions.edit(interaction, message, body, files)
    return json_response(get_backend(request).messages.present(edited))


@routes.delete(_MESSAGE)
async def delete_message(request: web.Request) -> web.Response:
    found = get_backend(request).interactions.message(
        _find_interaction(request), request.match_info["message"]
    )
    get_backend(request).messages.delete(found)
    return no_content()
