"""What can go wrong with the queue.

QueueError
├── InvalidJob        a field is out of bounds; nothing was stored
├── QueueFull         a limit is reached, or Redis is out of memory; nothing was stored
├── QueueUnavailable  Redis cannot be reached; the same call may be repeated without harm
└── UnknownJob        no such job, or its record has expired
"""

from typing import Literal

# Of jobs; of files in bytes; of the memory.
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
    """Base of everything this package raises on purpose."""


class InvalidJob(QueueError, ValueError):
    def __init__(self, field: str, rule: str) -> None:
        super().__init__(f"{field}: {rule}")
        self.field = field
        self.rule = rule


class QueueFull(QueueError):
    """`waiting` of `limit` jobs wait or run; of files, bytes are held."""

    def __init__(self, scope: LimitScope, waiting: int, limit: int) -> None:
        super().__init__(_FULL.get(scope, _FULL_OF_JOBS).format(scope, waiting, limit))
        self.scope = scope
        self.waiting = waiting
        self.limit = limit


class QueueUnavailable(QueueError):
    """Redis cannot be reached."""


class UnknownJob(QueueError, KeyError):
    """No such job, or its record has expired."""
