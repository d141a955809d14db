"""llama.cpp's own server with a small real model, as a process that can be killed."""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from inference.models import gguf as models

SERVE = """
import sys, xllamacpp
wanted = xllamacpp.CommonParams()
wanted.model.path, wanted.hostnames, wanted.port = sys.argv[1], ["127.0.0.1"], int(sys.argv[2])
wanted.n_ctx, wanted.n_parallel, wanted.warmup = 1024, 2, False  # 512 tokens for each
wanted.cpuparams.n_threads = wanted.cpuparams_batch.n_threads = 1
if sys.argv[3]:  # it sees, and has a context for pictures
    wanted.mmproj.path, wanted.mmproj_use_gpu = sys.argv[3], False
    wanted.n_ctx, wanted.n_parallel = 4096, 1
wanted.cpuparams.poll = 0  # leaves the processor to others while it waits
server = xllamacpp.Server(wanted)
print(server.listening_address, flush=True)
sys.stdin.read()
"""


def gguf() -> Path:
    """SmolLM2 as its package carries it."""
    return models.pull("SmolLM2-135M-Instruct")


@asynccontextmanager
async def serving(
    port: int = 0, *, tower: Path | None = None
) -> AsyncIterator[tuple[str, Process]]:
    """Its address and its process. With `tower` it sees."""
    path = await asyncio.to_thread(gguf)
    command = (sys.executable, "-c", SERVE, str(path), str(port), str(tower or ""))
    process = await asyncio.create_subprocess_exec(
        *command, stdin=PIPE, stdout=PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(60):
            address = (await process.stdout.readline()).decode().strip()
        assert address, "xllamacpp did not start"
        yield address, process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()
