"""Measures the time of a program here, beside a new `python -c` for each."""

import asyncio
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from functools import partial

from inference.sandbox.client import Sandbox
from inference.sandbox.config import SandboxConfig

_ROUNDS = 40
_PROGRAMS = {
    "nothing": "pass",
    "linear": "from sympy import *\nx = symbols('x')\nprint(solve(4*x + 9 - 35, x))",
    "quadratic": "from sympy import *\nx = symbols('x')\nprint(solve(2*x**2 + 3*x - 10, x))",
    "plot": (
        "import numpy as np, matplotlib.pyplot as plt\n"
        "x = np.linspace(0, 6, 200)\nplt.plot(x, np.sin(x))\nplt.show()"
    ),
}


async def bench(config: SandboxConfig) -> None:
    """Print milliseconds. Run it on an idle machine."""
    started = time.perf_counter()
    async with Sandbox(config) as sandbox:
        bubblewrap = sandbox.ready is not None and sandbox.ready.bubblewrap
        print(f"cold start {time.perf_counter() - started:.2f} s, bubblewrap: {bubblewrap}")
        print(f"{'':28}{'p50':>8}{'p95':>8}   milliseconds")
        for name, program in _PROGRAMS.items():
            _line(name, await _times(partial(sandbox.run, program), at_once=1))
        for name in ("linear", "quadratic"):
            program = _PROGRAMS[name]
            _line(f"8 at once, {name}", await _times(partial(sandbox.run, program), at_once=8))
    for name in ("linear", "quadratic"):
        fresh = await _times(partial(_python, _PROGRAMS[name]), at_once=1, rounds=5)
        _line(f"python -c, {name}", fresh)


async def _times(
    run: Callable[[], Awaitable[object]], *, at_once: int, rounds: int = _ROUNDS
) -> list[float]:
    async def time_run() -> float:
        started = time.perf_counter()
        await run()
        return (time.perf_counter() - started) * 1000

    times: list[float] = []
    for _ in range(max(1, rounds // at_once)):
        times += await asyncio.gather(*(time_run() for _ in range(at_once)))
    return times


async def _python(program: str) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdout=asyncio.subprocess.DEVNULL
    )
    await process.wait()


def _line(name: str, times: list[float]) -> None:
    *_, p95 = statistics.quantiles(times, n=20)
    print(f"{name:28}{statistics.median(times):8.1f}{p95:8.1f}")
