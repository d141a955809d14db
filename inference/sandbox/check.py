"""Checks each layer of the sandbox on this machine and says what to do where one is missing."""

import asyncio
import os
import platform
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from common.confinement import landlock, seccomp
from common.confinement.landlock import ConfinementError
from common.doctor_report import Finding, fault, good, print_report, warning
from inference.sandbox import interpreter
from inference.sandbox.client import Sandbox
from inference.sandbox.config import SandboxConfig
from inference.sandbox.result import SandboxUnavailable

KERNEL = "Run the worker on Linux 5.13 or newer, as a host, a VM or Docker's default profile gives"
TODO = {
    "kernel": KERNEL,
    "Landlock": f"{KERNEL}; where it is off: lsm=landlock,… on the kernel's command line",
    "seccomp": "Install libseccomp2, and the extra `sandbox`",
    "environment": "Install the extra `sandbox`; then: python -m inference.sandbox install",
    "program": "Without it programs are refused and /solve is off; see the other lines",
    "service": "python -m inference.sandbox serve --socket PATH, beside this worker",
    "bubblewrap": "It hides other files' names: apt install bubblewrap; needs user namespaces",
}


def check(config: SandboxConfig) -> int:
    """Print what was found; 0 where programs can run, 1 where they cannot."""
    return print_report(asyncio.run(findings(config)))


async def findings(config: SandboxConfig) -> list[Finding]:
    """Check each layer, and run programs to prove the whole."""
    before = [] if config.socket else await asyncio.to_thread(lambda: list(_layers(config)))
    return [*before, *await _by_running(config)]


def _layers(config: SandboxConfig) -> Iterator[Finding]:
    yield _create_finding(
        "kernel", platform.system() == "Linux", f"{platform.release()}, {os.uname().machine}"
    )
    version = landlock.get_abi_version()
    yield _create_finding(
        "Landlock", version > 0, f"ABI {version}" if version else "missing, or off at boot"
    )
    yield _try_layer(
        "seccomp", lambda: f"a filter of {len(seccomp.compile_filter()) // 8} instructions"
    )
    yield _try_layer("environment", lambda: str(interpreter.ensure(config.environment).folder))
    uid = os.getuid()
    became = f"programs run as uid {uid or config.uid}" + (", we are root" * (not uid))
    yield good("sandbox: user", became)


def _create_finding(layer: str, holds: bool, detail: str, *, needed: bool = True) -> Finding:
    what, todo = f"sandbox: {layer}", TODO[layer.replace(",", "").split()[0]]
    if holds:
        return good(what, detail)
    return (fault if needed else warning)(what, detail, todo)


def _try_layer(layer: str, attempt: Callable[[], str]) -> Finding:
    try:
        return _create_finding(layer, True, attempt())
    except SandboxUnavailable as missing:
        return _create_finding(layer, False, missing.reason)
    except ConfinementError as missing:
        return _create_finding(layer, False, str(missing))


async def _by_running(config: SandboxConfig) -> list[Finding]:
    """Check by running a program, with and without the added layer."""
    if config.socket:
        return [await _program("service, and a program by it", config, needed=True)]
    required = config.bubblewrap == "require"
    bare = replace(config, bubblewrap="off")
    found = [await _program("program", bare, needed=not required)]
    if config.bubblewrap == "off":
        return found
    if not shutil.which("bwrap"):
        return [*found, _create_finding("bubblewrap", False, "not installed", needed=required)]
    wrapped = replace(config, bubblewrap="require")
    return [*found, await _program("bubblewrap, and a program in it", wrapped, needed=required)]


async def _program(layer: str, config: SandboxConfig, *, needed: bool) -> Finding:
    started = time.perf_counter()
    try:
        async with Sandbox(config) as sandbox:
            ready_s = time.perf_counter() - started
            result = await sandbox.run("6 * 7")
    except SandboxUnavailable as missing:
        return _create_finding(layer, False, missing.reason, needed=needed)
    detail = f"ready in {ready_s:.1f} s, ran in {result.duration_ms:.0f} ms"
    return _create_finding(layer, result.value == "42", detail, needed=needed)
