"""Reads files that people post. Whatever is in them becomes text, or a reason why not.

Formats that need a parser are read by `reader_process.py`, a process without rights and with hard
limits on memory, CPU time and writing: every file may be hostile.
"""

import asyncio
import logging
import os
import re
import signal
import sys
import time
from base64 import b64encode
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import count
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from bot.files import plain_text
from bot.files.file_types import FileType, kind_of, name_unread
from common.confinement import seccomp
from common.confinement.landlock import ConfinementError

# The order in which files are read. It shares the reading time between people.
#
# One file of a person is read at a time. The next person is the one whose files took the least time
# lately. A place is reserved for people with little reading time, so that a small file never waits
# for the long files of others.

AT_ONCE = 3  # files
FOR_NEWCOMERS = 2  # of these, for people whose files took hardly any time lately
NEWCOMER_S = 1.5  # of reading
MAX_WAITING = 8  # files of one person
MAX_WAITING_ALL = 60  # each is held in memory
HALF_LIFE_S = 60.0  # after which half of the time that somebody took is forgotten


class TooManyWait(Exception):
    """The file cannot wait: too many do, of this person or of all."""


@dataclass
class _PersonQueue:
    waiting: deque[asyncio.Future[None]] = field(default_factory=deque)
    reading: bool = False
    taken_s: float = 0.0  # as of `as_of`; it decays
    as_of: float = 0.0

    @property
    def is_waiting(self) -> bool:
        """Return whether a file waits whose task was not cancelled meanwhile."""
        return any(not turn.done() for turn in self.waiting)

    def recent_seconds(self, now: float) -> float:
        self.taken_s *= 0.5 ** ((now - self.as_of) / HALF_LIFE_S)
        self.as_of = now
        return self.taken_s


class ReadingQueue:
    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._people: dict[str, _PersonQueue] = {}
        self._reading = 0
        self._nobodies = count()

    @asynccontextmanager
    async def turn(self, who: str) -> AsyncIterator[None]:
        """Wait for this person's turn, and charge the time that it takes. Nobody in particular
        (an empty name) is somebody else each time.

        Raises:
            TooManyWait: at once, instead of waiting.
        """
        person = self._people.setdefault(who or f"nobody {next(self._nobodies)}", _PersonQueue())
        await self._wait(person)
        started = self._clock()
        try:
            yield
        finally:
            now = self._clock()
            person.taken_s = person.recent_seconds(now) + now - started
            person.reading = False
            self._reading -= 1
            self._give_turns()
            self._forget(now)

    async def _wait(self, person: _PersonQueue) -> None:
        everybody = sum(len(each.waiting) for each in self._people.values())
        if len(person.waiting) >= MAX_WAITING or everybody >= MAX_WAITING_ALL:
            raise TooManyWait
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        person.waiting.append(turn)
        self._give_turns()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                person.waiting.remove(turn)
            else:  # it came at the same moment
                person.reading = False
                self._reading -= 1
            self._give_turns()
            raise

    def _give_turns(self) -> None:
        while (person := self._next_person()) is not None:
            person.reading = True
            self._reading += 1
            turn = next(turn for turn in person.waiting if not turn.done())
            person.waiting.remove(turn)
            turn.set_result(None)

    def _next_person(self) -> _PersonQueue | None:
        """Return who reads next, if there is a place for them."""
        now = self._clock()
        ready = [each for each in self._people.values() if each.is_waiting and not each.reading]
        person = min(ready, key=lambda each: each.recent_seconds(now), default=None)
        if person is None:
            return None
        newcomer = person.recent_seconds(now) < NEWCOMER_S
        return person if self._reading < AT_ONCE - (0 if newcomer else FOR_NEWCOMERS) else None

    def _forget(self, now: float) -> None:
        """Let go of people whose time is as good as forgotten."""
        gone = [
            who
            for who, person in self._people.items()
            if not person.waiting and not person.reading and person.recent_seconds(now) < 0.01
        ]
        for who in gone:
            del self._people[who]


log = logging.getLogger(__name__)

