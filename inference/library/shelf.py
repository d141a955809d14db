"""The library as it is now: whoever edits its manifest restarts nothing."""

import asyncio
import logging
from contextlib import suppress
from pathlib import Path

from inference.library import manifest, store
from inference.library.library import Library, Sense

_log = logging.getLogger(__name__)


class Shelf:
    def __init__(self, folder: Path | None, sense: Sense | None = None) -> None:
        """Without a folder it is empty."""
        self._folder = folder
        self._sense = sense
        self._library = Library(folder or Path())
        self._read: tuple[int, ...] = ()

    async def current(self) -> Library:
        """While a manifest is wrong, as somebody edits it, the last good one stands."""
        if self._folder is None or (changed := _changed(self._folder)) == self._read:
            return self._library
        self._read = changed
        try:
            self._library = await asyncio.to_thread(Library.load, self._folder, self._sense)
        except manifest.LibraryError as error:
            _log.warning("pictures are as before: %s", error)
        return self._library


def _changed(folder: Path) -> tuple[int, ...]:
    """When the manifest was, and what was found out from it."""
    times = [0, 0]
    for at, name in enumerate((manifest.NAME, store.NAME)):
        with suppress(OSError):
            times[at] = (folder / name).stat().st_mtime_ns
    return tuple(times)
