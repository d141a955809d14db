"""Hashes of files, and their comparison with what was promised."""

import hashlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec

from inference.models.model_store import MANIFEST, FileRecord

CHUNK = 4 * 1024 * 1024


def sha256(path: Path, moved: Callable[[int], None] = lambda _: None) -> str:
    """Hex digest; `moved` is told the bytes of every piece read."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(CHUNK):
            digest.update(piece)
            moved(len(piece))
    return digest.hexdigest()


class Stamp(msgspec.Struct, frozen=True):
    """A file's size and times when it was hashed."""

    size: int
    modified_ns: int
    changed_ns: int  # its content, name or rights: nobody but the kernel sets this
    sha256: str


def remembered_sha256(path: Path) -> str:
    """Return the file's SHA-256. The file is read again only if it has changed."""
    status, beside = path.stat(), _stamp_path(path)
    try:
        stamp = msgspec.json.decode(beside.read_bytes(), type=Stamp)
    except (OSError, msgspec.DecodeError):
        stamp = None
    now = (status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    if stamp is not None and (stamp.size, stamp.modified_ns, stamp.changed_ns) == now:
        return stamp.sha256
    digest = sha256(path)
    with suppress(OSError):  # a folder that may only be read: then it is read at each start
        beside.write_bytes(msgspec.json.encode(Stamp(*now, digest)))
    return digest


def _stamp_path(path: Path) -> Path:
    return path.with_name(f".{path.name}.sha256")


def git_blob(path: Path) -> str:
    """The id git gives a small file's content, which hubs list instead of a sha256."""
    content = path.read_bytes()
    header = f"blob {len(content)}\0".encode()
    return hashlib.sha1(header + content, usedforsecurity=False).hexdigest()


def record(folder: Path) -> dict[str, FileRecord]:
    """Size and hash of every file below `folder`, by relative path; hidden ones are not ours."""
    return {
        path.relative_to(folder).as_posix(): FileRecord(path.stat().st_size, sha256(path))
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not _is_hidden(path.relative_to(folder)) and path.name != MANIFEST
    }


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)
