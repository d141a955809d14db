"""Another base URL in place of Discord's: a proxy's, or the playground's local Discord."""

import yarl
from discord.asset import Asset
from discord.gateway import DiscordWebSocket
from discord.http import Route

API_VERSION = "v10"


def use_api(base: str) -> None:
    """Send this process's requests to `base` in place of `https://discord.com/api`.

    Call it before any client is created. discord.py has no setting for it. Its shards ask the API
    for the gateway's address, but a refused session falls back to a fixed one.
    """
    api = yarl.URL(base)
    socket = {"http": "ws", "https": "wss"}[api.scheme]
    Route.BASE = str(api / API_VERSION)
    Asset.BASE = str(api.parent / "cdn")
    DiscordWebSocket.DEFAULT_GATEWAY = api.parent.with_scheme(socket) / "gateway" / ""
