"""The result of a program."""

from dataclasses import dataclass
from typing import Literal

# Errors before a program runs. What goes wrong inside one is its `ProgramResult`.
#
#     SandboxError
#     ├── SandboxUnavailable   a layer is missing or the service is gone: no program can run
#     └── ProgramRefused       this program or its files are outside the limits; nothing was run


class SandboxError(Exception):
    """Base of everything this package raises on purpose."""


class SandboxUnavailable(SandboxError):
    """Programs cannot be run here. The reason is one sentence for the operator."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ProgramRefused(SandboxError, ValueError):
    """The program, or a file given to it, is outside the limits."""


Status = Literal[
    "ok",
    "error",  # it raised, exited with a code, or crashed
    "timeout",
    "memory",
    "output_limit",
    "killed",  # from outside: its service ended, or the system was out of memory
]


@dataclass(frozen=True, slots=True)
class ProgramFigure:
    """A picture as the program drew it: a checked PNG, metadata removed."""

    png: bytes
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class ProgramResult:
    """Everything in it was written by the program, so it is text and pictures, never structure."""

    status: Status
    stdout: str
    stderr: str  # warnings, then the traceback, the program's own frames only
    value: str | None  # repr of the last expression
    figures: tuple[ProgramFigure, ...]
    duration_ms: float  # from the fork to the end; waiting for a slot is not in it

    @property
    def ok(self) -> bool:
        return self.status == "ok"
