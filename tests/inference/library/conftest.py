"""A library of drawn pictures: the public set of the bench."""

import shutil
from pathlib import Path

import pytest

from bench.article.measure import PUBLIC
from inference.library.image_selector import MemoryBlobs


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The public set, to be changed at will."""
    return Path(shutil.copytree(PUBLIC, tmp_path / "pictures"))


@pytest.fixture
def kept() -> MemoryBlobs:
    return MemoryBlobs()
