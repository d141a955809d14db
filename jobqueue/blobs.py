"""Attachments by the hash of their content: written by the bot, read by workers, and expiring."""

from hashlib import sha256
from typing import Protocol

from redis.asyncio import Redis

from jobqueue.errors import QueueFull
from jobqueue.lua_runner import Scripts
from jobqueue.policy import Policy


class BlobReader(Protocol):
    """A reader of bytes: `Blobs`, or a folder in its place."""

    async def get(self, name: str) -> bytes | None: ...


class Blobs:
    def __init__(self, redis: Redis, shard: str = "main", *, policy: Policy | None = None) -> None:
        self._scripts = Scripts(redis, shard, policy)

    async def put(self, data: bytes, *, user: str = "", server: str = "") -> str:
        """Store `data` for the policy's `blob_ttl_ms`, from now; return its hash.

        It counts against the shares of `user` and `server`; without them, against the service's
        own. Old files that no job needs make room.

        Raises:
            QueueFull: a share is used up, or the memory is reserved for questions.
        """
        name = sha256(data).hexdigest()
        refusal = await self._scripts.run("put_blob", name, data, user, server)
        if refusal is not None:
            share, held, limit = refusal
            raise QueueFull(share.decode(), held, limit)
        return name

    async def get(self, name: str) -> bytes | None:
        """Return the bytes whose SHA-256 is `name`, or None if they have expired."""
        key = self._scripts.key("blob", name)
        data: bytes | None = await self._scripts.retry(lambda: self._scripts.redis.get(key))
        return data
