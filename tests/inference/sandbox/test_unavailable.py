"""Where a layer is missing no program runs, and the operator reads why."""

import asyncio
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from common.confinement import seccomp
from inference.sandbox import interpreter
from inference.sandbox.client import Sandbox
from inference.sandbox.config import Limits, SandboxConfig
from inference.sandbox.interpreter import Environment
from inference.sandbox.result import SandboxUnavailable
from tests.inference.sandbox.support import bubblewrap_starts

PROJECT = Path(__file__).parents[3]
needs_root = pytest.mark.skipif(os.getuid() != 0, reason="takes what only root has to lose")


async def reason(config: SandboxConfig) -> str:
    with pytest.raises(SandboxUnavailable) as caught:
        async with Sandbox(config):
            pass
    return caught.value.reason


def check_under(*prefix: str) -> "subprocess.CompletedProcess[str]":
    """The operator's check, started by a command that takes something away."""
    command = [*prefix, sys.executable, "-m", "inference.sandbox", "check", "--bubblewrap", "off"]
    return subprocess.run(
        command, cwd=PROJECT, capture_output=True, text=True, check=False, env=_wide()
    )


def _wide() -> dict[str, str]:
    return os.environ | {"COLUMNS": "200"}


def test_the_check_passes_where_programs_run(programs: Environment) -> None:
    assert programs.is_current()
    done = check_under()

    assert done.returncode == 0, done.stdout + done.stderr
    assert "fault" not in done.stdout.split()


@needs_root
def test_root_that_cannot_drop_is_refused(programs: Environment) -> None:
    """As in a container with every capability dropped and no `user:`."""
    assert programs.is_current()
    setpriv = shutil.which("setpriv") or pytest.skip("needs util-linux")
    done = check_under(setpriv, "--bounding-set=-setuid,-setgid", "--inh-caps=-all")

    assert done.returncode == 1
    assert "may not become uid" in done.stdout


@pytest.mark.skipif(not bubblewrap_starts(), reason="needs bubblewrap to take seccomp away")
@pytest.mark.parametrize(
    ("call", "words"),
    [("landlock_create_ruleset", "Landlock"), ("seccomp", "seccomp")],
)
def test_a_kernel_without_a_layer_is_refused(
    call: str, words: str, programs: Environment, tmp_path: Path
) -> None:
    """A filter that says ENOSYS, as an old kernel or gVisor would."""
    assert programs.is_current()
    script = tmp_path / "without.py"
    script.write_text(
        "import errno, os, pyseccomp as sc, sys\n"
        "rules = sc.SyscallFilter(sc.ALLOW)\n"
        f"if {call!r} == 'seccomp':\n"
        "    rules.add_rule(sc.ERRNO(errno.EINVAL), 'prctl', sc.Arg(0, sc.EQ, 22))\n"
        "else:\n"
        f"    rules.add_rule(sc.ERRNO(errno.ENOSYS), {call!r})\n"
        "rules.load()\n"
        "os.execv(sys.argv[1], sys.argv[1:])\n"
    )
    done = check_under(sys.executable, str(script))

    assert done.returncode == 1, done.stdout
    assert words in done.stdout


async def test_without_libseccomp(monkeypatch: pytest.MonkeyPatch, programs: Environment) -> None:
    assert programs.is_current()
    monkeypatch.setitem(sys.modules, "pyseccomp", None)

    assert "pyseccomp" in await reason(SandboxConfig())


async def test_without_a_service(tmp_path: Path) -> None:
    assert "no sandbox service" in await reason(SandboxConfig(socket=tmp_path / "absent"))


async def test_a_service_that_speaks_something_else(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(str(path))
        listener.listen()
        listener.setblocking(False)
        loop = asyncio.get_running_loop()
        asking = asyncio.create_task(reason(SandboxConfig(socket=path)))
        connection, _ = await loop.sock_accept(listener)
        with connection:
            connection.send(b"HTTP/1.1 400 Bad Request")
            assert "something else" in await asking


async def test_without_bubblewrap_where_it_is_required(
    monkeypatch: pytest.MonkeyPatch, programs: Environment
) -> None:
    assert programs.is_current()
    monkeypatch.setenv("PATH", "/nonexistent")

    assert "bubblewrap" in await reason(SandboxConfig(bubblewrap="require"))


async def test_where_the_environment_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    found = await reason(SandboxConfig(environment=tmp_path / "file" / "environment"))

    assert "python -m inference.sandbox install" in found


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory, programs: Environment) -> Path:
    """An environment whose interpreter does not start."""
    folder = tmp_path_factory.mktemp("broken") / "environment"
    (folder / "bin").mkdir(parents=True)
    shutil.copy(programs.folder / "manifest.json", folder)
    (folder / "bin" / "python3").write_text("#!/bin/sh\necho it is broken >&2\nexit 1\n")
    (folder / "bin" / "python3").chmod(0o755)
    return folder


async def test_with_a_broken_interpreter(broken: Path) -> None:
    found = await reason(SandboxConfig(environment=broken, bubblewrap="off"))

    assert "it is broken" in found


def test_the_filter_allows_nothing_that_is_listed_as_dangerous() -> None:
    dangerous = {"fork", "clone", "execve", "socket", "kill", "ptrace", "prctl", "unlink", "mkdir"}
    dangerous |= {"readlink", "memfd_create", "bpf", "io_uring_setup", "setrlimit", "recvmsg"}

    assert not dangerous & set(seccomp.ALLOWED)
    assert len(seccomp.compile_filter()) % 8 == 0


def test_the_environment_holds_what_was_listed_and_nothing_else(programs: Environment) -> None:
    names = {entry.name.partition("-")[0] for entry in programs.packages.iterdir()}

    assert {"sympy", "numpy", "matplotlib"} <= names
    assert not {"pytest", "torch", "discord", "pip", "redis", "inference"} & names
    assert not list(programs.folder.rglob("site-packages"))


def test_an_environment_of_other_versions_is_not_current(programs: Environment) -> None:
    assert programs.is_current()
    assert not Environment(programs.folder / "absent").is_current()
    assert interpreter.default_folder().is_absolute()


@pytest.mark.parametrize(
    "options",
    [
        {"timeout_s": 0},
        {"timeout_s": 10_000},
        {"memory_bytes": 1},
        {"output_bytes": 0},
        {"figures": -1},
        {"program_bytes": 1 << 30},
    ],
)
def test_limits_that_make_no_sense_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        Limits(**options)  # type: ignore[arg-type]


@pytest.mark.parametrize("options", [{"concurrency": 0}, {"uid": 0}, {"bubblewrap": "maybe"}])
def test_settings_that_make_no_sense_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        SandboxConfig(**options)  # type: ignore[arg-type]
