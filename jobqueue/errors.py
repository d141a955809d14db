"""Errors of the queue.

QueueError
├── InvalidJob        a field is out of bounds; nothing was stored
├── QueueFull         a limit is reached, or Redis is out of memory; nothing was stored
├── QueueUnavailable  Redis cannot be reached; the same call may be repeated without harm
└── UnknownJob        no such job, or its record has expired
"""

from typing import Literal

# Jobs are counted, files in bytes.
JobScope = Literal["user", "channel", "server", "total"]
FileScope = Literal["files-user", "files-server", "blobs"]
LimitScope = JobScope | FileScope | Literal["memory"]

_FULL_OF_JOBS = "{} limit: {} of {} jobs wait or run"
_FULL = {
    "memory": "Redis is out of memory",
    "blobs": "attachments fill {1} of {2} bytes",
    "files-user": "a user's attachments fill {1} of {2} bytes",
    "files-server": "a server's attachments fill {1} of {2} bytes",
}


class QueueError(Exception):
    """Base of all errors that this package raises on purpose."""


class InvalidJob(QueueError, ValueError):
    def __init__(self, field: str, rule: str) -> None:
        super().__init__(f"{field}: {rule}")
        self.field = field
        self.rule = rule


class QueueFull(QueueError):
    """A limit is reached: `waiting` of `limit` jobs wait or run, or so many bytes are stored."""

    def __init__(self, scope: LimitScope, waiting: int, limit: int) -> None:
        super().__init__(_FULL.get(scope, _FULL_OF_JOBS).format(scope, waiting, limit))
        self.scope = scope
        self.waiting = waiting
        self.limit = limit


class QueueUnavailable(QueueError):
    """Redis cannot be reached."""


class UnknownJob(QueueError, KeyError):
    """The job does not exist, or its record has expired."""
