"""Finds out what no article should wait for: the text in each picture, and how near is near."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from inference import ocr
from inference.library import image_file, manifest, store
from inference.library.calibrate import calibrate
from inference.library.image_entry import Entry
from inference.library.image_file import Unreadable
from inference.library.image_library import Library, version
from inference.library.image_selector import text_in


async def index(
    folder: Path, told: Callable[[int, int], None] = lambda _done, _total: None
) -> store.Index:
    """Reads what has not been read yet. Raises LibraryError."""
    library = Library.load(folder)
    written = {}
    for done, entry in enumerate(library.entries):
        told(done, len(library.entries))
        if (text := library.index.written.get(entry.sha256) or await _text(folder, entry)) is None:
            continue
        written[entry.sha256] = text
    found = store.Index(
        figures=calibrate(library.search, library.entries),
        written=written,
        manifest=version(library.entries),
    )
    store.write(folder, found)
    return found


async def _text(folder: Path, entry: Entry) -> store.Written | None:
    path = manifest.file_of(folder, entry)
    if path is None or not ocr.installed():
        return None
    try:
        data = await asyncio.to_thread(image_file.read, path)
        return await text_in(image_file.still(data).data)
    except Unreadable:
        return None
