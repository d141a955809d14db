"""Starts a zygote: interpreter, fixed environment, readable paths, bubblewrap around it."""

import asyncio
import contextlib
import logging
import os
import shutil
import socket
import sysconfig
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import msgspec

from common.confinement import seccomp
from common.confinement.landlock import ConfinementError
from inference.sandbox import interpreter
from inference.sandbox.config import SandboxConfig
from inference.sandbox.inside import messages
from inference.sandbox.interpreter import Environment
from inference.sandbox.result import SandboxUnavailable

log = logging.getLogger(__name__)

_PROJECT = Path(__file__).parents[2]
_OURS = (Path(__file__).parent, _PROJECT / "common")  # what a zygote runs of it
_START_S = 60.0  # imports take one second on an idle machine
_BOOT = (
    "import sys; ours, packages, *descriptors = sys.argv[1:];"
    "sys.path.append(packages); sys.path.insert(0, ours);"
    "from inference.sandbox.inside.zygote import main; del sys.path[0];"
    "main(*map(int, descriptors))"
)
_FONTS = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"))
_DEVICES = (Path("/dev/null"), Path("/dev/urandom"))
# Choose between OpenBLAS kernels, where an operator had to; everything else is fixed.
_PASSED_ON = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")


@dataclass(frozen=True, slots=True)
class ZygoteProcess:
    process: Process
    control: socket.socket  # ours to read; closing it ends the zygote and all its programs
    ready: messages.Ready


@asynccontextmanager
async def zygote(
    config: SandboxConfig, *, listener: socket.socket | None = None
) -> AsyncIterator[ZygoteProcess]:
    """A running zygote, under bubblewrap where that starts. Nothing of it outlives the block."""
    started = await start(config, listener)
    watch = asyncio.ensure_future(started.process.wait())
    watch.add_done_callback(lambda _: _disown(started.control))
    try:
        yield started
    finally:
        watch.cancel()
        await stop(started)


async def start(config: SandboxConfig, listener: socket.socket | None = None) -> ZygoteProcess:
    place = await asyncio.to_thread(interpreter.ensure, config.environment)
    try:
        filter_ = await asyncio.to_thread(seccomp.compile_filter)
    except ConfinementError as missing:
        raise SandboxUnavailable(str(missing)) from missing
    bwrap = shutil.which("bwrap") if config.bubblewrap != "off" else None
    if bwrap:
        try:
            return await _start(config, place, filter_, listener, bwrap)
        except SandboxUnavailable as failure:
            if config.bubblewrap == "require":
                raise
            log.info("bubblewrap does not start here, going on without: %s", failure.reason)
    elif config.bubblewrap == "require":
        raise SandboxUnavailable("bubblewrap is required and not installed")
    return await _start(config, place, filter_, listener, None)


async def stop(started: ZygoteProcess) -> None:
    started.control.close()
    try:
        async with asyncio.timeout(5):
            await started.process.wait()
    except TimeoutError:
        started.process.kill()
        await started.process.wait()


def _disown(control: socket.socket) -> None:
    """Our process is gone. If that was bubblewrap, the zygote in it is not: as root's child of
    another user it cannot be told by PDEATHSIG. The end of its control socket tells it."""
    with contextlib.suppress(OSError):
        control.shutdown(socket.SHUT_RDWR)


async def _start(
    config: SandboxConfig,
    place: Environment,
    filter_: bytes,
    listener: socket.socket | None,
    bwrap: str | None,
) -> ZygoteProcess:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setblocking(False)
    passed = [theirs.fileno()] + ([listener.fileno()] if listener else [])
    command = [str(place.interpreter), *("-I", "-S", "-B", "-X", "utf8", "-c", _BOOT)]
    command += [str(_PROJECT), str(place.packages), *map(str, passed)]
    if bwrap:
        command = [bwrap, *_namespaces(place), "--", *command]
    with theirs, _Complaints() as complaints:
        process = await asyncio.create_subprocess_exec(
            *command,
            env=_variables(place),
            cwd="/",
            stdin=DEVNULL,
            stdout=DEVNULL,
            stderr=complaints.descriptor,
            pass_fds=passed,
            start_new_session=True,
        )
        theirs.close()
        setup = messages.Setup(
            filter=filter_,
            readable=tuple(map(str, _readable(place))),
            uid=config.uid,
            concurrency=config.concurrency,
            timeout_s=config.limits.timeout_s,
            memory_bytes=config.limits.memory_bytes,
            bubblewrap=bwrap is not None,
        )
        try:
            ready = await _send_setup(ours, setup)
        except BaseException as failure:
            ours.close()
            if process.returncode is None:
                process.kill()
            await process.wait()
            if isinstance(failure, OSError):
                raise SandboxUnavailable(complaints.text() or "it ended at once") from failure
            raise
    return ZygoteProcess(process, ours, ready)


