"""Processes that are killed, paused and restarted by a test."""

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess

from tests.faults.chaos_processes import RunFolder

_PROCESSES = get_context("forkserver")
_PROCESSES.set_forkserver_preload(["tests.faults.chaos_processes"])


@dataclass(eq=False)
class ControlledProcess:
    """A service: a name, and its current process."""

    run: Callable[[RunFolder, str], None]
    place: RunFolder
    name: str
    unexpected: list[str] = field(default_factory=list)  # exits that the test did not cause
    _process: ForkServerProcess | None = None

    def start(self) -> None:
        self._process = _PROCESSES.Process(target=self.run, args=(self.place, self.name))
        self._process.start()

    def is_running(self) -> bool:
        """Return whether it runs; record an exit that the test did not cause."""
        assert self._process is not None
        if self._process.is_alive():
            return True
        if self._process.exitcode and not self.unexpected:
            self.unexpected.append(f"{self.name} exited with {self._process.exitcode}")
        return False

    def join(self, timeout_s: float) -> None:
        assert self._process is not None
        self._process.join(max(timeout_s, 0))

    def kill(self) -> None:
        assert self._process is not None
        self.is_running()
        self._process.kill()
        self._process.join()

    def pause(self) -> None:
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        if self._process.is_alive() and self._process.pid is not None:
            os.kill(self._process.pid, number)
