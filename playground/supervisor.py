"""Runs the system's processes: Valkey, worker and bot, against a local Discord.

    async with Supervisor(folder, discord, engine="scripted") as supervisor:
        await supervisor.ready()

Each is restarted with backoff when it dies, and all end with the supervisor. None outlives it,
not even a SIGKILL of it (on Linux).
"""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Self

from redis.asyncio import Redis
from redis.exceptions import RedisError

from jobqueue.address import BadAddress, parse_redis_url
from jobqueue.errors import QueueError
from jobqueue.queue import JobQueue
from jobqueue.redis_client import connect
from jobqueue.schema import WorkerStatus
from playground import queue_view
from playground.discord.json_types import Json, UserError
from playground.discord.server import LocalDiscord
from playground.managed_process import (
    ManagedProcess,
    ProcessSpec,
    ProcessState,
    ProcessStatus,
    Watcher,
)

READER = "bot-0"
PICTURES = Path(__file__).parent.parent / "bench" / "article" / "pictures"  # for articles
POLL_S = 0.25  # how often a start that is under way is looked at
READY_POLL_S = 1.0  # and what runs
QUIET_STATES = (ProcessState.PAUSED, ProcessState.STOPPING)  # says nothing new by itself
MAX_FIRST_STARTS = 3  # a process that never comes up is given up after so many


class StartError(Exception):
    """A process does not come up; the message says which, and what it said last."""


