"""The library as it is now: whoever edits its manifest restarts nothing."""

import asyncio
import logging
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from inference.library import manifest, store
from inference.library.image_library import Library, Sense

_log = logging.getLogger(__name__)


class Shelf:
    def __init__(self, folder: Path | None, model: str = "") -> None:
        """Without a folder it is empty; without a model it is searched by words alone."""
        self._folder = folder
        self._model = model
        self._library = Library(folder or Path())
        self._read: tuple[int, ...] = ()
        self._reading = asyncio.Lock()

    async def current(self) -> Library:
        """While a manifest is wrong, as somebody edits it, the last good one stands."""
        if self._folder is None:
            return self._library
        async with self._reading:
            if (changed := _changed(self._folder)) != self._read:
                try:
                    self._library = await asyncio.to_thread(self._load, self._folder)
                except manifest.LibraryError as error:
                    _log.warning("pictures are as before: %s", error)
                self._read = changed
        return self._library

    def _load(self, folder: Path) -> Library:
        library = Library.load(folder)
        # Asked for here, what is made once is made in this thread.
        _log.info("%d pictures, near from %.2f on", len(library.entries), library.figures.threshold)
        if not self._model:
            return library
        try:
            return replace(library, sense=_sense(folder, self._model))
        except manifest.LibraryError as error:
            _log.warning("pictures are found by words alone: %s", error)
            return library


def _sense(folder: Path, model: str) -> Sense:
    from inference.library import image_embeddings  # noqa: PLC0415  (torch, for those alone who want it)

    return image_embeddings.Vectors.load(folder, image_embeddings.embedder(model))


def _changed(folder: Path) -> tuple[int, ...]:
    """When the manifest was, and what was found out from it."""
    times = [0, 0]
    for at, name in enumerate((manifest.NAME, store.NAME)):
        with suppress(OSError):
            times[at] = (folder / name).stat().st_mtime_ns
    return tuple(times)
