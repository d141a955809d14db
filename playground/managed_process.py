"""A process that is kept alive: started, watched, restarted with backoff, and stopped."""

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

import psutil

FIRST_BACKOFF_S, LONGEST_BACKOFF_S = 0.5, 10.0
HEALTHY_S = 30.0  # a process that ran so long is restarted with the first backoff
GRACE_S = 15.0  # between SIGTERM and SIGKILL
BAD_SETTINGS = 2  # the exit code for a wrong setting, after which a restart is useless
TAIL_LINES = 200
FINAL_OUTPUT_S = 1.0  # to read the output of a process that has ended
_PR_SET_PDEATHSIG = 1
# Loaded here, because a child between fork and exec must not import anything.
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


class ProcessState(StrEnum):
    STARTING = "starting"
    LOADING = "loading"
    READY = "ready"
    PAUSED = "paused"
    STOPPING = "stopping"
    STOPPED = "stopped"  # on request, until `start`
    RESTARTING = "restarting"  # it died, and waits for its next start
    FAILED = "failed"  # it is not started again


@dataclass(frozen=True, slots=True)
class ProcessStatus:
    name: str
    state: ProcessState
    pid: int | None
    detail: str  # its activity, or the reason for its end, for an operator
    progress: float | None  # 0 to 1 while loading
    restarts: int
    memory: int  # resident bytes, with its children
    uptime_s: float


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    death_signal: signal.Signals = signal.SIGKILL  # sent when the supervisor has died


class ManagedProcess:
    """A process that runs inside `async with`. `watch` runs beside it and sets its state."""

    def __init__(self, spec: ProcessSpec, watch: "Watcher", on_change: Callable[[], None]) -> None:
        self.name = spec.name
        self.output: deque[str] = deque(maxlen=TAIL_LINES)  # the last lines
        self.restarts = 0
        self.started_at = 0.0  # monotonic
        self._spec = spec
        self._watch = watch
        self._on_change = on_change
        self._process: asyncio.subprocess.Process | None = None
        self._state = ProcessState.STARTING
        self._before_pause = ProcessState.READY
        self._detail = ""
        self._progress: float | None = None
        self._is_stop_requested = False
        self._should_run = asyncio.Event()
        self._should_run.set()
        self._wake_up = asyncio.Event()  # ends a backoff early

    # --- status -------------------------------------------------------------------------------

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
        """Set the state, and call `on_change` where it differs from the last one."""
        new = (state, detail, progress)
        if new != (self._state, self._detail, self._progress):
            self._state, self._detail, self._progress = new
            self._on_change()

    def set_spec(self, spec: ProcessSpec) -> None:
        """Set the command and environment of the next start."""
        self._spec = spec

    # --- lifecycle ----------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._keep_alive(), name=f"keep {self.name}")
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop the process for good."""
        await self.stop()
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
        """Run the process from its start to its end. Return the exit code."""
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
                # Its own children may keep the pipe open.
                await asyncio.wait({draining}, timeout=FINAL_OUTPUT_S)
                draining.cancel()
        finally:
            self._process = None
        return code

    async def _spawn(self) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *self._spec.command,
            env=dict(self._spec.environment),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C reaches only the supervisor, which stops the processes
            preexec_fn=die_with_parent(self._spec.death_signal),
        )

    async def _copy_output(self, process: asyncio.subprocess.Process) -> None:
        """Copy the output to the log, and keep its last lines."""
        if process.stdout is None:
            return
        with self._spec.log.open("ab") as log:
            async for line in _read_lines(process.stdout):
                log.write(line + b"\n")
                log.flush()
                self.output.append(line.decode(errors="replace"))

    async def _back_off(self, seconds: float) -> None:
        self._wake_up.clear()
        # Before Python 3.12 `wait_for` drops a cancellation that comes with the event.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake_up.wait()

    def _describe_exit(self, code: int) -> str:
        how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        last = next((line for line in reversed(self.output) if line.strip()), "")
        return how if code < 0 or not last else f"{how}: {last.strip()}"

    # --- control ------------------------------------------------------------------------------

    async def start(self) -> None:
        self._should_run.set()
        self._wake_up.set()

    async def stop(self) -> None:
        """Send SIGTERM. The process stays ended until `start` or `restart`."""
        self._should_run.clear()
        self._wake_up.set()
        if self._process is not None:
            self._is_stop_requested = True
            self.set_state(ProcessState.STOPPING)
            self._signal(signal.SIGTERM)
            self._signal(signal.SIGCONT)  # a paused process would not receive SIGTERM
        else:
            self.set_state(ProcessState.STOPPED)

    async def kill(self) -> None:
        """Send SIGKILL and wait for the end. The process is restarted, as after a crash."""
        process = self._process
        self._signal(signal.SIGKILL)
        if process is not None:
            await process.wait()
            self.set_state(ProcessState.RESTARTING, "killed by SIGKILL")

    async def pause(self) -> None:
        """Send SIGSTOP. The process does nothing until `resume`."""
        if self._process is not None and self._state is not ProcessState.PAUSED:
            self._before_pause = self._state
            self._signal(signal.SIGSTOP)
            self.set_state(ProcessState.PAUSED)

    async def resume(self) -> None:
        if self._state is ProcessState.PAUSED:
            self._signal(signal.SIGCONT)
            self.set_state(self._before_pause)

    async def restart(self) -> None:
        """Stop the process and start it again. Return when it has ended."""
        process = self._process
        if process is not None:
            await self.stop()
            await self._wait_or_kill(process)
        await self.start()

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
    """Yield lines of any length. asyncio's own iteration fails on very long ones."""
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


def die_with_parent(death_signal: signal.Signals) -> Callable[[], None]:
    """Return a `preexec_fn`: the kernel sends the signal when the parent's main thread ends.

    Only Linux supports this. Elsewhere a SIGKILL of the parent leaves its children.
    """
    parent = os.getpid()

    def set_death_signal() -> None:
        if _libc is None:
            return
        _libc.prctl(_PR_SET_PDEATHSIG, death_signal)
        if os.getppid() != parent:  # the parent died before this call
            os._exit(1)

    return set_death_signal


Watcher = Callable[[ManagedProcess], Coroutine[Any, Any, None]]
