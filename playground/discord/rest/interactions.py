"""Interaction callbacks, and the webhook of an interaction's token."""

from aiohttp import web

from playground.discord.interactions import Interaction
from playground.discord.json_types import Callback, MessageFlag
from playground.discord.rest.http_io import answer, backend, nothing, read_message

routes = web.RouteTableDef()

_MESSAGE = "/webhooks/{application}/{token}/messages/{message}"


@routes.post("/interactions/{interaction}/{token}/callback")
async def callback(request: web.Request) -> web.Response:
    body, files = await read_message(request)
    interaction = backend(request).interactions.acknowledge(
        request.match_info["interaction"], request.match_info["token"], body, files
    )
    if request.query.get("with_response", "").lower() not in ("1", "true"):
        return nothing()
    return answer(_callback_response(request, interaction))


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
                "message": backend(request).messages.present(message),
            }
    return shown


def _interaction(request: web.Request) -> Interaction:
    return backend(request).interactions.with_token(
        request.match_info["application"], request.match_info["token"]
    )


@routes.post("/webhooks/{application}/{token}")
async def follow_up(request: web.Request) -> web.Response:
    interaction = _interaction(request)
    body, files = await read_message(request)
    message = backend(request).interactions.follow_up(interaction, body, files)
    return answer(backend(request).messages.present(message))


@routes.get(_MESSAGE)
async def get_message(request: web.Request) -> web.Response:
    found = backend(request).interactions.message(
        _interaction(request), request.match_info["message"]
    )
    return answer(backend(request).messages.present(found))


@routes.patch(_MESSAGE)
async def edit_message(request: web.Request) -> web.Response:
    interaction = _interaction(request)
    interactions = backend(request).interactions
    message = interactions.message(interaction, request.match_info["message"])
    body, files = await read_message(request)
    edited = interactions.edit(interaction, message, body, files)
    return answer(backend(request).messages.present(edited))


@routes.delete(_MESSAGE)
async def delete_message(request: web.Request) -> web.Response:
    found = backend(request).interactions.message(
        _interaction(request), request.match_info["message"]
    )
    backend(request).messages.delete(found)
    return nothing()
