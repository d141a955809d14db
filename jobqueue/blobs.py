"""Attachment bytes by content hash: written by the bot, read by the worker, gone after a while."""

from hashlib import sha256

from redis.asyncio import Redis

from jobqueue.errors import QueueFull
from jobqueue.lua_runner import Scripts
from jobqueue.policy import Policy


class Blobs:
    def __init__(self, redis: Redis, shard: str = "main", *, policy: Policy | None = None) -> None:
        self._scripts = Scripts(redis, shard, policy)

    async def put(self, data: bytes, *, user: str = "", server: str = "") -> str:
        """Keep `data` for the policy's `blob_ttl_ms`, anew each time; returns its hash.

        It counts against the shares of `user` and `server`; without them, against the service's
        own. Old files that no job needs make room.

        Raises:
            QueueFull: a share is used up, or the memory is wanted for questions.
        """
        name = sha256(data).hexdigest()
        over = await self._scripts.run("put_blob", name, data, user, server)
        if over is not None:
            share, held, limit = over
            raise QueueFull(share.decode(), held, limit)
        return name

    async def get(self, name: str) -> bytes | None:
        """The bytes whose SHA-256 is `name`, or None once they have expired."""
        key = self._scripts.key("blob", name)
        data: bytes | None = await self._scripts.retry(lambda: self._scripts.redis.get(key))
        return data
