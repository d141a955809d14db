"""Runs the Lua scripts: calls of the same moment share a round trip, outages are waited out.

Every script can be repeated without harm, so a call whose reply was lost is simply sent again;
so are plain commands, which therefore must be such that may be repeated too.
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
_BATCH = 128  # calls of one round trip
_SENDERS = 2  # round trips at once: the server works on one while the other is written or read
_FOLDER = Path(__file__).parent / "lua"

Clock = Callable[[], int]  # milliseconds since 1970
Argument = str | bytes | int


@dataclass(frozen=True, slots=True)
class Script:
    text: bytes
    sha: str


@cache
def _load_script(name: str, policy: Policy) -> Script:
    """A file of `lua/`: its `#!lua` line, the policy, the prelude, the transition itself."""
    shebang, _, body = (_FOLDER / f"{name}.lua").read_text().partition("\n")
    prelude = (_FOLDER / "prelude.lua").read_text()
    text = "\n".join((shebang, policy.to_lua(), prelude, body)).encode()
    return Script(text, sha1(text, usedforsecurity=False).hexdigest())


@dataclass(frozen=True, slots=True)
class _Call:
    script: Script | None  # None: a plain command
    arguments: tuple[Argument, ...]
    reply: asyncio.Future[Any]

    def command(self, *, cached: bool) -> tuple[Argument, ...]:
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
        self, redis: Redis, shard: str, policy: Policy | None = None, clock: Clock | None = None
    ) -> None:
        self.redis = redis
        self.policy = policy or Policy()
        self._prefix = f"commonroom:{{{shard}}}:"
        self._clock = clock
        self._waiting: list[_Call] = []
        self._senders: set[asyncio.Task[None]] = set()
        # What a client of `connect` waits for when it is closed.
        self._underway: set[asyncio.Task[None]] = getattr(redis, "underway", self._senders)

    def key(self, kind: str, name: str = "") -> str:
        return f"{self._prefix}{kind}:{name}" if name else f"{self._prefix}{kind}"

    async def run(self, name: str, *args: Argument) -> Any:
        """Run `lua/<name>.lua`, again and again through an outage.

        Raises:
            QueueUnavailable: the policy's patience is over.
            redis.exceptions.ResponseError: the script itself failed.
        """
        script = _load_script(name, self.policy)
        clock = "" if self._clock is None else self._clock()
        return await self.retry(lambda: self._enqueue(script, (self._prefix, clock, *args)))

    async def call(self, *command: Argument) -> Any:
        """One plain command, in the same round trips and as patiently as the scripts.

        Its keys must be of this shard, and a value small: others wait behind it.
        """
        return await self.retry(lambda: self._enqueue(None, command))

    async def retry(self, attempt: Callable[[], Awaitable[Any]]) -> Any:
        """Repeat `attempt` until it works or nobody should wait longer."""
        give_up = asyncio.get_running_loop().time() + self.policy.patience_ms / 1000
        pause = 0.02
        while True:
            try:
                return await await_cancellable(attempt())
            except (*TRANSIENT_ERRORS, ResponseError) as error:
                over = asyncio.get_running_loop().time() + pause >= give_up
                if not _is_transient(error):
                    raise
                if over or isinstance(error, AuthenticationError):
                    raise QueueUnavailable(f"{type(error).__name__}: {error}") from error
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))
            pause = min(2 * pause, 1.0)

    def _enqueue(
        self, script: Script | None, arguments: tuple[Argument, ...]
    ) -> asyncio.Future[Any]:
        loop = asyncio.get_running_loop()
        call = _Call(script, arguments, loop.create_future())
        self._waiting.append(call)
        # A sender outlives a cancelled caller, so that cancelling never cuts a connection in the
        # middle of other callers' replies; it ends by itself when nothing waits.
        if len(self._senders) < _SENDERS:
            sender = loop.create_task(self._send_batches())
            for tasks in (self._senders, self._underway):
                tasks.add(sender)
                sender.add_done_callback(tasks.discard)
        return call.reply

    async def _send_batches(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:_BATCH], self._waiting[_BATCH:]
            try:
                replies = await self._run_batch(batch)
            except Exception as error:  # whoever called hears of it
                replies = [error] * len(batch)
            except BaseException:
                for call in batch:
                    call.reply.cancel()
                raise
            for call, reply in zip(batch, replies, strict=True):
                call.settle(reply)

    async def _run_batch(self, batch: list[_Call]) -> list[Any]:
        replies = await self._send_pipeline([call.command(cached=True) for call in batch])
        unknown = [i for i, reply in enumerate(replies) if isinstance(reply, NoScriptError)]
        if unknown:
            again = await self._send_pipeline([batch[i].command(cached=False) for i in unknown])
            for i, reply in zip(unknown, again, strict=True):
                replies[i] = reply
        return replies

    async def _send_pipeline(self, commands: list[tuple[Argument, ...]]) -> list[Any]:
        async with self.redis.pipeline(transaction=False) as pipe:
            for command in commands:
                pipe.execute_command(*command)
            return await pipe.execute(raise_on_error=False)


def _is_transient(error: BaseException) -> bool:
    """Whether the server may answer the same call later: not when the script itself is wrong."""
    if isinstance(error, TRANSIENT_ERRORS):
        return True
    # AOF on a full disk; a blocked client whose server became a replica; a script in the way.
    return str(error).startswith(("MISCONF", "UNBLOCKED", "BUSY", "NOREPLICAS"))


async def pause_after_outage(seconds: float) -> None:
    """A loop's breath after a transient error, unlike that of others in the same outage."""
    await asyncio.sleep(seconds * random.uniform(0.5, 1.0))
