"""What is published, installed by a stranger: `make dist-check`.

Builds the source distribution, and from it the wheel; installs that where nothing else is, starts
its programs, and runs the source distribution's tests on it, without the packages beside them.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path

from tests.deploy.composed import PROJECT

PROGRAMS = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["scripts"]
PACKAGES = ("bench", "bot", "common", "inference", "jobqueue", "playground")
TESTS = ("tests/jobqueue", "tests/bot/render", "tests/bot/files")
NO_TORCH = "torch ; sys_platform == 'none'"

LAGENT = PROJECT / "deploy" / "requirements" / "lagent.txt"

Tried = tuple[str, bool, str]


def uv(*arguments: str | Path) -> None:
    uv_here = Path(sys.executable).with_name("uv")
    subprocess.run([uv_here, "--quiet", *arguments], check=True, cwd=PROJECT)


def environment(folder: Path, python: str, *wanted: str | Path) -> Path:
    """Its folder of programs."""
    uv("venv", "--seed", "--python", python, folder)
    uv("pip", "install", "--python", folder / "bin" / "python", *wanted)
    return folder / "bin"


def run(*command: str | Path, **environ: str) -> "subprocess.CompletedProcess[str]":
    """Far from the tree, with next to nothing in its environment."""
    return subprocess.run(
        command,
        check=False,
        capture_output=True,
        text=True,
        cwd="/",
        env={"PATH": os.environ["PATH"], "HOME": tempfile.gettempdir(), **environ},
    )


def bare(binaries: Path) -> Iterator[Tried]:
    """Programs whose extra is not there."""
    for program in PROGRAMS:
        done = run(binaries / program)
        extra = program.removeprefix("commonroom-")
        clear = done.returncode == 2 and f"'commonroom[{extra}]'" in done.stderr
        yield f"{program} without its extra", clear and done.stderr.count("\n") == 1, done.stderr


def whole(binaries: Path) -> Iterator[Tried]:
    for program in PROGRAMS:
        done = run(binaries / program, "--help")
        yield f"{program} --help", done.returncode == 0, done.stderr
    for program in ("commonroom-bot", "commonroom-inference"):
        done = run(binaries / program, "doctor", "--json", REDIS_URL="redis://127.0.0.1:1")
        said = done.stdout.startswith(("[", "{")) and not done.stderr
        yield f"{program} doctor --json", said, done.stdout + done.stderr


def tested(binaries: Path, source: Path, tests: list[str]) -> Iterator[Tried]:
    for package in PACKAGES:
        shutil.rmtree(source / package)
    done = subprocess.run(
        [binaries / "python", "-m", "pytest", "--quiet", "--numprocesses", "2", *tests],
        check=False,
        cwd=source,
    )
    yield " ".join(tests), done.returncode == 0, "above"


def check(arguments: argparse.Namespace, folder: Path) -> Iterator[Tried]:
    uv("build", "--out-dir", folder, PROJECT)
    [wheel], [packed] = folder.glob("*.whl"), folder.glob("*.tar.gz")
    with tarfile.open(packed) as archive:
        archive.extractall(folder, filter="data")
    yield from bare(environment(folder / "bare", arguments.python, wheel))
    choices: list[str | Path] = ["--constraint", PROJECT / "constraints" / "cpu.txt"]
    if arguments.no_torch:
        (folder / "override.txt").write_text(NO_TORCH)
        choices = ["--override", folder / "override.txt"]
    binaries = environment(folder / "whole", arguments.python, f"{wheel}[dev]", *choices)
    uv("pip", "install", "--no-deps", "--python", binaries / "python", "-r", LAGENT)
    yield from whole(binaries)
    yield from tested(binaries, folder / packed.name.removesuffix(".tar.gz"), arguments.tests)


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.deploy.distribution", description=__doc__
    )
    parser.add_argument("--python", default=sys.executable, help="a version, or where it lies")
    parser.add_argument("--no-torch", action="store_true", help="where only CUDA's would be found")
    parser.add_argument("tests", nargs="*", default=list(TESTS), metavar="TEST")
    failed = 0
    with tempfile.TemporaryDirectory(prefix="dist-", dir="/var/tmp") as folder:
        for tried, holds, said in check(parser.parse_args(), Path(folder)):
            print(f"{tried}: {'ok' if holds else f'FAILED: {said[-2000:]}'}", flush=True)
            failed += not holds
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
