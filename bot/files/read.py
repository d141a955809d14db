"""Reads files that people post. Whatever is in them becomes text, or a reason why not.

Formats that need a parser are read by `child.py` in a process with hard limits on memory, CPU
time and writing: the files are hostile until proved otherwise.
"""

import asyncio
import json
import os
import signal
import sys
from base64 import b64decode
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.files.kinds import Kind, decode, kind_of

MAX_BYTES = 8 << 20
MAX_PAGES = 200
TIMEOUT_S = 12.0
AT_ONCE = 2  # processes

_CHILD = Path(__file__).with_name("child.py")
_REASONS = {
    "encrypted": "encrypted",
    "pixels": "pixels",
    "bomb": "too-much",
    "memory": "too-much",
}


@dataclass(frozen=True)
class Text:
    text: str
    cut: bool = False
    pages: tuple[int, int] | None = None  # read, and of how many
    beginning: bool = False  # of data that programs read whole


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


Content = Text | Picture | Skipped


class FileReader:
    def __init__(self) -> None:
        self._processes = asyncio.Semaphore(AT_ONCE)

    async def read(self, data: bytes, *, max_chars: int) -> Content:
        """What is in a file of at most `MAX_BYTES`; never raises over its content."""
        if not data:
            return Skipped("empty")
        if len(data) > MAX_BYTES:
            return Skipped("large")
        match kind_of(data):
            case Kind.TEXT:
                text = decode(data) or ""
                return Text(text[:max_chars], cut=len(text) > max_chars)
            case Kind.PDF | Kind.DOCX | Kind.IMAGE | Kind.HEIC as kind:
                return _content(await self._in_child(kind, data, max_chars))
            case Kind.AUDIO:
                return Skipped("audio")
            case Kind.UNKNOWN:
                return Skipped("unknown")

    async def _in_child(self, kind: Kind, data: bytes, max_chars: int) -> dict[str, Any]:
        async with self._processes:
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
                return {"error": "bomb"}
            except ValueError:  # it was ended by a limit before it could say so
                return {"error": "memory"}
            finally:
                await _end(process)


def _content(found: dict[str, Any]) -> Content:
    if error := found.get("error"):
        return Skipped(_REASONS.get(error, "broken"))
    if stills := found.get("stills"):
        made = (Still(still["media_type"], b64decode(still["data"])) for still in stills)
        return Picture(tuple(made))
    if not found["text"].strip():
        return Skipped("no-text")
    pages = found.get("pages")
    return Text(found["text"], found["cut"], (pages[0], pages[1]) if pages else None)


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
