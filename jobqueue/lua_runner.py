"""Runs the Lua scripts of one shard.

Calls of the same moment share a round trip. Calls are repeated through an outage: every script may
be repeated without harm, and plain commands sent here must be such, too.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cache
from hashlib import sha1
from pathlib import Path
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import (
    AuthenticationError,
    ClusterDownError,
    MasterDownError,
    NoScriptError,
    ReadOnlyError,
    RedisClusterException,
    ResponseError,
    TryAgainError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from jobqueue.errors import QueueUnavailable
from jobqueue.policy import Policy
from jobqueue.redis_client import await_cancellable

# The server is away, starting (LOADING is a ConnectionError), failing over or cut off.
TRANSIENT_ERRORS = (
    RedisConnectionError,
    RedisTimeoutError,
    ReadOnlyError,
    ClusterDownError,
    MasterDownError,
    TryAgainError,
    RedisClusterException,  # no node answers, or nobody serves the slot
    OSError,
)
_MAX_BATCH = 128  # calls of one round trip
_MAX_SENDERS = 2  # round trips at once: the server works on one while the other is in transit
_FOLDER = Path(__file__).parent / "lua"

Clock = Callable[[], int]  # milliseconds since 1970
Argument = str | bytes | int


@dataclass(frozen=True, slots=True)
class Script:
    text: bytes
    sha: str


@cache
def _load_script(name: str, policy: Policy) -> Script:
    """Join the `#!lua` line of `lua/<name>.lua`, the policy, the prelude and the script's body."""
    shebang, _, body = (_FOLDER / f"{name}.lua").read_text().partition("\n")
    prelude = (_FOLDER / "prelude.lua").read_text()
    text = "\n".join((shebang, policy.to_lua(), prelude, body)).encode()
    return Script(text, sha1(text, usedforsecurity=False).hexdigest())


@dataclass(frozen=True, slots=True)
class _Call:
    script: Script | None  # None: a plain command
    arguments: tuple[Argument, ...]
    reply: asyncio.Future[Any]

    def to_command(self, *, cached: bool) -> tuple[Argument, ...]:
        if self.script is None:
            return self.arguments
        head = ("EVALSHA", self.script.sha) if cached else ("EVAL", self.script.text)
        return (*head, 1, *self.arguments)

    def settle(self, reply: Any) -> None:
        if self.reply.done():  # the caller was cancelled
            return
        if isinstance(reply, BaseException):
            self.reply.set_exception(reply)
        else:
            self.reply.set_result(reply)


class Scripts:
    """The scripts of one shard. Its keys share one hash tag, so a cluster keeps them together."""

    def __init__(
        self,
        redis: Redis,
        shard: str = "main",
        policy: Policy | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.redis = redis
        self.policy = policy or Policy()
        self._prefix = f"commonroom:{{{shard}}}:"
        self._clock = clock
        self._waiting: list[_Call] = []
        self._senders: set[asyncio.Task[None]] = set()
        # A client of `redis_client.connect` waits for these when it is closed.
        self._in_flight: set[asyncio.Task[None]] = getattr(redis, "in_flight", self._senders)

    def key(self, kind: str, name: str = "") -> str:
        return f"{self._prefix}{kind}:{name}" if name else f"{self._prefix}{kind}"

    async def run(self, name: str, *args: Argument) -> Any:
        """Run `lua/<name>.lua`; repeat it through an outage.

        Raises:
            QueueUnavailable: the outage is longer than the policy's patience.
            redis.exceptions.ResponseError: the script itself failed.
        """
        script = _load_script(name, self.policy)
        clock = "" if self._clock is None else self._clock()
        return await self.retry(lambda: self._enqueue(script, (self._prefix, clock, *args)))

    async def call(self, *command: Argument) -> Any:
        """Send one plain command, in the same round trips and as persistently as scripts.

        Its keys must be of this shard, and its value small: other calls wait behind it.
        """
        return await self.retry(lambda: self._enqueue(None, command))

    async def list_keys(self, kind: str) -> list[bytes]:
        """List all keys of one kind in the shard. It scans the whole server, so use it rarely."""
        pattern = self.key(kind, "*")

        async def scan() -> list[bytes]:
            return [key async for key in self.redis.scan_iter(pattern, count=1_000)]

        keys: list[bytes] = await self.retry(scan)
        return keys

    async def retry(self, attempt: Callable[[], Awaitable[Any]]) -> Any:
        """Repeat `attempt` until it works or the policy's patience is over."""
        now = asyncio.get_running_loop().time
        give_up = now() + self.policy.patience_ms / 1000
        pause = 0.02
        while True:
            try:
                return await await_cancellable(attempt())
            except (*TRANSIENT_ERRORS, ResponseError) as error:
                if not _is_transient(error):
                    raise
                if now() + pause >= give_up or isinstance(error, AuthenticationError):
                    raise QueueUnavailable(f"{type(error).__name__}: {error}") from error
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))
            pause = min(2 * pause, 1.0)

    def _enqueue(
        self, script: Script | None, arguments: tuple[Argument, ...]
    ) -> asyncio.Future[Any]:
        loop = asyncio.get_running_loop()
        call = _Call(script, arguments, loop.create_future())
        self._waiting.append(call)
        # A sender outlives a cancelled caller: cancelling must never cut a connection in the middle
        # of other callers' replies. It ends when no call waits.
        if len(self._senders) < _MAX_SENDERS:
            sender = loop.create_task(self._send_batches())
            for tasks in (self._senders, self._in_flight):
                tasks.add(sender)
                sender.add_done_callback(tasks.discard)
        return call.reply

    async def _send_batches(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:_MAX_BATCH], self._waiting[_MAX_BATCH:]
            try:
                replies = await self._run_batch(batch)
            except Exception as error:  # each caller gets it
                replies = [error] * len(batch)
            except BaseException:
                for call in batch:
                    call.reply.cancel()
                raise
            for call, reply in zip(batch, replies, strict=True):
                call.settle(reply)

    async def _run_batch(self, batch: list[_Call]) -> list[Any]:
        """Send the scripts by their hashes, then those by their text that the server lacks."""
        replies = await self._send_pipeline([call.to_command(cached=True) for call in batch])
        unknown = [i for i, reply in enumerate(replies) if isinstance(reply, NoScriptError)]
        if unknown:
            again = await self._send_pipeline([batch[i].to_command(cached=False) for i in unknown])
            for i, reply in zip(unknown, again, strict=True):
                replies[i] = reply
        return replies

    async def _send_pipeline(self, commands: list[tuple[Argument, ...]]) -> list[Any]:
        async with self.redis.pipeline(transaction=False) as pipe:
            for command in commands:
                pipe.execute_command(*command)
            return await pipe.execute(raise_on_error=False)


def _is_transient(error: BaseException) -> bool:
    """Return whether the same call may succeed later; it will not if the script is wrong."""
    if isinstance(error, TRANSIENT_ERRORS):
        return True
    # AOF on a full disk; a blocked client whose server became a replica; a script that takes long.
    return str(error).startswith(("MISCONF", "UNBLOCKED", "BUSY", "NOREPLICAS"))


async def pause_after_outage(seconds: float) -> None:
    """Wait before a loop's next try, for a random time: not all processes at once."""
    await asyncio.sleep(seconds * random.uniform(0.5, 1.0))
