"""One process that is kept alive: started, watched, restarted with backoff, told to end."""

import asyncio
import contextlib
import os
import signal
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

import psutil

from playground.die_with_parent import die_with_parent

FIRST_BACKOFF_S, LONGEST_BACKOFF_S = 0.5, 10.0
HEALTHY_S = 30.0  # alive so long, and the backoff begins anew
GRACE_S = 15.0  # between SIGTERM and SIGKILL
BAD_SETTINGS = 2  # the exit code for a wrong setting: starting again is no use
TAIL_LINES = 200
FINAL_OUTPUT_S = 1.0  # for what it wrote before its end


class ProcessState(StrEnum):
    STARTING = "starting"
    LOADING = "loading"
    READY = "ready"
    PAUSED = "paused"
    STOPPING = "stopping"
    STOPPED = "stopped"  # on request; `start` brings it back
    RESTARTING = "restarting"  # it died and waits for its next start
    FAILED = "failed"  # it will not be started again by itself


@dataclass(frozen=True, slots=True)
class ProcessStatus:
    name: str
    state: ProcessState
    pid: int | None
    detail: str  # what it is doing, or why it ended, in an operator's words
    progress: float | None  # 0 to 1 while loading
    restarts: int
    memory: int  # resident bytes, its children's too
    uptime_s: float


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    # What the kernel sends when the supervisor is gone.
    death_signal: signal.Signals = signal.SIGKILL


