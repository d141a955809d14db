"""The programs' own interpreter: a copy of ours with the standard library and a few packages.

Why a copy and not a virtual environment, or the one we run in:
- a virtual environment borrows its base's standard library, next to which lie the base's other
  packages, and root's interpreter (~/.pyenv) cannot be read by the uid that programs run as;
- copying needs no network, takes seconds, and gives exactly the versions that were tested;
- one folder is all that Landlock and bubblewrap have to grant, and what is not in it cannot be
  imported.

It is built beside its place and renamed into it, so it is whole or absent.
"""

import compileall
import fcntl
import importlib
import json
import os
import shutil
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from inference.sandbox.result import SandboxUnavailable

# What a program may import, with all that these need; msgspec is for our own frames.
REQUIRED = ("sympy", "numpy", "matplotlib", "msgspec")
OPTIONAL = ("pandas", "scipy")  # taken along where they are installed

_STDLIB_LEFT_OUT = (
    *("site-packages", "dist-packages", "test", "tests", "idlelib", "ensurepip", "tkinter"),
    *("turtledemo", "lib2to3", "pip", "config-*", "*.opt-?.pyc"),
)
_PACKAGE_LEFT_OUT = ("tests", "*.pyi", "*.h", "*.a", "*.c", "*.pyx", "sample_data", "*.opt-?.pyc")
_MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True)
class Environment:
    folder: Path

    @property
    def interpreter(self) -> Path:
        return self.folder / "bin" / "python3"

    @property
    def shared_libraries(self) -> Path:
        return self.folder / "lib"

    @property
    def packages(self) -> Path:
        return self.folder / "packages"

    def is_current(self) -> bool:
        """Return whether it holds what this interpreter would copy now.

        Where there is nothing to copy, as in the image, it holds for the same Python.
        """
        try:
            held = json.loads((self.folder / _MANIFEST).read_bytes())
        except (OSError, ValueError):
            return False
        if not all(map(_find, REQUIRED)):
            return bool(held["python"] == sys.version)
        return bool(held == _manifest())


def default_folder() -> Path:
    """Return `COMMONROOM_SANDBOX`, or a folder that outlives a session and that the programs' uid
    can reach."""
    if chosen := os.environ.get("COMMONROOM_SANDBOX"):
        return Path(chosen)
    if os.getuid() == 0:
        return Path("/var/lib/commonroom/sandbox")
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "commonroom" / "sandbox"


def ensure(folder: Path | None) -> Environment:
    """The environment, built if it is absent or of other versions. Blocks for seconds then."""
    environment = Environment(folder or default_folder())
    if environment.is_current():
        return environment
    try:
        with _sole_builder(environment.folder):
            return environment if environment.is_current() else build(environment.folder)
    except OSError as failure:
        raise SandboxUnavailable(
            f"the programs' environment cannot be made: {failure}."
            " Run `python -m inference.sandbox install` where it can be written"
        ) from failure


@contextmanager
def _sole_builder(folder: Path) -> Iterator[None]:
    folder.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    with open(folder.parent / f".{folder.name}.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for abandoned in folder.parent.glob(f".{folder.name}-*"):  # its builder was killed
            shutil.rmtree(abandoned, ignore_errors=True)
        yield


def build(folder: Path) -> Environment:
    """Replace what is at `folder`. Running zygotes of the old one should be restarted."""
    manifest = _manifest()
    folder.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as scratch:
        new, old = Path(scratch, "new"), Path(scratch, "old")
        _copy_interpreter(new)
        _copy_packages(Environment(new).packages, manifest)
        compileall.compile_dir(new, quiet=2)  # programs cannot write what they compile
        (new / _MANIFEST).write_text(json.dumps(manifest))
        _readable_by_all(new)
        if folder.exists():
            folder.rename(old)
        new.rename(folder)
    return Environment(folder)


def _manifest() -> dict[str, str]:
    return {"python": sys.version, **{dist.name: dist.version for dist in _distributions()}}


def _distributions() -> Iterator[metadata.Distribution]:
    """The packages and all that they require, each once."""
    if missing := [name for name in REQUIRED if not _find(name)]:
        raise SandboxUnavailable(f"pip install 'commonroom[sandbox]': no {', '.join(missing)}")
    wanted = [*REQUIRED, *OPTIONAL]
    seen = set()
    while wanted:
        name = wanted.pop()
        distribution = None if name in seen else _find(name)
        seen.add(name)
        if distribution is not None:
            yield distribution
            wanted += _requirements(distribution)


def _find(name: str) -> metadata.Distribution | None:
    try:
        return metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return None


def _requirements(distribution: metadata.Distribution) -> Iterator[str]:
    packaging: Any = importlib.import_module("packaging.requirements")  # comes with matplotlib
    for line in distribution.requires or ():
        requirement = packaging.Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield requirement.name.lower()


def _copy_interpreter(target: Path) -> None:
    """Laid out as Python finds its library by itself: bin/python3 beside lib/python3.X."""
    base = Path(sys.base_prefix)
    (target / "bin").mkdir(parents=True)
    (target / "lib").mkdir()
    interpreter = os.path.realpath(getattr(sys, "_base_executable", sys.executable))
    shutil.copy2(interpreter, target / "bin" / "python3")
    library = Path(sysconfig.get_config_var("LIBDIR") or base / "lib").joinpath(
        sysconfig.get_config_var("INSTSONAME") or "absent"
    )
    if sysconfig.get_config_var("Py_ENABLE_SHARED") and library.exists():
        shutil.copy2(library, target / "lib" / library.name)
    ignore = shutil.ignore_patterns(*_STDLIB_LEFT_OUT)
    for kind in ("stdlib", "platstdlib"):
        source = Path(sysconfig.get_path(kind, vars={"base": str(base), "platbase": str(base)}))
        place = target / (source.relative_to(base) if source.is_relative_to(base) else source.name)
        shutil.copytree(source, place, ignore=ignore, dirs_exist_ok=True)


def _copy_packages(target: Path, manifest: dict[str, str]) -> None:
    """Every top-level file or folder that a wanted distribution brought, and no other."""
    target.mkdir()
    ignore = shutil.ignore_patterns(*_PACKAGE_LEFT_OUT)
    for distribution in map(metadata.distribution, manifest.keys() - {"python"}):
        for name in sorted({file.parts[0] for file in distribution.files or ()}):
            source = Path(str(distribution.locate_file(name)))
            if name in ("..", "__pycache__") or not source.exists():  # scripts, manual pages
                continue
            if source.is_dir():
                shutil.copytree(source, target / name, ignore=ignore, dirs_exist_ok=True)
            else:
                shutil.copy2(source, target / name)


def _readable_by_all(folder: Path) -> None:
    """Programs run as another user than the one that installs, who may have a strict umask."""
    for parent, _, files in os.walk(folder):
        Path(parent).chmod(0o755)
        for name in files:
            path = Path(parent, name)
            path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
