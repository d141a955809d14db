"""A cache on disk of prompts that were read ahead, for the next start.

llama.cpp saves what a slot has read, some 12 kB a token for half a billion parameters, and takes it
back in milliseconds. A state is good for one file of one model, one version of llama.cpp and one
size of context only; its name says which.
"""

import hashlib
import logging
import os
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Self

import aiohttp

from inference.engines.base import EngineError, Message
from inference.engines.openai import http_client

log = logging.getLogger(__name__)

SLOT = 0  # the one that reads ahead
MOST = 2  # that are kept, over all models: a large one's is a hundred megabytes
SUFFIX = ".state"
UNFINISHED = "unfinished"  # of the name of one that is being written


def default_folder() -> Path:
    """Return a folder in the user's cache. The models' folder is often read-only."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "commonroom" / "states"


class PromptCache:
    """A best-effort cache: prompts that cannot be stored or restored are read again."""

    def __init__(self, folder: Path, model: Path, context_tokens: int) -> None:
        self.folder = folder
        self._model = model
        self._context_tokens = context_tokens

    @classmethod
    def open(cls, folder: Path, model: Path, context_tokens: int) -> Self | None:
        """Open the cache, or return None if its folder is not writable."""
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=folder).close()
        except OSError as error:
            log.info("states are not kept", extra={"reason": str(error)})
            return None
        return cls(folder, model, context_tokens)

    def name(self, messages: Sequence[Message]) -> str:
        known = self._model.stat()
        said = [(message.role, message.content) for message in messages]
        of = (self._model.name, known.st_size, known.st_mtime_ns, self._context_tokens, said)
        told = repr((version("xllamacpp"), of)).encode()
        return f"{hashlib.sha256(told).hexdigest()[:32]}{SUFFIX}"

    async def restore(self, over: aiohttp.ClientSession, root: str, name: str) -> bool:
        if not (self.folder / name).is_file():
            return False
        try:
            await self._do(over, root, "restore", name)
        except EngineError as error:
            log.warning("a state is not taken back", extra={"reason": str(error)})
            return False
        return True

    async def save(self, over: aiohttp.ClientSession, root: str, name: str) -> None:
        unfinished = self.folder / f"{UNFINISHED}-{name}"
        try:
            await self._do(over, root, "save", unfinished.name)
            unfinished.replace(self.folder / name)
            self._clear()
        except (EngineError, OSError) as error:
            log.info("a state is not kept", extra={"reason": str(error)})
            unfinished.unlink(missing_ok=True)

    async def _do(self, over: aiohttp.ClientSession, root: str, action: str, name: str) -> None:
        await http_client.ask(
            over, "POST", f"{root}/slots/{SLOT}?action={action}", {"filename": name}
        )

    def _clear(self) -> None:
        kept = sorted(self.folder.glob(f"*{SUFFIX}"), key=lambda path: path.stat().st_mtime)
        for old in kept[:-MOST]:
            with suppress(OSError):
                old.unlink()
