"""Another base URL in place of Discord's: a proxy's, or the playground's local Discord."""

import yarl
from discord.asset import Asset
from discord.gateway import DiscordWebSocket
from discord.http import Route

API_VERSION = "v10"


def use_api(base: str) -> None:
    """Send all that this process asks of Discord to `base`, in place of
    `https://discord.com/api`; call it before any client is made.

    discord.py has no setting for it. Its shards ask the API for the gateway's address, but a
    session that was refused falls back to a fixed one.
    """
    api = yarl.URL(base)
    socket = {"http": "ws", "https": "wss"}[api.scheme]
    Route.BASE = str(api / API_VERSION)
    Asset.BASE = str(api.parent / "cdn")
    DiscordWebSocket.DEFAULT_GATEWAY = api.parent.with_scheme(socket) / "gateway" / ""