class Supervisor:
    """`processes` by name: redis, worker, bot, and beside a real model the small eye, for
    pictures. Where REDIS_URL is set, that server is used and `redis` is not among them."""

    def __init__(
        self,
        folder: Path,
        discord: LocalDiscord,
        *,
        engine: str | None = None,
        model: str | None = None,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self.processes: dict[str, ManagedProcess] = {}
        self._folder = folder
        self._discord = discord
        self._engine = engine
        self._model = model
        self._environ = dict(environ)
        self._changed = asyncio.Event()
        self._stack = AsyncExitStack()

    def set_model(self, engine: str | None, model: str | None) -> None:
        """What the worker is to serve; before it is started."""
        self._engine, self._model = engine, model

    # --- life ---------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        (self._folder / "logs").mkdir(parents=True, exist_ok=True, mode=0o700)
        async with AsyncExitStack() as stack:
            own = self._environ.get("REDIS_URL")
            self.redis_url = own or await self._start_redis(stack)
            try:
                parse_redis_url(self.redis_url)
            except BadAddress as error:
                raise StartError(str(error)) from None
            self._redis = await stack.enter_async_context(connect(self.redis_url))
            if own and not await _is_answering(self._redis):
                raise StartError(
                    "the Redis that REDIS_URL names does not answer; start it, or unset REDIS_URL "
                    "to use a private one"
                )
            self.queue = JobQueue(self._redis)
            await self._start_process(stack, self._worker_spec(), self._watch_worker)
            if self._needs_vision_worker:
                await self._start_process(stack, self._vision_worker_spec(), self._watch_worker)
            await self._start_process(stack, self._bot_spec(), self._watch_bot)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        for name in ("bot", "eye", "worker"):  # together; Redis, which they need, comes last
            if name in self.processes:
                self.processes[name].stop()
        await self._stack.aclose()

    async def _start_process(
        self,
        stack: AsyncExitStack,
        program: ProcessSpec,
        watch: Watcher,
    ) -> ManagedProcess:
        process = ManagedProcess(program, watch, self._on_change)
        self.processes[program.name] = process
        return await stack.enter_async_context(process)

    async def _start_redis(self, stack: AsyncExitStack) -> str:
        process = await self._start_process(stack, self._redis_spec(), self._watch_redis)
        async for _ in self.changes():
            self._raise_if_failed(process)
            if process.state is ProcessState.READY:
                break
        return self.redis_url

    async def wait_until_ready(self) -> None:
        """Wait until everything is ready.

        Raises:
            StartError: a process came up not even once in its first attempts.
        """
        async for _ in self.changes():
            for process in self.processes.values():
                self._raise_if_failed(process)
            if all(p.state is ProcessState.READY for p in self.processes.values()):
                return

    def _raise_if_failed(self, process: ManagedProcess) -> None:
        status = process.status()
        if status.state is ProcessState.FAILED or status.restarts >= MAX_FIRST_STARTS:
            raise StartError(f"{status.name} does not start: {status.detail}")

    # --- telling ------------------------------------------------------------------------------

    async def kill(self, name: str) -> None:
        """SIGKILL. A moment later it is started again, as an init system would."""
        await self.processes[name].kill()

    async def stop(self, name: str) -> None:
        """SIGTERM; it stays ended until it is started or restarted."""
        self.processes[name].stop()

    async def start(self, name: str) -> None:
        self.processes[name].start()

    async def pause(self, name: str) -> None:
        """SIGSTOP: it stands still, and everybody else waits for it."""
        self.processes[name].pause()

    async def resume(self, name: str) -> None:
        self.processes[name].resume()

    async def restart(self, name: str) -> None:
        """End it in order and start it again; returns when it has ended."""
        await self.processes[name].restart()

    # --- looking ------------------------------------------------------------------------------

    def status_rows(self) -> list[Json]:
        """Of each process: name, state, progress (0 to 1 or None), detail, memory (bytes), …"""
        return [asdict(status) for status in self.statuses()]

    async def overview(self) -> Json:
        """What is in the queue. Raises UserError while it does not answer."""
        try:
            return await queue_view.read_queue_view(self.queue, READER)
        except QueueError as error:
            raise UserError(f"the queue does not answer: {error}") from error

    def statuses(self) -> list[ProcessStatus]:
        return [process.status() for process in self.processes.values()]

    async def changes(self) -> AsyncIterator[list[ProcessStatus]]:
        """How everything stands: now, and again whenever that changes."""
        while True:
            changed = self._changed
            yield self.statuses()
            await changed.wait()

    def _on_change(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    # --- the programs -------------------------------------------------------------------------

    def _build_spec(
        self,
        name: str,
        *command: str,
        death_signal: signal.Signals = signal.SIGKILL,
        **environment: str,
    ) -> ProcessSpec:
        return ProcessSpec(
            name=name,
            command=(sys.executable, "-m", *command),
            environment={**self._environ, "PYTHONUNBUFFERED": "1", **environment},
            log=self._folder / "logs" / f"{name}.log",
            death_signal=death_signal,
        )

    def _redis_spec(self) -> ProcessSpec:
        folder = str(self._folder / "queue")
        # SIGTERM lets it write its file to the end.
        return self._build_spec(
            "redis", "jobqueue", "serve", "--folder", folder, death_signal=signal.SIGTERM
        )

    def _worker_spec(self) -> ProcessSpec:
        choices = []
        if self._engine:
            choices += ["--engine", self._engine]
        if self._model:
            choices += ["--model", self._model]
        return self._build_spec(
            "worker",
            "inference",
            "serve",
            *choices,
            REDIS_URL=self.redis_url,
            INFERENCE_DRAIN_S="5",
            INFERENCE_PICTURES=self._environ.get("INFERENCE_PICTURES") or str(PICTURES),
        )

    @property
    def _needs_vision_worker(self) -> bool:
        engine = self._engine or self._environ.get("INFERENCE_ENGINE") or "auto"
        return engine not in ("openai", "scripted")

    def _vision_worker_spec(self) -> ProcessSpec:
        """It knows nothing but pictures of simple scenes."""
        return self._build_spec(
            "eye",
            "inference",
            "serve",
            "--engine",
            "transformers",
            "--model",
            "eye",
            REDIS_URL=self.redis_url,
            INFERENCE_CHATS="0",
            INFERENCE_PROGRAMS="0",
            INFERENCE_SUMMARIES="0",
            INFERENCE_THREADS="1",
            INFERENCE_DRAIN_S="5",
        )

    def _bot_spec(self) -> ProcessSpec:
        return self._build_spec(
            "bot",
            "bot",
            REDIS_URL=self.redis_url,
            DISCORD_TOKEN=self._discord.token,
            DISCORD_API=self._discord.api_url,
            COMMONROOM_READER=READER,
        )

    # --- when they are ready ------------------------------------------------------------------

    async def _watch_redis(self, process: ManagedProcess) -> None:
        url = await _read_redis_url(process)
        async with connect(url) as redis:
            while True:
                if await _is_answering(redis):
                    break
                await asyncio.sleep(POLL_S / 5)
        self.redis_url = url
        process.set_state(ProcessState.READY)

    async def _watch_worker(self, process: ManagedProcess) -> None:
        """What the worker says of itself, for as long as it lives."""
        while True:
            await asyncio.sleep(READY_POLL_S if process.state is ProcessState.READY else POLL_S)
            announced = await self._find_worker_status(process)
            if process.state in QUIET_STATES:
                continue
            if announced is not None and announced.phase != "loading":
                process.set_state(ProcessState.READY, f"{announced.engine} {announced.model}")
            elif announced is not None:
                process.set_state(ProcessState.LOADING, announced.detail, announced.progress)
            elif any(line.startswith("ready:") for line in process.output):
                process.set_state(ProcessState.READY)

    async def _find_worker_status(self, process: ManagedProcess) -> WorkerStatus | None:
        """By process id, since one that was killed stays announced for some seconds."""
        try:
            workers = await self.queue.list_workers()
        except QueueError:
            return None
        return next((w for w in workers if f"-{process.pid}-" in w.worker), None)

    async def _watch_bot(self, process: ManagedProcess) -> None:
        """Ready is: Discord has told it READY."""
        while True:
            live = self._discord.backend.gateway.live_sessions
            online = any(session.opened_at >= process.started_at for session in live)
            if process.state not in QUIET_STATES:
                if online:
                    process.set_state(ProcessState.READY)
                elif process.state is ProcessState.READY:
                    process.set_state(ProcessState.LOADING, "reconnecting to Discord")
            await asyncio.sleep(POLL_S)


async def _read_redis_url(process: ManagedProcess) -> str:
    """The server prints where it listens before it starts."""
    while True:
        for line in process.output:
            if line.startswith("unix://"):
                return line.strip()
        await asyncio.sleep(POLL_S / 5)


async def _is_answering(redis: Redis) -> bool:
    try:
        return bool(await redis.ping())
    except (RedisError, OSError):  # not there yet, or still reading its file
        return False
