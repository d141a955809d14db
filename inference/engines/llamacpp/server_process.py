"""Starts llama.cpp's server and ends it."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import msgspec

from inference.engines.base import CannotLoad
from inference.engines.llamacpp import server_main

# All else stays here, secrets above all.
PASSED_ON = ("HOME", "LANG", "LD_LIBRARY_PATH", "PATH", "PYTHONPATH", "VIRTUAL_ENV")
# Threads that wait for each other soon sleep. They spin for long by themselves, which gains nothing
# where they are alone, and costs most of the tokens where others want the processors too.
WAITING = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "1000"}


@asynccontextmanager
async def run_server(plan: server_main.ServerPlan) -> AsyncIterator[Process]:
    """A server that answers; ended on leaving. Raises CannotLoad with what it said last."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", server_main.__name__),
        env=environment(os.environ),
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
        start_new_session=True,  # Ctrl-C stops an answer, not the server
    )
    said: deque[str] = deque(maxlen=1)
    listening = asyncio.create_task(_keep_last(process.stderr, said))
    try:
        await _begin(process, plan, said)
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await listening


async def _begin(process: Process, plan: server_main.ServerPlan, said: deque[str]) -> None:
    assert process.stdin is not None  # noqa: S101  (they are pipes)
    assert process.stdout is not None  # noqa: S101
    process.stdin.write(msgspec.json.encode(plan) + b"\n")
    if not await process.stdout.readline():
        await process.wait()
        reason = "".join(said) or f"exit code {process.returncode}"
        raise CannotLoad(f"llama.cpp cannot serve {plan.path}: {reason}")


async def _keep_last(stream: asyncio.StreamReader | None, said: deque[str]) -> None:
    assert stream is not None  # noqa: S101
    while line := await stream.readline():
        said.append(line.decode(errors="replace").strip())


def environment(ours: Mapping[str, str]) -> dict[str, str]:
    return WAITING | {name: ours[name] for name in PASSED_ON if name in ours}
