"""Runs the processes of the system, Valkey, worker and bot, against a local Discord.

    async with Supervisor(folder, discord, engine="scripted") as supervisor:
        await supervisor.wait_until_ready()

A process that dies is restarted with backoff. All processes end with the supervisor, on Linux
even after its SIGKILL.
"""

import asyncio
import dataclasses
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Self

from msgspec import structs, to_builtins
from redis.asyncio import Redis
from redis.exceptions import RedisError

from jobqueue.address import BadAddress, parse_redis_url
from jobqueue.errors import QueueError
from jobqueue.queue import JobQueue
from jobqueue.queue_stats import JobTimeline, load_queue_stats, load_timelines
from jobqueue.redis_client import connect
from jobqueue.schema import WorkerStatus
from playground.discord.json_types import Json, UserError
from playground.discord.server import LocalDiscord
from playground.ensure_model import BUILT_IN_VISION, choose_vision_model
from playground.managed_process import (
    ManagedProcess,
    ProcessSpec,
    ProcessState,
    ProcessStatus,
    Watcher,
)
from playground.script_observer import READER, has_delivered_all, read_result

PICTURES = Path(__file__).parent.parent / "bench" / "article" / "pictures"  # for articles
POLL_S = 0.25  # between looks at a process that starts
READY_POLL_S = 1.0  # between looks at one that is ready
MAX_RESTARTS = 3  # of a process that was never ready
MAX_QUESTIONS = 8  # in the view of the queue
MAX_PROMPT = 80  # characters of a question
QUIET_STATES = (ProcessState.PAUSED, ProcessState.STOPPING)  # a watcher must not change these
IDLE_STATES = {ProcessState.READY, ProcessState.PAUSED, ProcessState.STOPPED, ProcessState.FAILED}


class StartError(Exception):
    """A process does not start. The message has its name and its last output."""


class Supervisor:
    """Starts, watches and controls the processes: redis, worker, eye and bot, by name.

    `eye` is the small vision model beside a real model. Where REDIS_URL is set, that server is
    used and there is no `redis`.
    """

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
        """Set what the worker serves. Call it before the worker starts."""
        self._engine, self._model = engine, model

    # --- lifecycle ----------------------------------------------------------------------------

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
        for name in ("bot", "eye", "worker"):  # all at once, before the Redis that they need
            if name in self.processes:
                await self.processes[name].stop()
        await self._stack.aclose()

    async def _start_process(
        self, stack: AsyncExitStack, spec: ProcessSpec, watch: Watcher
    ) -> ManagedProcess:
        process = ManagedProcess(spec, watch, self._on_change)
        self.processes[spec.name] = process
        return await stack.enter_async_context(process)

    async def _start_redis(self, stack: AsyncExitStack) -> str:
        process = await self._start_process(stack, self._redis_spec(), self._watch_redis)
        async for _ in self.changes():
            self._raise_if_failed(process)
            if process.state is ProcessState.READY:
                break
        return self.redis_url

    async def wait_until_ready(self) -> None:
        """Wait until all processes are ready.

        Raises:
            StartError: a process failed in all its first starts.
        """
        async for _ in self.changes():
            for process in self.processes.values():
                self._raise_if_failed(process)
            if all(p.state is ProcessState.READY for p in self.processes.values()):
                return

    def _raise_if_failed(self, process: ManagedProcess) -> None:
        status = process.status()
        if status.state is ProcessState.FAILED or status.restarts >= MAX_RESTARTS:
            raise StartError(f"{status.name} does not start: {status.detail}")

    # --- control and status -------------------------------------------------------------------

    async def control(self, verb: str, name: str) -> None:
        """Kill, stop, start, pause, resume or restart a process, as `ManagedProcess` does.

        Raises:
            UserError: the system has no such process.
        """
        if name not in self.processes:
            raise UserError(f"the system has no process {name}")
        await getattr(self.processes[name], verb)()

    async def switch_model(self, engine: str, model: str) -> None:
        """Serve another model from now on. The worker restarts."""
        self.set_model(engine, model)
        worker = self.processes["worker"]
        worker.set_spec(self._worker_spec())
        await worker.restart()

    async def is_idle(self) -> bool:
        """Return whether all processes are at rest and the bot has shown all answers."""
        if not {process.state for process in self.processes.values()} <= IDLE_STATES:
            return False
        return await has_delivered_all(self.queue)

    async def read_result(self, question: str) -> str | None:
        """Return the text of a job's result, or None where the queue has no such job."""
        return await read_result(self.queue, question)

    async def read_queue_view(self) -> Json:
        """Return the queue's statistics and its latest `questions`, newest first.

        Raises UserError where the queue does not answer.
        """
        try:
            stats = await load_queue_stats(self.queue)
            timelines = await load_timelines(self.queue, READER, MAX_QUESTIONS)
        except QueueError as error:
            raise UserError(f"the queue does not answer: {error}") from error
        view: Json = to_builtins(stats)
        view["workers"] = [structs.asdict(worker) for worker in stats.workers]  # with defaults
        view["questions"] = [_present_timeline(timeline) for timeline in timelines]
        return view

    def status_rows(self) -> list[Json]:
        """Return the fields of each `ProcessStatus`, for JSON."""
        return [dataclasses.asdict(status) for status in self.statuses()]

    def statuses(self) -> list[ProcessStatus]:
        return [process.status() for process in self.processes.values()]

    async def changes(self) -> AsyncIterator[list[ProcessStatus]]:
        """Yield the status of all processes, now and after each change."""
        while True:
            changed = self._changed
            yield self.statuses()
            await changed.wait()

    def _on_change(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    # --- what each process runs ---------------------------------------------------------------

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
        # SIGTERM lets Redis complete its file.
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
        """Return the worker for questions about images. The built-in model needs one thread."""
        model = choose_vision_model()
        return self._build_spec(
            "eye",
            "inference",
            "serve",
            "--engine",
            "transformers",
            "--model",
            model,
            REDIS_URL=self.redis_url,
            INFERENCE_CHATS="0",
            INFERENCE_PROGRAMS="0",
            INFERENCE_SUMMARIES="0",
            INFERENCE_THREADS="1" if model == BUILT_IN_VISION else "0",
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

    # --- when each process is ready -----------------------------------------------------------

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
        """Show the status that the worker announces."""
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
        """Find the worker by its process id. A killed one stays announced for some seconds."""
        try:
            workers = await self.queue.list_workers()
        except QueueError:
            return None
        return next((w for w in workers if f"-{process.pid}-" in w.worker), None)

    async def _watch_bot(self, process: ManagedProcess) -> None:
        """Set the bot ready once the local Discord has sent it READY."""
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
    """Read the address that the server prints before it starts."""
    while True:
        for line in process.output:
            if line.startswith("unix://"):
                return line.strip()
        await asyncio.sleep(POLL_S / 5)


def _present_timeline(timeline: JobTimeline) -> Json:
    """Build the page's view of a question. Times are in ms, and None where they are not known."""
    job = timeline.job
    prompt = " ".join(job.prompt.split())
    view: Json = to_builtins(timeline)
    del view["job"]
    return view | {
        "id": job.id,
        "who": job.user_name,
        "prompt": prompt if len(prompt) <= MAX_PROMPT else f"{prompt[:MAX_PROMPT]}…",
        "capability": job.capability,
    }


async def _is_answering(redis: Redis) -> bool:
    try:
        return bool(await redis.ping())
    except (RedisError, OSError):  # not started, or still reading its file
        return False
