"""A log of messages, as a stand-in for a Discord channel that outlives every process.

Like Discord it accepts one message per nonce and allows edits. It is a file to which each process
appends one line per message or edit, so that a SIGKILL leaves only whole lines.
"""

import os
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import msgspec


class LogLine(msgspec.Struct, frozen=True):
    job: str
    nonce: str  # of the message that this line creates or edits
    text: str
    complete: bool = False
    first_id: str = ""  # of the answer's events, with `complete`
    last_id: str = ""


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(LogLine).decode


class MessageLog:
    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def show(self, line: LogLine) -> None:
        os.write(self._file, _encode(line) + b"\n")


def read_lines(path: Path) -> Iterator[LogLine]:
    with path.open("rb") as lines:
        yield from map(_decode, lines)


def group_by_message(lines: Iterator[LogLine]) -> dict[str, dict[str, list[LogLine]]]:
    """Return each job's messages by nonce, each with its edits, oldest first."""
    shown: dict[str, dict[str, list[LogLine]]] = defaultdict(lambda: defaultdict(list))
    for line in lines:
        shown[line.job][line.nonce].append(line)
    return shown
