"""The result of a program."""

from dataclasses import dataclass
from typing import Literal

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