MAX_BYTES = 8 << 20
MAX_PAGES = 200
MAX_OUTPUT = 64 << 20  # bytes of JSON
MAX_STILLS = 4
KINDS_SKIPPED = ("charts", "diagrams", "objects", "pictures")
TIMEOUT_S = 30.0  # of the clock; a busy machine gives a process its 8 s of CPU time in it

_MARKERS = re.compile(r"\[(?:picture|chart|diagram|object)\]")  # of what is no text in Word
_CHILD = Path(__file__).with_name("reader_process.py")
_REASONS = {
    "encrypted": "encrypted",
    "locked": "encrypted",
    "pixels": "pixels",
    "bomb": "too-much",
    "memory": "too-much",
    "LimitReachedError": "too-much",  # pypdf's
    "slow": "too-much",
    "scanned": "no-text",
    "unknown": "unknown",
}
_EXACT_KEYS = {"scanned": "file-scanned", "slow": "file-slow"}


@dataclass(frozen=True)
class Text:
    text: str
    cut: bool = False
    pages: tuple[int, int] | None = None  # read, and of how many
    beginning: bool = False  # of data that programs read whole
    # Facts for the person on how it was read. Comparisons ignore them.
    plain: bool = field(default=False, compare=False)  # it is a text file
    assumed_encoding: str = field(default="", compare=False)  # if it is uncertain
    repaired: bool = field(default=False, compare=False)  # bytes that are no characters
    cleaned: bool = field(default=False, compare=False)  # of terminals' codes and other controls
    skipped: tuple[str, ...] = field(default=(), compare=False)  # kinds of what is no text in it


@dataclass(frozen=True)
class StillImage:
    """A picture as models take it, whatever was posted."""

    media_type: str  # "image/png" or "image/jpeg"
    data: bytes = field(repr=False)


@dataclass(frozen=True)
class ReadImage:
    stills: tuple[StillImage, ...]  # several of an animation


@dataclass(frozen=True)
class Skipped:
    reason: str  # `file-<reason>` of bot/locales
    exact_key: str = field(default="", compare=False)  # a key that says it better


Content = Text | ReadImage | Skipped


class _ChildImage(msgspec.Struct, frozen=True):
    media_type: Literal["image/png", "image/jpeg"]
    data: bytes


class _ChildAnswer(msgspec.Struct, frozen=True):
    """The reading process's answer.

    A hostile file may control that process, so only these types are accepted.
    """

    error: str = ""
    text: str = ""
    cut: bool = False
    pages: tuple[int, int] | None = None
    stills: Annotated[list[_ChildImage], msgspec.Meta(max_length=MAX_STILLS)] = []
    assumed_encoding: Annotated[str, msgspec.Meta(max_length=40)] = ""
    repaired: bool = False
    cleaned: bool = False
    skipped: list[str] = []


class FileReader:
    def __init__(self) -> None:
        self._turns = ReadingQueue()
        self._warned = False

    async def read(
        self, data: bytes, *, max_chars: int, user: str = "", whole: bool = False
    ) -> Content:
        """Return what is in a file of at most `MAX_BYTES`; never raise over its content.

        Each `user` has a fair share of the reading. A plain text comes with all that is in it, if
        `whole`.
        """
        if reason := _refusal(data):
            return reason
        kind = kind_of(data)
        if kind is FileType.TEXT:
            max_chars = MAX_BYTES if whole else max_chars
            # A thread lets the event loop serve other people meanwhile.
            if plain := await asyncio.to_thread(plain_text.read_if_plain, data):
                if not plain.text.strip():
                    return Skipped("empty")
                return Text(plain.text[:max_chars], cut=len(plain.text) > max_chars, plain=True)
        try:
            content = _to_content(await self._read_in_child(kind, data, max_chars, user))
        except TooManyWait:
            return Skipped("busy")
        if kind is FileType.TEXT and content == Skipped(
            "no-text"
        ):  # it has no pages to be pictures
            return Skipped("empty")
        return (
            replace(content, plain=kind is FileType.TEXT) if isinstance(content, Text) else content
        )

    async def missing_layers(self) -> list[str]:
        """Return the names of the layers of confinement that this machine does not have."""
        found = await self._read_in_child(FileType.TEXT, b"a text", max_chars=9, user="")
        if "text" not in found:
            return ["a child that answers"]
        return [str(layer) for layer in found.get("missing", [])]

    async def _read_in_child(
        self, kind: FileType, data: bytes, max_chars: int, user: str
    ) -> dict[str, Any]:
        async with self._turns.turn(user):
            seccomp_filter = await asyncio.to_thread(_filter, threads=kind is FileType.HEIC)
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", str(_CHILD), kind, str(max_chars), str(MAX_PAGES)),
                seccomp_filter,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env={},
                cwd="/",
                start_new_session=True,
            )
            try:
                async with asyncio.timeout(TIMEOUT_S):
                    output = await _exchange(process, data)
                found = msgspec.json.decode(output, type=dict[str, Any])
            except TimeoutError:
                return {"error": "slow"}
            except msgspec.MsgspecError:  # it was ended by a limit before it could say so
                ended = {-signal.SIGXCPU: "slow", -signal.SIGKILL: "slow"}
                return {"error": ended.get(process.returncode or 0, "memory")}
            finally:
                await _end(process)
        self._warn_once(found.get("missing"))
        return found

    def _warn_once(self, missing: object) -> None:
        if missing and not self._warned:
            self._warned = True
            log.warning("files are read without a layer of confinement missing=%r", missing)


