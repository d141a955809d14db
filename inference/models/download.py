"""Downloads a hub's files to a folder: several at once, resumed, every byte checked.

Our own, because huggingface_hub begins each file anew after an interruption (since 1.18) and
compares sizes alone; and ModelScope speaks the same plain HTTP.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from inference.models import integrity
from inference.models.errors import DownloadBroken, Progress, PullFailed, Report
from inference.models.model_store import require_space

AT_ONCE = 4
FRUITLESS_TRIES = 5  # without a single new byte
TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=30)
PIECE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class RemoteFile:
    path: str
    url: str
    size: int  # bytes
    sha256: str | None = None  # what the hub promises for large files
    git_sha1: str | None = None  # and for small ones: git's blob id


@dataclass(frozen=True, slots=True)
class Listing:
    """A hub's list of a model's files."""

    source: str
    revision: str
    files: tuple[RemoteFile, ...]
    headers: Mapping[str, str]

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files)


def fetch(listing: Listing, folder: Path, report: Report) -> Path:
    """Every file of `listing` in `folder`; what an earlier try left there is used."""
    folder.mkdir(parents=True, exist_ok=True)
    have = sum(path.stat().st_size for path in folder.iterdir())
    require_space(listing.size - have)
    transfer = _Transfer(listing, folder, report)
    try:
        asyncio.run(transfer.run())
    except* (PullFailed, OSError) as group:
        raise group.exceptions[0] from None
    return folder


class _Transfer:
    def __init__(self, listing: Listing, folder: Path, report: Report) -> None:
        self._listing = listing
        self._folder = folder
        self._report = report
        self._done = 0
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def run(self) -> None:
        # Bytes as they are stored: a range of a compressed answer would be of no use.
        headers = {**self._listing.headers, "Accept-Encoding": "identity"}
        async with (
            aiohttp.ClientSession(headers=headers, timeout=TIMEOUT, trust_env=True) as session,
            asyncio.TaskGroup() as tasks,
        ):
            for file in self._listing.files:
                tasks.create_task(self._bring(session, file))

    async def _bring(self, session: aiohttp.ClientSession, file: RemoteFile) -> None:
        target = self._folder / file.path
        async with self._slots:
            if target.exists():  # it was checked before it got this name
                self._advance(file.size, file.path)
                return
            part = target.with_name(target.name + ".part")
            await self._fill(session, file, part)
            await asyncio.to_thread(_verify, file, part)
            part.rename(target)

    async def _fill(self, session: aiohttp.ClientSession, file: RemoteFile, part: Path) -> None:
        """Make `part` as long as the file; a broken connection goes on where it was."""
        self._advance(_length(part), file.path)
        fruitless = 0
        while (have := _length(part)) != file.size:
            try:
                await self._append(session, file, part, have)
                trouble = "the answer was too short"
            except (aiohttp.ClientError, TimeoutError) as error:
                trouble = str(error) or type(error).__name__
            fruitless = 0 if _length(part) > have else fruitless + 1
            if fruitless == FRUITLESS_TRIES:
                raise DownloadBroken(
                    f"{file.path} stops at {have} of {file.size} bytes: {trouble}. "
                    "What has arrived is kept: pull again to go on."
                )
            await asyncio.sleep(0.2 * (2**fruitless - 1))

    async def _append(
        self, session: aiohttp.ClientSession, file: RemoteFile, part: Path, have: int
    ) -> None:
        resume = {"Range": f"bytes={have}-"} if 0 < have < file.size else {}
        async with session.get(file.url, headers=resume) as response:
            response.raise_for_status()
            begin = have if response.status == 206 else 0
            self._advance(begin - have, file.path)
            with part.open("ab") as out:
                out.truncate(begin)
                async for piece in response.content.iter_chunked(PIECE):
                    out.write(piece)
                    self._advance(len(piece), file.path)

    def _advance(self, moved: int, path: str) -> None:
        self._done += moved
        self._report(Progress("download", self._done, self._listing.size, path))


def _length(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _verify(file: RemoteFile, part: Path) -> None:
    """Throw `part` away unless its hash is the promised one."""
    if file.sha256:
        promised, found = file.sha256, integrity.sha256(part)
    elif file.git_sha1:
        promised, found = file.git_sha1, integrity.git_blob(part)
    else:
        return
    if found != promised:
        part.unlink()
        raise DownloadBroken(
            f"{file.path} arrived with the hash {found[:12]}… instead of {promised[:12]}…. "
            "It was thrown away: pull again, and tell the hub if it happens twice."
        )
