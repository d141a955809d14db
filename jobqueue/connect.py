"""How this project speaks to Redis, decided once."""

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar, cast

from redis.asyncio import Redis, RedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import ConstantBackoff
from redis.exceptions import ConnectionError as RedisConnectionError

# Blocking reads ask for at most BLOCK_MS, well below the time after which a reply counts as lost.
SOCKET_TIMEOUT_S = 5.0
BLOCK_MS = 2_000
CLOSE_S = 10.0  # what is on its way when a client is closed gets so long

T = TypeVar("T")


class _Closing:
    """A client that closes when nothing of `jobqueue.scripts` is on its way any more.

    Closed under a call, a client loses the connection that the call was opening.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.underway: set[asyncio.Task[None]] = set()

    async def aclose(self, *args: Any, **options: Any) -> None:
        if self.underway:
            await asyncio.wait(self.underway, timeout=CLOSE_S)
        await super().aclose(*args, **options)  # type: ignore[misc]


class _Client(_Closing, Redis):  # type: ignore[misc]  # redis-py's own bases disagree
    pass


class _ClusterClient(_Closing, RedisCluster):  # type: ignore[misc]
    pass


_SHAPE: dict[str, Any] = {
    "protocol": 2,
    "socket_timeout": SOCKET_TIMEOUT_S,
    "socket_connect_timeout": 3.0,
}


def connect(url: str) -> Redis:
    """A client for `redis://`, `rediss://` or `unix://`; no connection is made yet.

    `redis+cluster://` and `rediss+cluster://` name any node of a cluster. A shard's keys are all on
    one of its nodes, which the client finds and finds again; it has the same commands.

    Replies are bytes, in RESP2's shapes on every server and client version. The client itself
    repeats a call only once, for a pooled connection that a server's restart has closed; longer
    outages are the callers' business, who know how long somebody waits.

    Raises:
        ValueError: the URL has another scheme.
    """
    if "+cluster://" in url:
        plain = url.replace("+cluster://", "://", 1)
        return cast("Redis", _ClusterClient.from_url(plain, **_SHAPE, socket_keepalive=True))
    keepalive: dict[str, Any] = {} if url.startswith("unix:") else {"socket_keepalive": True}
    return _Client.from_url(
        url,
        **_SHAPE,
        retry=Retry(ConstantBackoff(0.01), 1, supported_errors=(RedisConnectionError,)),
        **keepalive,
    )


async def cancellable(call: Awaitable[T]) -> T:
    """Await a call of the client so that cancelling the task always reaches it.

    The client sends within `asyncio.wait_for`, which before Python 3.12 drops a cancellation that
    arrives as the sending completes; a task that is cancelled once would then run on for ever.
    """
    task = asyncio.current_task()
    before = task.cancelling() if task else 0
    result = await call
    if task and task.cancelling() > before:
        raise asyncio.CancelledError
    return result