@lru_cache(maxsize=2)
def _filter(*, threads: bool) -> str:
    """Return seccomp's filter for the child, in base64; nothing where it cannot be made here."""
    try:
        return b64encode(seccomp.compile_filter(threads=threads)).decode()
    except ConfinementError:
        return ""


async def _exchange(process: asyncio.subprocess.Process, data: bytes) -> bytes:
    """Write the file, and read what is said of it: no more than a file can give."""
    assert process.stdin is not None  # noqa: S101 — for the type checker
    assert process.stdout is not None  # noqa: S101
    feeding = asyncio.ensure_future(_feed(process.stdin, data))
    output = bytearray()
    try:
        while chunk := await process.stdout.read(1 << 16):
            output += chunk
            if len(output) > MAX_OUTPUT:
                return b""
        await process.wait()
    finally:
        feeding.cancel()
        await asyncio.gather(feeding, return_exceptions=True)
    return bytes(output)


async def _feed(stdin: asyncio.StreamWriter, data: bytes) -> None:
    with suppress(BrokenPipeError, ConnectionResetError):  # it ended before it had read all
        stdin.write(data)
        await stdin.drain()
    stdin.close()


def _refusal(data: bytes) -> Skipped | None:
    """Return why a file is not even opened."""
    if not data:
        return Skipped("empty")
    if len(data) > MAX_BYTES:
        return Skipped("large")
    kind = kind_of(data)
    if kind is FileType.UNKNOWN:
        return Skipped("unknown", name_unread(data))
    return Skipped("audio") if kind is FileType.AUDIO else None


def _to_content(answer: dict[str, Any]) -> Content:
    try:
        found = msgspec.convert(answer, _ChildAnswer)
    except msgspec.ValidationError:
        return Skipped("broken")
    if found.error:
        return Skipped(_REASONS.get(found.error, "broken"), _EXACT_KEYS.get(found.error, ""))
    if found.stills:
        if not all(map(_is_still, found.stills)):
            return Skipped("broken")
        return ReadImage(tuple(StillImage(each.media_type, each.data) for each in found.stills))
    if not _MARKERS.sub("", found.text).strip():
        return Skipped("no-text")
    return Text(
        found.text,
        found.cut,
        found.pages,
        assumed_encoding=found.assumed_encoding,
        repaired=found.repaired,
        cleaned=found.cleaned,
        skipped=tuple(kind for kind in found.skipped if kind in KINDS_SKIPPED),
    )


def _is_still(still: _ChildImage) -> bool:
    """Return whether the bytes begin as what they are said to be."""
    begins = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff"}
    return still.data.startswith(begins[still.media_type])


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        assert process.stdout is not None  # noqa: S101 — for the type checker
        while await process.stdout.read(1 << 16):  # or asyncio never sees that it has ended
            pass
        await process.wait()
