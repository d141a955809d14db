"""What the images install is pinned by hash, and is what pyproject.toml asks for."""

import re
import subprocess
import sys
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


# Imports the modules after hiding what no lock of the image names.
ALONE = """
import importlib, re, sys
from importlib.metadata import packages_distributions
from pathlib import Path

lock, *modules = sys.argv[1:]
names = re.findall(r"^([\\w.-]+)==", Path(lock).read_text(), re.MULTILINE)
locked = {re.sub(r"[-_.]+", "-", name).lower() for name in (*names, "commonroom")}

absent = {
    module
    for module, distributions in packages_distributions().items()
    if locked.isdisjoint(re.sub(r"[-_.]+", "-", each).lower() for each in distributions)
}

class WithoutAbsent:
    def __init__(self, finder):
        self.finder = finder

    def find_spec(self, name, path=None, target=None):
        return None if name in absent else self.finder.find_spec(name, path, target)

sys.meta_path = [WithoutAbsent(finder) for finder in sys.meta_path]
for module in modules:
    importlib.import_module(module)
"""


@pytest.mark.parametrize(
    ("image", "modules"),
    [
        ("cpu", ("inference.__main__", "inference.worker", "inference.engines.llamacpp.engine")),
        ("sandbox", ("inference.sandbox.__main__",)),
    ],
)
def test_an_image_has_all_that_its_program_imports(image: str, modules: tuple[str, ...]) -> None:
    command = [sys.executable, "-c", ALONE, str(LOCKS / f"{image}.txt"), *modules]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=PROJECT)
    assert done.returncode == 0, done.stderr
