"""What `index` finds out once, so that no article waits for it: beside the manifest, as JSON."""

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from inference.library.calibrate import Figures
from jobqueue.structs import Struct

NAME = "pictures.index.json"


class Written(Struct, frozen=True):
    """The text in a picture."""

    titles: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()


class Index(Struct, frozen=True):
    figures: Figures = Figures()
    written: Mapping[str, Written] = {}  # by a file's SHA-256
    manifest: str = ""  # the SHA-256 of what it was made from


def read(folder: Path) -> Index:
    """An empty one where there is none, or one of another version."""
    try:
        return msgspec.json.decode((folder / NAME).read_bytes(), type=Index)
    except (OSError, msgspec.DecodeError):
        return Index()


def write(folder: Path, index: Index) -> None:
    new = folder / f".{NAME}.new"
    new.write_bytes(msgspec.json.format(msgspec.json.encode(index), indent=1))
    os.replace(new, folder / NAME)
