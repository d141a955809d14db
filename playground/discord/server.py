"""The local Discord as one server, on loopback unless another `host` is named.

async with LocalDiscord() as discord:
    ...  # a bot with token `discord.token` against `discord.api_url`
    interaction = await discord.world.slash("ada", "general", "chat", {"prompt": "hello"})
"""

import errno
from collections.abc import Callable
from typing import ClassVar, Self

from aiohttp import web

from playground.discord.backend import Backend
from playground.discord.errors import DiscordError
from playground.discord.rest import application, channels, files, interactions, messages
from playground.discord.rest.http_io import BACKEND
from playground.discord.rest.middleware import API, api
from playground.discord.state import ServerState
from playground.discord.user_actions import UserActions

LOOPBACK = "127.0.0.1"
BODY_BYTES = 30 * 2**20


class PortInUseError(OSError):
    """Another program listens on the port."""


class LocalDiscord:
    """The server with its state. `extend` may add routes before it starts.

    `host` is the name by which bots reach it, and the address it listens on.
    """

    # Called like `extend`, for every server. A recorder listens to all servers by this.
    extensions: ClassVar[list[Callable[[web.Application], None]]] = []

    def __init__(
        self,
        port: int = 0,
        *,
        host: str = LOOPBACK,
        extend: Callable[[web.Application], None] | None = None,
        heartbeat_s: float = 41.25,
        bot_name: str = "commonroom",
        privileged_intents: int = -1,
    ) -> None:
        self._host, self._port = host, port
        state = ServerState(bot_name=bot_name, privileged_intents=privileged_intents)
        self.backend = Backend(state, heartbeat_s=heartbeat_s)
        self.world = UserActions(self.backend)
        self.app = self._application()
        for add in (*self.extensions, *([extend] if extend else ())):
            add(self.app)
        self._runner = web.AppRunner(self.app, access_log=None, shutdown_timeout=1.0)

    def _application(self) -> web.Application:
        app = web.Application(middlewares=[api], client_max_size=BODY_BYTES)
        app[BACKEND] = self.backend
        for area in (application, interactions, messages, channels):
            app.add_routes([_below_api(route) for route in area.routes])
        app.add_routes(files.routes)
        for path in ("/gateway", "/gateway/"):
            app.router.add_get(path, self.backend.gateway.handle)
        return app

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self._port)
        try:
            await site.start()
        except OSError as error:
            await self._runner.cleanup()
            if error.errno != errno.EADDRINUSE:
                raise
            raise PortInUseError(
                f"port {self._port} is in use; name another with --port (0 takes any free one)"
            ) from error
        self._port = self._runner.addresses[0][1]
        self.backend.state.url = self.url
        self.backend.cdn.base_url = f"{self.url}/cdn"
        return self

    async def __aexit__(self, *_: object) -> None:
        self.backend.state.clock.close()
        await self.backend.gateway.disconnect(code=1001)
        await self._runner.cleanup()

    @property
    def url(self) -> str:
        return f"http://{self._host}:{self._port}"

    @property
    def api_url(self) -> str:
        """The value for the setting DISCORD_API."""
        return f"{self.url}/api"

    @property
    def token(self) -> str:
        return self.backend.state.token


def _below_api(route: web.AbstractRouteDef) -> web.AbstractRouteDef:
    if not isinstance(route, web.RouteDef):
        raise TypeError(route)
    return web.RouteDef(route.method, API + route.path, route.handler, route.kwargs)


__all__ = ["DiscordError", "LocalDiscord", "PortInUseError"]
