"""How this project speaks to Redis, decided once."""

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ConstantBackoff
from redis.exceptions import ConnectionError as RedisConnectionError

# Blocking reads ask for at most BLOCK_MS, well below the time after which a reply counts as lost.
SOCKET_TIMEOUT_S = 5.0
BLOCK_MS = 2_000


def connect(url: str) -> Redis:
    """A client for `redis://`, `rediss://` or `unix://`; no connection is made yet.

    Replies are bytes, in RESP2's shapes on every server and client version. The client itself
    repeats a call only once, for a pooled connection that a server's restart has closed; longer
    outages are the callers' business, who know how long somebody waits.

    Raises:
        ValueError: the URL has another scheme.
    """
    keepalive = {} if url.startswith("unix:") else {"socket_keepalive": True}
    return Redis.from_url(
        url,
        protocol=2,
        socket_timeout=SOCKET_TIMEOUT_S,
        socket_connect_timeout=3.0,
        retry=Retry(ConstantBackoff(0.01), 1, supported_errors=(RedisConnectionError,)),
        **keepalive,
    )
