"""Hashes of files, and their comparison with what was promised."""

import hashlib
from collections.abc import Callable
from pathlib import Path

from inference.models.store import MANIFEST, FileRecord

CHUNK = 4 * 1024 * 1024


def sha256(path: Path, moved: Callable[[int], None] = lambda _: None) -> str:
    """Hex digest; `moved` is told the bytes of every piece read."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(CHUNK):
            digest.update(piece)
            moved(len(piece))
    return digest.hexdigest()


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
        if path.is_file() and not _hidden(path.relative_to(folder)) and path.name != MANIFEST
    }


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)
