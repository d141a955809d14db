"""Runs every attack on a sandbox's service, and judges what it got.

`python -m tests.inference.sandbox.attacks.run SOCKET` runs them beside the service, as in its
container, and prints what got through.
"""

import asyncio
import os
import sys
from pathlib import Path

from inference.sandbox import interpreter
from inference.sandbox.client import Sandbox
from inference.sandbox.config import MIB, OWN_UID, Limits, SandboxConfig
from inference.sandbox.result import ProgramResult
from tests.inference.sandbox.attacks.table import ATTACKS, BREACH, SLIPS, Attack, Targets
from tests.inference.sandbox.attacks.targets import open_targets

LIMITS = Limits(
    timeout_s=20,
    memory_bytes=64 * MIB,
    output_bytes=64 << 10,
    figures=4,
    figure_pixels=1_000_000,
)
SHORT_TIMEOUT_S = 0.7  # for programs that are to run out of time


async def run_attacks(config: SandboxConfig, targets: Targets) -> dict[str, ProgramResult]:
    """Run them all, as many at once as the service takes."""
    async with Sandbox(config) as sandbox:
        results = await asyncio.gather(
            *(
                sandbox.run(
                    attack.source(targets),
                    files={"data.csv": b"1,2"},
                    timeout_s=SHORT_TIMEOUT_S if "timeout" in attack.ends else None,
                )
                for attack in ATTACKS.values()
            )
        )
    return dict(zip(ATTACKS, results, strict=True))


def find_fault(attack: Attack, result: ProgramResult, *, alone: bool) -> str | None:
    """Return what an attack got, or why it proves nothing. `alone`: without bubblewrap."""
    if attack.leaks_alone and alone:
        closed = BREACH not in result.stdout
        return "a documented leak is closed: update the table and docs" if closed else None
    if BREACH in result.stdout:
        return result.stdout
    if attack.ends and result.status not in attack.ends:
        return f"it ended with {result.status}: {result.stderr[-300:]}"
    if attack.value is not None and result.value != attack.value:
        return f"its value is {result.value!r}"
    last_line = (result.stderr.strip().splitlines() or [""])[-1]
    if last_line.startswith(SLIPS):
        return f"the attack never happened: {last_line}"
    return None if _is_within_limits(result) else "its output is over the limits"


def _is_within_limits(result: ProgramResult) -> bool:
    text = result.stdout + result.stderr + (result.value or "")
    return (
        len(text.encode()) <= LIMITS.output_bytes + 100  # and our own last words
        and len(result.figures) <= LIMITS.figures
        and all(f.width * f.height <= LIMITS.figure_pixels for f in result.figures)
    )


async def main(socket: Path) -> int:
    programs = interpreter.ensure(None)
    secret = f"canary-{os.urandom(8).hex()}"
    config = SandboxConfig(socket=socket, limits=LIMITS)
    with open_targets(programs, os.getuid() or OWN_UID, secret) as targets:
        results = await run_attacks(config, targets)
    faults = {
        name: fault
        for name, attack in ATTACKS.items()
        if (fault := find_fault(attack, results[name], alone=True))
    }
    for name, fault in faults.items():
        print(f"{name}: {fault}", file=sys.stderr)
    print(f"attacks={len(ATTACKS)} through={len(faults)}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(Path(sys.argv[1]))))
