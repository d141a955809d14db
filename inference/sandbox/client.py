"""The client that runs programs; the only entrance to this package.

    async with Sandbox(SandboxConfig()) as sandbox:
        result = await sandbox.run("from sympy import *
solve(x**2 - 2)")

The zygote runs as a child of this process, or, with `SandboxConfig.socket`, as a service that
several workers share. Either way a program's output comes straight to this process.
"""

import asyncio
import signal
from collections.abc import Mapping
from typing import Self

from common import tracing
from inference.sandbox.config import Limits, SandboxConfig
from inference.sandbox.inside import messages
from inference.sandbox.output_collector import OnOutput, OutputCollector
from inference.sandbox.result import ProgramRefused, ProgramResult, SandboxUnavailable, Status
from inference.sandbox.zygote_connection import ZygoteConnection


class Sandbox:
    """`run` may be called many times at once; `concurrency` programs run, the others wait FIFO.

    Entering raises `SandboxUnavailable` where a layer of protection is missing. When a zygote
    dies, the programs in it end as "killed" and the next `run` starts or finds another.
    """

    def __init__(self, config: SandboxConfig | None = None) -> None:
        self._config = config or SandboxConfig()
        self._slots = asyncio.Semaphore(self._config.concurrency)
        self._connecting = asyncio.Lock()
        self._link: ZygoteConnection | None = None

    async def __aenter__(self) -> Self:
        await self._connect()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._link is not None:
            await self._link.aclose()
            self._link = None

    @property
    def ready(self) -> messages.Ready | None:
        """The zygote's description of itself; None while there is no zygote."""
        return self._link.ready if self._link else None

    async def run(
        self,
        program: str,
        *,
        files: Mapping[str, bytes] | None = None,
        timeout_s: float | None = None,
        on_output: OnOutput | None = None,
    ) -> ProgramResult:
        """Run Python source; never raises for what the program does.

        `files` are readable by their names. `timeout_s` can only shorten the configured one.
        `on_output` gets each piece of text as it is written. Cancelling kills the program.

        Raises `ProgramRefused` before anything runs, `SandboxUnavailable` if nothing can run.
        """
        limits = self._config.limits
        contents = _check_input(limits, program, files or {})
        seconds = limits.timeout_s if timeout_s is None else min(timeout_s, limits.timeout_s)
        collector = OutputCollector(limits, on_output)
        with tracing.start_span("sandbox") as span:
            async with self._slots:
                link = await self._connect()
                ended = await link.run(program, contents, limits, seconds, collector)
                span.set_attributes(
                    tracing.attributes(ended=ended.reason, duration_ms=ended.duration_ms)
                )
        if ended.reason == "unconfined":
            raise SandboxUnavailable(ended.detail)
        return _result(ended, collector, seconds)

    async def _connect(self) -> ZygoteConnection:
        async with self._connecting:
            if self._link is not None and self._link.lost:
                lost, self._link = self._link, None
                await lost.aclose()
            if self._link is None:
                self._link = await ZygoteConnection.open(self._config)
            return self._link


def _check_input(limits: Limits, program: str, files: Mapping[str, bytes]) -> dict[str, bytes]:
    size = len(program.encode("utf-8", "replace"))
    if size > limits.program_bytes:
        raise ProgramRefused(f"the program has {size:,} bytes of {limits.program_bytes:,}")
    if len(files) > limits.files:
        raise ProgramRefused(f"{len(files)} files of {limits.files}")
    total = sum(map(len, files.values()))
    if total > limits.file_bytes:
        raise ProgramRefused(f"the files have {total:,} bytes of {limits.file_bytes:,}")
    for name in files:
        if name in ("", ".", "..") or "/" in name or not name.isprintable() or _long(name):
            raise ProgramRefused(f"not a file's name: {name[:255]!r}")
    return dict(files)


def _long(name: str) -> bool:
    return len(name.encode()) > 255  # as every file system has it


def _result(ended: messages.Ended, collected: OutputCollector, seconds: float) -> ProgramResult:
    status = _status(ended, collected, seconds)
    stderr = collected.stderr
    if status == "error" and not collected.raised:  # it had no chance to say so itself
        stderr += _last_words(ended.exit)
    return ProgramResult(
        status=status,
        stdout=collected.stdout,
        stderr=stderr,
        value=collected.value,
        figures=tuple(collected.figures),
        duration_ms=ended.duration_ms,
    )


def _status(ended: messages.Ended, collected: OutputCollector, seconds: float) -> Status:
    if collected.over:
        return "output_limit"
    if ended.reason == "timeout" or ended.exit == -signal.SIGXCPU or ended.cpu_s > seconds:
        return "timeout"
    if ended.reason == "killed" or ended.exit == -signal.SIGKILL:
        return "killed"
    if collected.out_of_memory:
        return "memory"
    return "error" if collected.raised or ended.exit else "ok"


def _last_words(code: int) -> str:
    if code < 0:
        return f"The program crashed: {signal.Signals(-code).name}\n"
    return f"The program ended with exit code {code}\n"
