"""Where a playground keeps its data: one at a time in a folder."""

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path


class DataDirInUseError(Exception):
    """Another playground runs there."""


def default_data_dir(environ: Mapping[str, str]) -> Path:
    base = environ.get("XDG_STATE_HOME") or Path(environ.get("HOME", "~")).expanduser() / (
        ".local/state"
    )
    return Path(base) / "commonroom" / "playground"


@contextmanager
def lock_data_dir(folder: Path) -> Iterator[None]:
    """Keep the folder; the kernel lets go of it with the process, however that ends."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = os.open(folder / "playground.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise DataDirInUseError(
            f"another playground runs in {folder}; end it, or choose another with --folder"
        ) from None
    try:
        yield
    finally:
        os.close(lock)
