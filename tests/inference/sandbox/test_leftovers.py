"""SIGKILL anything, at any time: nothing runs on, and the next program runs."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from inference.sandbox.client import Sandbox
from inference.sandbox.config import SandboxConfig
from inference.sandbox.interpreter import Environment
from inference.sandbox.result import SandboxUnavailable
from tests.inference.sandbox.attacks.run import LIMITS
from tests.inference.sandbox.support import (
    alive,
    bubblewrap_starts,
    descendants,
    service_at,
    wait_for,
)
from tests.inference.support import until

BUBBLEWRAP = ["off", "require"] if bubblewrap_starts() else ["off"]
ENDLESS = "print('running', flush=True)\nwhile True: pass"

CLIENT = f"""
import asyncio
from inference.sandbox.client import Sandbox
from inference.sandbox.config import SandboxConfig
async def main():
    async with Sandbox(SandboxConfig(bubblewrap="off")) as sandbox:
        await sandbox.run({ENDLESS!r}, on_output=lambda text: print(text, flush=True))
asyncio.run(main())
"""


async def test_when_the_client_is_killed(programs: Environment) -> None:
    assert programs.is_current()
    project = Path(__file__).parents[3]
    client = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", CLIENT), cwd=project, stdout=subprocess.PIPE
    )
    assert client.stdout is not None
    assert await client.stdout.readline() == b"running\n"
    family = descendants(client.pid)
    client.kill()
    await client.wait()

    assert len(family) >= 2  # the zygote and the program, at least
    await until(lambda: not alive(family), within_s=5)


@pytest.mark.parametrize("bubblewrap", BUBBLEWRAP)
async def test_when_anything_below_the_client_is_killed(
    bubblewrap: str, programs: Environment
) -> None:
    """The zygote, the program, bubblewrap: each in turn, and a fresh zygote every time."""
    assert programs.is_current()
    others = descendants(os.getpid())
    seen: set[int] = set()
    config = SandboxConfig(bubblewrap=bubblewrap, limits=LIMITS)  # type: ignore[arg-type]
    async with Sandbox(config) as sandbox:
        # Bubblewrap where it is used, the zygote, the program, the next one's process.
        for turn in range(3 + (bubblewrap != "off")):
            run = await _running(sandbox)
            family = sorted(alive(descendants(os.getpid()) - others))
            os.kill(family[turn % len(family)], signal.SIGKILL)
            await asyncio.wait([run], timeout=1)
            run.cancel()
            await asyncio.gather(run, return_exceptions=True)
            assert (await sandbox.run("6 * 7")).value == "42"
            seen |= set(family)
    assert len(seen) >= 4
    await until(lambda: not alive(seen), within_s=5)


async def _running(sandbox: Sandbox) -> "asyncio.Task[object]":
    started = asyncio.Event()
    run: asyncio.Task[object] = asyncio.create_task(
        sandbox.run(ENDLESS, on_output=lambda _: started.set())
    )
    await started.wait()
    return run


async def test_when_the_service_is_killed(programs: Environment, tmp_path: Path) -> None:
    assert programs.is_current()
    path = tmp_path / "socket"
    config = SandboxConfig(socket=path, limits=LIMITS)
    with service_at(path, "auto") as service:
        await asyncio.to_thread(wait_for, path, service)
        async with Sandbox(config) as sandbox:
            started = asyncio.Event()
            run = asyncio.create_task(sandbox.run(ENDLESS, on_output=lambda _: started.set()))
            await started.wait()
            family = descendants(service.pid)
            service.kill()
            result = await asyncio.wait_for(run, 5)
            await until(lambda: not alive(family), within_s=5)
            with pytest.raises(SandboxUnavailable):
                await sandbox.run("1")

            service.wait()
            with service_at(path, "auto") as another:
                await until(lambda: _answers(path), within_s=60)
                assert (await sandbox.run("6 * 7")).value == "42"
                another.terminate()
                await asyncio.to_thread(another.wait, 5)

    assert result.status == "killed"
    assert not path.exists()


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as probe:
        return probe.connect_ex(str(path)) == 0


async def test_a_client_of_the_service_that_goes_takes_its_programs_along(
    service: SandboxConfig,
) -> None:
    async with Sandbox(service) as leaving:
        started = asyncio.Event()
        run = asyncio.create_task(leaving.run(ENDLESS, on_output=lambda _: started.set()))
        await started.wait()
    assert (await run).status == "killed"

    async with Sandbox(service) as other:
        results = await asyncio.gather(*(other.run("1") for _ in range(service.concurrency)))
    assert all(result.ok for result in results)
