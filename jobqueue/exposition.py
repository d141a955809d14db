"""How a process shows itself to those who look after it, over HTTP: `/metrics` for Prometheus,
`/healthz` for whether it lives, `/readyz` for whether it does its work."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

CLOSE_S = 1.0


class CannotListen(Exception):
    """The address is taken, or not this machine's."""


@asynccontextmanager
async def exposed(
    registry: CollectorRegistry,
    *,
    host: str,
    port: int,
    lacks: Callable[[], str],
    refresh: Callable[[], Awaitable[None]],
) -> AsyncIterator[int]:
    """Listens until left; its port, which is a free one where `port` is 0.

    `lacks` tells what keeps the process from its work, nothing where it is ready; `refresh` is
    called before each look at the metrics. Raises CannotListen.
    """

    async def metrics(_: web.Request) -> web.Response:
        await refresh()
        return web.Response(
            body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST}
        )

    async def alive(_: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def ready(_: web.Request) -> web.Response:
        missing = lacks()
        return web.Response(status=503 if missing else 200, text=f"{missing or 'ok'}\n")

    app = web.Application()
    app.router.add_get("/metrics", metrics)
    app.router.add_get("/healthz", alive)
    app.router.add_get("/readyz", ready)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=CLOSE_S)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            raise CannotListen(
                f"metrics cannot be shown on {host}:{port}: {error.strerror}"
            ) from error
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()
