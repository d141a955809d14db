"""Attachment bytes by content hash: written by the bot, read by the worker, gone after a while."""

from hashlib import sha256

from redis.asyncio import Redis
from redis.exceptions import OutOfMemoryError

from jobqueue.errors import QueueFull
from jobqueue.policy import Policy
from jobqueue.scripts import Scripts


class Blobs:
    def __init__(self, redis: Redis, shard: str = "main", *, policy: Policy | None = None) -> None:
        self._scripts = Scripts(redis, shard, policy)

    async def put(self, data: bytes) -> str:
        """Keep `data` for the policy's `blob_ttl_ms`, anew each time; returns its hash.

        Raises:
            QueueFull: the shard's quota is reached, or Redis is out of memory.
        """
        name = sha256(data).hexdigest()
        try:
            over = await self._scripts.run("put_blob", name, data)
        except OutOfMemoryError as error:
            raise QueueFull("memory", 0, 0) from error
        if over is not None:
            raise QueueFull("blobs", *over)
        return name

    async def get(self, name: str) -> bytes | None:
        """The bytes whose SHA-256 is `name`, or None once they have expired."""
        key = self._scripts.key("blob", name)
        data: bytes | None = await self._scripts.patiently(lambda: self._scripts.redis.get(key))
        return data
