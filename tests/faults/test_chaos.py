"""A seed of `make chaos` that fits the suite."""

import re
import sys
from asyncio import create_subprocess_exec
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path

SECONDS = 15


async def test_chaos_loses_doubles_and_reorders_nothing(tmp_path: Path) -> None:
    command = ("-m", "tests.faults.chaos", "--seconds", str(SECONDS), "--seed", "7")
    chaos = await create_subprocess_exec(
        sys.executable, *command, "--folder", str(tmp_path), stdout=PIPE, stderr=STDOUT
    )
    output = (await chaos.communicate())[0].decode()
    assert chaos.returncode == 0, output
    found = re.fullmatch(
        r"chaos: jobs=(\d+) faults=(\d+) lost=0 doubled=0 reordered=0 fenced=(\d+)",
        output.splitlines()[-1],
    )
    assert found, output
    jobs, faults, fenced = map(int, found.groups())
    assert jobs > SECONDS, output
    assert faults > SECONDS / 3, output
    assert fenced > 0, output
