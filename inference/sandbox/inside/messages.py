"""The messages between client, zygote and child, as JSON.

Client and zygote talk over a unix SEQPACKET socket, one message a packet, descriptors beside
them. A program talks to the client over a pipe of its own, each `Frame` a JSON text sequence
(RFC 7464: record separator, JSON, newline), so that what C code prints in between stays apart.
The zygote never reads that pipe, and whoever reads it must expect anything.
"""

from typing import Literal

import msgspec

VERSION = 1
MAX_PACKET = 64 << 10


EndReason = Literal["exit", "timeout", "killed", "unconfined"]


class _Message(msgspec.Struct, frozen=True, tag=str.lower):
    """The base of all messages."""


# --- launcher → zygote, once --------------------------------------------------------------------


class Setup(_Message, frozen=True):
    filter: bytes  # compiled seccomp program
    readable: tuple[str, ...]  # paths for Landlock
    uid: int  # what root becomes
    concurrency: int
    timeout_s: float  # the most a client may ask for
    memory_bytes: int  # the most a client may ask for
    bubblewrap: bool  # the launcher started us under it


# --- zygote → client ----------------------------------------------------------------------------


class Ready(_Message, frozen=True):
    """First message on every connection."""

    uid: int
    landlock: int  # ABI
    bubblewrap: bool  # sees no host process, no host file, no network
    version: int = VERSION


class Unavailable(_Message, frozen=True):
    """Instead of `Ready`: the zygote has ended."""

    reason: str


class Ended(_Message, frozen=True):
    """The program with this id is gone. `exit` as in `waitstatus_to_exitcode`: -9 is SIGKILL."""

    id: int
    reason: EndReason
    exit: int
    duration_ms: float
    cpu_s: float = 0.0
    detail: str = ""  # with unconfined: the layer


# --- client → zygote ----------------------------------------------------------------------------


class Run(_Message, frozen=True):
    """Start a program.

    Its descriptors are the output pipe, a `Task`, then one for each of the task's files.
    """

    id: int  # unique in the connection
    timeout_s: float
    memory_bytes: int


class Kill(_Message, frozen=True):
    id: int


# --- client → program, past the zygote ----------------------------------------------------------


class Task(_Message, frozen=True):
    """A program and its data, in a sealed memfd.

    Personal data is only here: every later program starts with the zygote's memory.
    """

    program: str
    files: tuple[str, ...]  # their names
    output_bytes: int
    figures: int
    figure_bytes: int
    figure_pixels: int


# --- program → client ---------------------------------------------------------------------------


class Stdout(_Message, frozen=True):
    text: str


class Stderr(_Message, frozen=True):
    text: str


class Value(_Message, frozen=True):
    """repr of the last expression."""

    text: str


class Raised(_Message, frozen=True):
    """The program ended with an exception."""

    traceback: str
    memory: bool = False  # it was a MemoryError


class FigurePng(_Message, frozen=True, tag="picture"):
    png: bytes


FromZygote = Ready | Unavailable | Ended
FromClient = Run | Kill
Frame = Stdout | Stderr | Value | Raised | FigurePng

encode = msgspec.json.Encoder().encode
SEPARATOR = b"\x1e"


def line(frame: Frame) -> bytes:
    return SEPARATOR + encode(frame) + b"\n"


decode_setup = msgspec.json.Decoder(Setup).decode
decode_task = msgspec.json.Decoder(Task).decode
decode_run = msgspec.json.Decoder(Run).decode
decode_from_zygote = msgspec.json.Decoder(FromZygote).decode
decode_from_client = msgspec.json.Decoder(FromClient).decode
decode_frame = msgspec.json.Decoder(Frame).decode