class ManagedProcess:
    """Alive from `async with` on. `watch` runs beside each life and reports how far it is."""

    def __init__(
        self,
        program: ProcessSpec,
        watch: "Watcher",
        on_change: Callable[[], None],
    ) -> None:
        self.name = program.name
        self.output: deque[str] = deque(maxlen=TAIL_LINES)  # its output's last lines
        self.restarts = 0
        self.started_at = 0.0  # monotonic
        self._program = program
        self._watch = watch
        self._on_change = on_change
        self._process: asyncio.subprocess.Process | None = None
        self._state = ProcessState.STARTING
        self._before_pause = ProcessState.READY
        self._detail = ""
        self._progress: float | None = None
        self._is_stop_requested = False  # whether its next end is by request
        self._should_run = asyncio.Event()
        self._should_run.set()
        self._wake_up = asyncio.Event()  # cuts a backoff short

    # --- looking ------------------------------------------------------------------------------

    @property
    def state(self) -> ProcessState:
        return self._state

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    def status(self) -> ProcessStatus:
        alive = self._process is not None
        return ProcessStatus(
            name=self.name,
            state=self._state,
            pid=self.pid,
            detail=self._detail,
            progress=self._progress,
            restarts=self.restarts,
            memory=_measure_memory(self.pid) if self.pid is not None else 0,
            uptime_s=round(time.monotonic() - self.started_at, 1) if alive else 0.0,
        )

    def set_state(
        self, state: ProcessState, detail: str = "", progress: float | None = None
    ) -> None:
        """Say how far it is; tells the observers when that is news."""
        news = (state, detail, progress)
        if news != (self._state, self._detail, self._progress):
            self._state, self._detail, self._progress = news
            self._on_change()

    # --- keeping it alive ---------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._keep_alive(), name=f"keep {self.name}")
        return self

    async def __aexit__(self, *_: object) -> None:
        """End it in order, and for good."""
        self.stop()
        if self._process is not None:
            await self._wait_or_kill(self._process)
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    async def _keep_alive(self) -> None:
        backoff = FIRST_BACKOFF_S
        while True:
            await self._should_run.wait()
            code = await self._run_once()
            if code == BAD_SETTINGS:
                self._should_run.clear()
                self.set_state(ProcessState.FAILED, self._describe_exit(code))
            elif self._is_stop_requested:
                self._is_stop_requested = False
                self.set_state(ProcessState.STOPPED)
            else:
                if time.monotonic() - self.started_at > HEALTHY_S:
                    backoff = FIRST_BACKOFF_S
                self.set_state(ProcessState.RESTARTING, self._describe_exit(code))
                await self._back_off(backoff)
                backoff = min(backoff * 2, LONGEST_BACKOFF_S)
                self.restarts += 1

    async def _run_once(self) -> int:
        """From start to end; the exit code."""
        self.set_state(ProcessState.STARTING)
        self.started_at = time.monotonic()
        self.output.clear()
        self._process = process = await self._spawn()
        try:
            async with asyncio.TaskGroup() as group:
                watching = group.create_task(self._watch(self))
                draining = group.create_task(self._copy_output(process))
                code = await process.wait()
                watching.cancel()
                # A child of its own may hold the pipe open after it.
                await asyncio.wait({draining}, timeout=FINAL_OUTPUT_S)
                draining.cancel()
        finally:
            self._process = None
        return code

    async def _spawn(self) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *self._program.command,
            env=dict(self._program.environment),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C reaches the supervisor alone, which ends all in order
            preexec_fn=die_with_parent(self._program.death_signal),
        )

    async def _copy_output(self, process: asyncio.subprocess.Process) -> None:
        """Its output goes to its log; the last lines are kept for whoever asks."""
        if process.stdout is None:
            return
        with self._program.log.open("ab") as log:
            async for line in _read_lines(process.stdout):
                log.write(line + b"\n")
                log.flush()
                self.output.append(line.decode(errors="replace"))

    async def _back_off(self, seconds: float) -> None:
        self._wake_up.clear()
        # Not `wait_for`, which before Python 3.12 drops a cancellation that comes with the nudge.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake_up.wait()

    def _describe_exit(self, code: int) -> str:
        how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        last = next((line for line in reversed(self.output) if line.strip()), "")
        return how if code < 0 or not last else f"{how}: {last.strip()}"

    # --- telling it ---------------------------------------------------------------------------

    def start(self) -> None:
        self._should_run.set()
        self._wake_up.set()

    def stop(self) -> None:
        """Ask it to end; it stays ended until `start`."""
        self._should_run.clear()
        self._wake_up.set()
        if self._process is not None:
            self._is_stop_requested = True
            self.set_state(ProcessState.STOPPING)
            self._signal(signal.SIGTERM)
            self._signal(signal.SIGCONT)  # a paused one would never hear of it
        else:
            self.set_state(ProcessState.STOPPED)

    async def kill(self) -> None:
        """SIGKILL; returns when it is dead. It is started again like after any other death."""
        process = self._process
        self._signal(signal.SIGKILL)
        if process is not None:
            await process.wait()
            self.set_state(ProcessState.RESTARTING, "killed by SIGKILL")

    def pause(self) -> None:
        if self._process is not None and self._state is not ProcessState.PAUSED:
            self._before_pause = self._state
            self._signal(signal.SIGSTOP)
            self.set_state(ProcessState.PAUSED)

    def resume(self) -> None:
        if self._state is ProcessState.PAUSED:
            self._signal(signal.SIGCONT)
            self.set_state(self._before_pause)

    async def restart(self) -> None:
        """End it in order, then start it."""
        process = self._process
        if process is not None:
            self.stop()
            await self._wait_or_kill(process)
        self.start()

    async def _wait_or_kill(self, process: asyncio.subprocess.Process) -> None:
        try:
            async with asyncio.timeout(GRACE_S):
                await process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process.pid, number)


async def _read_lines(stream: asyncio.StreamReader) -> AsyncIterator[bytes]:
    """Lines of any length; asyncio's own iteration fails on very long ones."""
    rest = b""
    while chunk := await stream.read(65_536):
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line
    if rest:
        yield rest


def _measure_memory(pid: int) -> int:
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
        return sum(int(each.memory_info().rss) for each in family)
    except psutil.Error:
        return 0


Watcher = Callable[[ManagedProcess], Coroutine[Any, Any, None]]
