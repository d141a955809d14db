"""What holds on this machine: a table for the operator."""

import asyncio
import os
import platform
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from rich.console import Console
from rich.table import Table

from inference.sandbox import environment, seccomp
from inference.sandbox.client import Sandbox
from inference.sandbox.config import SandboxConfig
from inference.sandbox.errors import SandboxUnavailable
from inference.sandbox.inside import landlock


@dataclass(frozen=True, slots=True)
class Finding:
    layer: str
    holds: bool
    detail: str
    needed: bool = True


def check(config: SandboxConfig) -> int:
    """Print the table; 0 where programs can run, 1 where they cannot."""
    findings = [*_before(config), *asyncio.run(_by_running(config))]
    Console().print(_table(findings))
    return 0 if all(finding.holds for finding in findings if finding.needed) else 1


def _before(config: SandboxConfig) -> Iterator[Finding]:
    yield Finding(
        "kernel", platform.system() == "Linux", f"{platform.release()}, {os.uname().machine}"
    )
    version = landlock.abi()
    yield Finding(
        "Landlock", version > 0, f"ABI {version}" if version else "missing, or off at boot"
    )
    yield _tried(
        "seccomp", lambda: f"a filter of {len(seccomp.compile_filter()) // 8} instructions"
    )
    yield _tried("environment", lambda: str(environment.ensure(config.environment).folder))
    uid = os.getuid()
    yield Finding(
        "user", True, f"programs run as uid {uid or config.uid}" + (", we are root" * (not uid))
    )
    path = shutil.which("bwrap")
    yield Finding("bubblewrap", path is not None, path or "not installed", needed=False)


def _tried(layer: str, attempt: Callable[[], str]) -> Finding:
    try:
        return Finding(layer, True, attempt())
    except SandboxUnavailable as missing:
        return Finding(layer, False, missing.reason)


async def _by_running(config: SandboxConfig) -> list[Finding]:
    """What counts in the end: a program that runs, with and without the added layer."""
    if config.socket:
        return [await _program("a program, by the service", config, needed=True)]
    required = config.bubblewrap == "require"
    bare = replace(config, bubblewrap="off")
    findings = [await _program("a program, alone", bare, needed=not required)]
    if config.bubblewrap != "off":
        wrapped = replace(config, bubblewrap="require")
        findings.append(await _program("a program, in bubblewrap", wrapped, needed=required))
    return findings


async def _program(what: str, config: SandboxConfig, *, needed: bool) -> Finding:
    started = time.perf_counter()
    try:
        async with Sandbox(config) as sandbox:
            ready_s = time.perf_counter() - started
            result = await sandbox.run("6 * 7")
    except SandboxUnavailable as missing:
        return Finding(what, False, missing.reason, needed)
    detail = f"ready in {ready_s:.1f} s, ran in {result.duration_ms:.0f} ms"
    return Finding(what, result.value == "42", detail, needed)


def _table(findings: list[Finding]) -> Table:
    table = Table("Layer", "Holds", "What was found", title="Sandbox for model programs")
    for finding in findings:
        word = "yes" if finding.holds else "NO" if finding.needed else "no (added layer)"
        table.add_row(finding.layer, word, finding.detail)
    return table
