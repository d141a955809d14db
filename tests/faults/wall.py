"""What people see: a stand-in for a channel that outlives every process.

Like Discord it takes a message once per nonce and lets it be edited; it is a file that each
process appends to, one line a message or edit, so that a SIGKILL leaves whole lines only.
"""

import os
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import msgspec


class Line(msgspec.Struct, frozen=True):
    job: str
    nonce: str  # of the message this line makes or edits
    text: str
    complete: bool = False
    first_id: str = ""  # of the answer's events, with `complete`
    last_id: str = ""


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Line).decode


class Wall:
    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def show(self, line: Line) -> None:
        os.write(self._file, _encode(line) + b"\n")


def read(path: Path) -> Iterator[Line]:
    with path.open("rb") as lines:
        yield from map(_decode, lines)


def messages(lines: Iterator[Line]) -> dict[str, dict[str, list[Line]]]:
    """Each job's messages by nonce, each with its edits, oldest first."""
    shown: dict[str, dict[str, list[Line]]] = defaultdict(lambda: defaultdict(list))
    for line in lines:
        shown[line.job][line.nonce].append(line)
    return shown