async def _send_setup(control: socket.socket, setup: messages.Setup) -> messages.Ready:
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(_START_S):
            await loop.sock_sendall(control, messages.encode(setup))
            packet = await loop.sock_recv(control, messages.MAX_PACKET)
    except TimeoutError:
        raise SandboxUnavailable(f"it was not ready within {_START_S:g} s") from None
    if not packet:
        raise ConnectionResetError("it ended before it was ready")
    return parse_ready(packet)


def parse_ready(packet: bytes) -> messages.Ready:
    """The first packet on a connection."""
    try:
        message = messages.decode_from_zygote(packet)
    except msgspec.MsgspecError as failure:
        raise SandboxUnavailable(f"something else answers there: {packet[:80]!r}") from failure
    match message:
        case messages.Ready(version=messages.VERSION) as ready:
            return ready
        case messages.Unavailable(reason=reason):
            raise SandboxUnavailable(reason)
        case other:
            raise SandboxUnavailable(f"another version of the sandbox answers: {other}")


def _variables(place: Environment) -> dict[str, str]:
    """The whole environment of every program: nothing of ours is inherited."""
    return {
        "HOME": "/nonexistent",
        "PATH": "/nonexistent",
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "LD_LIBRARY_PATH": str(place.shared_libraries),
        "MPLBACKEND": "Agg",
        # A library's own threads would not survive a fork, and a program may not start any.
        **dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
        **{name: os.environ[name] for name in _PASSED_ON if name in os.environ},
    }


def _readable(place: Environment) -> Sequence[Path]:
    """Return the paths that programs may read: their environment, shared libraries, fonts."""
    return [
        path for path in (place.folder, *_system_libraries(), *_FONTS, *_DEVICES) if path.exists()
    ]


def _system_libraries() -> Sequence[Path]:
    """Debian keeps them apart by architecture; elsewhere whole folders have to do."""
    if triplet := sysconfig.get_config_var("MULTIARCH"):
        folders = [Path("/lib", triplet), Path("/usr/lib", triplet)]
        if all(folder.is_dir() for folder in folders):
            return [*folders, Path("/etc/ld.so.cache")]
    return [Path("/lib64"), Path("/usr/lib64"), Path("/lib"), Path("/usr/lib")]


def _namespaces(place: Environment) -> list[str]:
    """bubblewrap's arguments: no network, no other process, no file but what is readable.

    As root it makes them as root, and the zygote drops to its uid inside; otherwise it needs
    unprivileged user namespaces.
    """
    arguments = "--unshare-ipc --unshare-pid --unshare-net --unshare-uts --unshare-cgroup-try"
    arguments += " --hostname sandbox --die-with-parent --as-pid-1 --proc /proc --chdir /"
    arguments += " --cap-drop ALL"
    if os.getuid() == 0:
        arguments += " --cap-add CAP_SETUID --cap-add CAP_SETGID"
    else:
        arguments += " --unshare-user"
    binds = arguments.split()
    for folder in (Path("/lib"), Path("/lib64"), Path("/usr/lib64")):
        if folder.is_symlink():
            binds += ["--symlink", os.readlink(folder), str(folder)]
    paths = dict.fromkeys(path.resolve() for path in (*_readable(place), *_OURS))
    for parent in dict.fromkeys(parent for path in paths for parent in reversed(path.parents)):
        binds += ["--perms", "0755", "--dir", str(parent)]  # else they would be root's alone
    for path in paths:
        binds += ["--dev-bind" if path in _DEVICES else "--ro-bind", str(path), str(path)]
    for loader in (*Path("/lib64").glob("ld-*.so*"), *Path("/lib").glob("ld-*.so*")):
        # The name that is written into every binary; often a link to somewhere else.
        binds += ["--ro-bind", str(loader.resolve()), str(loader.parent.resolve() / loader.name)]
    return binds


class _Complaints:
    """The memory that receives a zygote's standard error, so that nothing has to be cleaned up."""

    def __enter__(self) -> Self:
        self.descriptor = os.memfd_create("zygote-stderr", os.MFD_CLOEXEC)
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.descriptor)

    def text(self) -> str:
        """The last line, which names the reason."""
        lines = os.pread(self.descriptor, 64 << 10, 0).decode("utf-8", "replace").split("\n")
        return next((line for line in reversed(lines) if line.strip()), "")
