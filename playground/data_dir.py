"""The folder of a playground's data, and the lock for one playground at a time."""

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path


class DataDirInUseError(Exception):
    """Another playground uses the folder."""


def default_data_dir(environ: Mapping[str, str]) -> Path:
    home = Path(environ.get("HOME", "~")).expanduser()
    base = environ.get("XDG_STATE_HOME") or home / ".local/state"
    return Path(base) / "commonroom" / "playground"


@contextmanager
def lock_data_dir(folder: Path) -> Iterator[None]:
    """Lock the folder. The kernel releases the lock when the process ends in any way."""
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
