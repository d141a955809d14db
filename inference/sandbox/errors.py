"""Errors before a program runs. What goes wrong inside one is its `ProgramResult`.

SandboxError
├── SandboxUnavailable  a layer is missing or the service is gone: no program can be run
└── ProgramRefused      this program or its files are outside the limits; nothing was run
"""


class SandboxError(Exception):
    """Base of everything this package raises on purpose."""


class SandboxUnavailable(SandboxError):
    """Programs cannot be run here. The reason is one sentence for the operator."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ProgramRefused(SandboxError, ValueError):
    """The program, or a file given to it, is outside the limits."""
