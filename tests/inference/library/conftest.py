"""A library of drawn pictures: the public set of the bench."""

import shutil
from hashlib import sha256
from pathlib import Path

import pytest

from bench.article.measure import PUBLIC


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The public set, to be changed at will."""
    return Path(shutil.copytree(PUBLIC, tmp_path / "pictures"))


class Kept:
    """What lies in Redis otherwise."""

    def __init__(self) -> None:
        self.blobs: dict[str, bytes] = {}

    async def put(self, data: bytes) -> str:
        name = sha256(data).hexdigest()
        self.blobs[name] = data
        return name

    async def get(self, name: str) -> bytes | None:
        return self.blobs.get(name)


@pytest.fixture
def kept() -> Kept:
    return Kept()
