"""What the images install is pinned by hash, and is what pyproject.toml asks for."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.deploy.composed import PROJECT
from tests.deploy.images import CUDA

LOCKS = PROJECT / "deploy" / "requirements"
EXTRAS = {
    "bot": ("bot", "tracing"),
    "inference": ("inference", "models", "agent", "ocr", "sandbox", "tracing"),
    "cpu": ("cpu", "models", "agent", "ocr", "sandbox", "tracing"),
    "sandbox": ("sandbox",),
}
PINNED = re.compile(r"^([a-z0-9-]+)==([^\s;]+)", re.MULTILINE)


def wanted(image: str) -> list[Requirement]:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())
    listed = [*project["build-system"]["requires"], *project["project"]["dependencies"]]
    for extra in EXTRAS[image]:
        listed += project["project"]["optional-dependencies"][extra]
    return [Requirement(line) for line in listed]


@pytest.mark.parametrize("image", EXTRAS)
def test_a_lock_has_what_the_project_asks_for(image: str) -> None:
    pinned = dict(PINNED.findall((LOCKS / f"{image}.txt").read_text()))
    for need in wanted(image):
        name = re.sub(r"[-_.]+", "-", need.name).lower()
        assert need.specifier.contains(pinned[name], prereleases=True), (need, pinned[name])


@pytest.mark.parametrize("lock", sorted(LOCKS.glob("*.txt")), ids=lambda path: path.stem)
def test_every_package_has_a_hash(lock: Path) -> None:
    packages = re.split(r"\n(?=\S)", lock.read_text())
    assert packages
    assert all("==" in each and "--hash=sha256:" in each for each in packages)


def test_images_install_from_their_locks_alone() -> None:
    installs = re.findall(r"pip install ([^&\n]*)", (PROJECT / "Dockerfile").read_text())
    assert len(installs) == 12
    for arguments in installs:
        assert "--require-hashes -r /requirements/" in arguments or "--no-deps" in arguments


def test_only_the_gpu_s_image_brings_cuda() -> None:
    brings = {image: CUDA.findall((LOCKS / f"{image}.txt").read_text()) for image in EXTRAS}
    assert {image for image, found in brings.items() if found} == {"inference"}
    assert all(len(PINNED.findall(found)) == 1 for found in brings["inference"])
