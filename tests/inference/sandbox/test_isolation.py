"""One program leaves nothing to the next, and nothing to the one beside it."""

import asyncio
import json
import subprocess
from pathlib import Path

import pytest

from inference.sandbox.client import Sandbox
from inference.sandbox.config import SandboxConfig
from inference.sandbox.interpreter import Environment
from tests.inference.sandbox.attacks import controls

# What the first does, and how the second would notice: it prints LEFT.
LEFTOVERS = {
    "a builtin": ("import builtins; builtins.len = lambda _: 7", "if len('') == 7: print('LEFT')"),
    "a module": ("import sys; sys.modules['left'] = sys", "import left; print('LEFT')"),
    "a patched library": (
        "import sympy; sympy.solve = None",
        "import sympy\nif sympy.solve is None: print('LEFT')",
    ),
    "the environment": (
        "import os; os.environ['LEFT'] = '1'",
        "import os\nif 'LEFT' in os.environ: print('LEFT')",
    ),
    "a global": ("left = 1", "print('LEFT' if left else '')"),
    "matplotlib's settings": (
        "import matplotlib; matplotlib.rcParams['figure.dpi'] = 7",
        "import matplotlib\nif matplotlib.rcParams['figure.dpi'] == 7: print('LEFT')",
    ),
    "a figure": (
        "import matplotlib.pyplot as p; p.figure(77); p.show = print",
        "import matplotlib.pyplot as p\nif 77 in p.get_fignums(): print('LEFT')",
    ),
    "sympy's cache": (
        "import sympy; sympy.S.left = 1",
        "import sympy\nif sympy.S.left: print('LEFT')",
    ),
    "a recursion limit": (
        "import sys; sys.setrecursionlimit(77)",
        "import sys\nif sys.getrecursionlimit() == 77: print('LEFT')",
    ),
    "a signal handler": (
        "import signal; signal.signal(signal.SIGALRM, signal.SIG_IGN)",
        "import signal\nif signal.getsignal(signal.SIGALRM) == signal.SIG_IGN: print('LEFT')",
    ),
    "flags of an inherited file": (
        "import fcntl, os; fcntl.fcntl(0, fcntl.F_SETFL, os.O_NONBLOCK)",
        "import fcntl, os\nif fcntl.fcntl(0, fcntl.F_GETFL) & os.O_NONBLOCK: print('LEFT')",
    ),
    "an open descriptor": (
        "import os; os.dup2(0, 50)",
        "import os\nos.fstat(50); print('LEFT')",
    ),
}


@pytest.mark.parametrize("what", LEFTOVERS)
async def test_the_next_program_finds_nothing_of_the_last(
    what: str, service: SandboxConfig
) -> None:
    first, second = LEFTOVERS[what]
    async with Sandbox(service) as sandbox:
        assert (await sandbox.run(first)).ok
        result = await sandbox.run(second)

    assert "LEFT" not in result.stdout


@pytest.fixture(scope="session")
def in_one_process(programs: Environment) -> dict[str, str]:
    """Both programs one after the other, in a fork of an interpreter with the same libraries."""
    script = f"import sys; sys.path.append({str(programs.packages)!r})\n"
    script += "import sympy, matplotlib; matplotlib.use('Agg')\n"
    script += Path(controls.__file__).read_text("utf-8")
    done = subprocess.run(
        [str(programs.interpreter), "-I", "-S", "-c", script],
        input=json.dumps({what: "\n".join(pair) for what, pair in LEFTOVERS.items()}),
        env={"LD_LIBRARY_PATH": str(programs.shared_libraries), "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    outputs: dict[str, str] = json.loads(done.stdout)
    return outputs


@pytest.mark.parametrize("what", LEFTOVERS)
def test_in_one_process_it_would(what: str, in_one_process: dict[str, str]) -> None:
    assert "LEFT" in in_one_process[what]


async def test_random_numbers_differ_between_programs(service: SandboxConfig) -> None:
    program = "import random, numpy\nrandom.random(), numpy.random.rand(), id(object())"
    async with Sandbox(service) as sandbox:
        values = [(await sandbox.run(program)).value for _ in range(3)]

    first, second = (
        {str(value).strip("()").split(", ")[index] for value in values} for index in (0, 1)
    )
    assert len(first) == len(second) == 3


async def test_a_program_cannot_reach_the_one_beside_it(service: SandboxConfig) -> None:
    """They have the same user, and both are children of the zygote."""
    spy = """
import os, signal
for pid in range(max(1, @near@ - 60), @near@ + 60):
    if pid == os.getpid(): continue
    for attempt in (
        lambda: os.kill(pid, 0),
        lambda: open(f'/proc/{pid}/environ'),
        lambda: os.listdir(f'/proc/{pid}/fd'),
        lambda: os.readlink(f'/proc/{pid}/fd/3'),
        lambda: os.pidfd_open(pid),
        lambda: open(f'/proc/{pid}/mem', 'rb'),
    ):
        try: attempt(); print('BREACH', pid)
        except OSError: pass
"""
    started: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    program = "import os, time; print(os.getpid()); time.sleep(20)"
    async with Sandbox(service) as sandbox:
        victim = asyncio.create_task(
            sandbox.run(program, files={"private": b"secret"}, on_output=started.set_result)
        )
        pid = (await started).strip()
        result = await sandbox.run(spy.replace("@near@", pid))
        victim.cancel()

    assert result.ok, result.stderr
    assert "BREACH" not in result.stdout
