"""Clients of Redis, with the same options everywhere."""

import asyncio
import logging
from collections.abc import Awaitable
from typing import Any, TypeVar, cast

from redis.asyncio import Redis, RedisCluster
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import ConstantBackoff
from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    MasterDownError,
    RedisClusterException,
    RedisError,
    ResponseError,
)
from redis.exceptions import ConnectionError as RedisConnectionError

from common.redact import redact
from jobqueue.address import ENCODING_HINT, RedisAddress, parse_redis_url

# Blocking reads wait at most BLOCK_MS, well below the time after which a reply counts as lost.
SOCKET_TIMEOUT_S = 5.0
BLOCK_MS = 2_000
CLOSE_S = 10.0  # for calls in flight when a client is closed

T = TypeVar("T")

log = logging.getLogger(__name__)


class _DrainingClient:
    """A client that waits for calls of `lua_runner` in flight before it closes.

    Otherwise the connection that a call is opening would be lost.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.in_flight: set[asyncio.Task[None]] = set()

    async def aclose(self, *args: Any, **options: Any) -> None:
        if self.in_flight:
            await asyncio.wait(self.in_flight, timeout=CLOSE_S)
        await super().aclose(*args, **options)  # type: ignore[misc]


class _Client(_DrainingClient, Redis):  # type: ignore[misc]  # redis-py's own bases disagree
    pass


class _SentinelClient(_Client):
    sentinels: Sentinel  # its clients are closed with this one

    async def aclose(self, *args: Any, **options: Any) -> None:
        await super().aclose(*args, **options)
        await self.sentinels.aclose()


class _ClusterClient(_DrainingClient, RedisCluster):  # type: ignore[misc]
    pass


_CLIENT_OPTIONS: dict[str, Any] = {
    "protocol": 2,
    "socket_timeout": SOCKET_TIMEOUT_S,
    "socket_connect_timeout": 3.0,
}


def connect(url: str) -> Redis:
    """Create a client for `redis://`, `rediss://` or `unix://`; it does not connect yet.

    `redis+cluster://` and `rediss+cluster://` name any node of a cluster. All keys of a shard are
    on one node; the client finds it, also after it moved, and has the same commands.
    `redis+sentinel://` names Sentinels. At each new connection they say which server is the
    primary; after a failover that is another one.

    Replies are bytes, in RESP2's shapes on every server and client version. The client itself
    repeats a call only once, for a pooled connection that a server's restart has closed. Callers
    handle longer outages, since they know how long somebody waits.

    Raises:
        BadAddress: the URL cannot be read.
    """
    address = parse_redis_url(url)
    shape = {**_CLIENT_OPTIONS, **address.options}
    if address.kind == "unix":
        return _Client(unix_socket_path=address.path, db=address.db, retry=_retry_policy(), **shape)
    shape["socket_keepalive"] = True
    if address.kind == "redis+sentinel":
        return _connect_by_sentinel(address, shape)
    [(host, port)] = address.hosts
    if address.kind == "redis+cluster":
        client = _ClusterClient(host=host, port=port, ssl=address.tls, **shape)
        return cast("Redis", client)
    return _Client(
        host=host, port=port, db=address.db, ssl=address.tls, retry=_retry_policy(), **shape
    )


def _connect_by_sentinel(address: RedisAddress, shape: dict[str, Any]) -> Redis:
    tls = {name: value for name, value in shape.items() if name.startswith("ssl_")}
    sentinel_options = {**_CLIENT_OPTIONS, **tls, **address.sentinel_options, "ssl": address.tls}
    sentinel = Sentinel(address.hosts, sentinel_kwargs=sentinel_options)  # type: ignore[no-untyped-call]
    options: dict[str, Any] = {**shape, "db": address.db, "retry": _retry_policy()}
    if address.tls:
        options["ssl"] = True  # classes of connections without TLS do not know this option
    client: _SentinelClient = sentinel.master_for(
        address.service, redis_class=_SentinelClient, **options
    )
    client.sentinels = sentinel
    return client


def _retry_policy() -> Retry:
    return Retry(ConstantBackoff(0.01), 1, supported_errors=(RedisConnectionError,))


class RedisAccessDenied(Exception):
    """The server answers but refuses us: one sentence for the operator."""


async def check_redis(redis: Redis, url: str) -> None:
    """Check that the server accepts us; if it is away, only log a warning.

    Raises:
        RedisAccessDenied: it answers but refuses us.
    """
    try:
        async with asyncio.timeout(SOCKET_TIMEOUT_S):
            await redis.ping()
    except (AuthenticationError, AuthorizationError) as error:
        raise RedisAccessDenied(
            f"Redis refuses REDIS_URL: {redact(str(error))} Put its password there: "
            f"redis://:PASSWORD@host:6379/0; {ENCODING_HINT}"
        ) from None
    except (RedisError, RedisClusterException, OSError, TimeoutError) as error:
        if isinstance(error, ResponseError) and not isinstance(error, MasterDownError):
            raise RedisAccessDenied(f"Redis refuses REDIS_URL: {redact(str(error))}") from None
        log.warning(
            "Redis cannot be reached at %s, trying again: start it, or correct REDIS_URL (%s)",
            parse_redis_url(url),
            redact(repr(error)),
        )


async def await_cancellable(call: Awaitable[T]) -> T:
    """Await a call of the client so that a cancellation of the task is never lost.

    The client sends within `asyncio.wait_for`. Before Python 3.12 that drops a cancellation that
    arrives as the sending completes; a task that is cancelled once would then run for ever.
    """
    task = asyncio.current_task()
    before = task.cancelling() if task else 0
    result = await call
    if task and task.cancelling() > before:
        raise asyncio.CancelledError
    return result
