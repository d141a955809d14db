"""Reads files that people post. Whatever is in them becomes text, or a reason why not.

Formats that need a parser are read by `child.py` in a process with hard limits on memory, CPU
time and writing: the files are hostile until proved otherwise.
"""

import asyncio
import json
import os
import re
import signal
import sys
from base64 import b64decode
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bot.files import plain_text
from bot.files.kinds import Kind, kind_of, name_unread
from bot.files.turns import TooManyWait, Turns

MAX_BYTES = 8 << 20
MAX_PAGES = 200
TIMEOUT_S = 30.0  # of the clock; a busy machine gives a process its 8 s of CPU time in it

_MARKERS = re.compile(r"\[(?:picture|chart|diagram|object)\]")  # of what is no text in Word
_CHILD = Path(__file__).with_name("child.py")
_REASONS = {
    "encrypted": "encrypted",
    "locked": "encrypted",
    "pixels": "pixels",
    "bomb": "too-much",
    "memory": "too-much",
    "slow": "too-much",
    "scanned": "no-text",
    "unknown": "unknown",
}
_EXACTLY = {"scanned": "file-scanned", "slow": "file-slow"}


@dataclass(frozen=True)
class Text:
    text: str
    cut: bool = False
    pages: tuple[int, int] | None = None  # read, and of how many
    beginning: bool = False  # of data that programs read whole
    # How it was read, for the person; two texts are equal where their words are.
    plain: bool = field(default=False, compare=False)  # it is a text file
    assumed_encoding: str = field(default="", compare=False)  # where nothing makes it certain
    repaired: bool = field(default=False, compare=False)  # bytes that are no characters
    cleaned: bool = field(default=False, compare=False)  # of terminals' codes and other controls
    skipped: tuple[str, ...] = field(default=(), compare=False)  # kinds of what is no text in it


@dataclass(frozen=True)
class Still:
    """A picture as models take it, whatever was posted."""

    media_type: str  # "image/png" or "image/jpeg"
    data: bytes = field(repr=False)


@dataclass(frozen=True)
class Picture:
    stills: tuple[Still, ...]  # several of an animation


@dataclass(frozen=True)
class Skipped:
    reason: str  # `file-<reason>` of bot/locales
    exactly: str = field(default="", compare=False)  # a key that says it better


Content = Text | Picture | Skipped


class FileReader:
    def __init__(self) -> None:
        self._turns = Turns()

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
        if kind is Kind.TEXT:
            max_chars = MAX_BYTES if whole else max_chars
            # In a thread: between its steps, other people's words are heard.
            if plain := await asyncio.to_thread(plain_text.read_if_plain, data):
                return Text(plain.text[:max_chars], cut=len(plain.text) > max_chars, plain=True)
        try:
            content = _content(await self._in_child(kind, data, max_chars, user))
        except TooManyWait:
            return Skipped("busy")
        return replace(content, plain=kind is Kind.TEXT) if isinstance(content, Text) else content

    async def _in_child(self, kind: Kind, data: bytes, max_chars: int, user: str) -> dict[str, Any]:
        async with self._turns.turn(user):
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", str(_CHILD), kind, str(max_chars), str(MAX_PAGES)),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env={},
                cwd="/",
                start_new_session=True,
            )
            try:
                async with asyncio.timeout(TIMEOUT_S):
                    output, _ = await process.communicate(data)
                return dict(json.loads(output))
            except TimeoutError:
                return {"error": "slow"}
            except ValueError:  # it was ended by a limit before it could say so
                ended = {-signal.SIGXCPU: "slow", -signal.SIGKILL: "slow"}
                return {"error": ended.get(process.returncode or 0, "memory")}
            finally:
                await _end(process)


def _refusal(data: bytes) -> Skipped | None:
    """Return why a file is not even opened."""
    if not data:
        return Skipped("empty")
    if len(data) > MAX_BYTES:
        return Skipped("large")
    kind = kind_of(data)
    if kind is Kind.UNKNOWN:
        return Skipped("unknown", name_unread(data))
    return Skipped("audio") if kind is Kind.AUDIO else None


def _content(found: dict[str, Any]) -> Content:
    if error := found.get("error"):
        return Skipped(_REASONS.get(error, "broken"), _EXACTLY.get(error, ""))
    if stills := found.get("stills"):
        made = (Still(still["media_type"], b64decode(still["data"])) for still in stills)
        return Picture(tuple(made))
    if not _MARKERS.sub("", found["text"]).strip():
        return Skipped("no-text")
    pages = found.get("pages")
    return Text(
        found["text"],
        found["cut"],
        (pages[0], pages[1]) if pages else None,
        assumed_encoding=found.get("assumed_encoding", ""),
        repaired=found.get("repaired", False),
        cleaned=found.get("cleaned", False),
        skipped=tuple(found.get("skipped", ())),
    )


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
