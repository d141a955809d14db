"""What a program gets, and what comes back."""

import asyncio
import os
import time

import pytest

from inference.sandbox.client import Sandbox
from inference.sandbox.config import SandboxConfig
from inference.sandbox.result import ProgramRefused, ProgramResult
from tests.inference.sandbox.attacks.run import LIMITS


async def run(config: SandboxConfig, program: str, **options: object) -> ProgramResult:
    async with Sandbox(config) as sandbox:
        return await sandbox.run(program, **options)  # type: ignore[arg-type]


async def test_the_last_expression_is_the_value(service: SandboxConfig) -> None:
    result = await run(service, "from sympy import *\nx = symbols('x')\nsolve(x**2 - 2, x)")

    assert result.ok
    assert result.value == "[-sqrt(2), sqrt(2)]"
    assert result.stdout == result.stderr == ""
    assert result.duration_ms > 0


async def test_output_streams_while_the_program_runs(service: SandboxConfig) -> None:
    seen: list[tuple[str, float]] = []
    program = "import time\nprint('first')\ntime.sleep(0.5)\nprint('second, 二')"

    result = await run(service, program, on_output=lambda t: seen.append((t, time.monotonic())))

    assert result.stdout == "first\nsecond, 二\n"
    assert [text for text, _ in seen] == ["first\n", "second, 二\n"]
    assert seen[1][1] - seen[0][1] > 0.3


async def test_a_traceback_shows_the_programs_own_frames(service: SandboxConfig) -> None:
    program = "import json\ndef read(text):\n    return json.loads(text)\nread('{')"

    result = await run(service, program)

    assert result.status == "error"
    assert result.stderr.startswith("Traceback (most recent call last):\n")
    assert 'File "<program>", line 3, in read\n    return json.loads(text)' in result.stderr
    assert "json.decoder.JSONDecodeError" in result.stderr
    assert "decoder.py" not in result.stderr
    assert "sandbox" not in result.stderr


async def test_a_syntax_error_points_at_the_place(service: SandboxConfig) -> None:
    result = await run(service, "x = (1\ny = 2")

    assert result.status == "error"
    assert 'File "<program>", line 1' in result.stderr
    assert "SyntaxError" in result.stderr


@pytest.mark.parametrize(
    ("program", "status", "words"),
    [
        ("exit()", "ok", ""),
        ("import sys; sys.exit(3)", "error", "SystemExit: 3"),
        ("import os; os._exit(4)", "error", "exit code 4"),
        ("import ctypes; ctypes.string_at(0)", "error", "SIGSEGV"),
        ("import warnings; warnings.warn('careful')", "ok", "UserWarning: careful"),
        ("input('name?')", "error", "EOFError"),
        ("bytes(1 << 40)", "memory", "MemoryError"),
        ("", "ok", ""),
    ],
)
async def test_every_end_has_its_status(
    service: SandboxConfig, program: str, status: str, words: str
) -> None:
    result = await run(service, program)

    assert result.status == status
    assert words in result.stderr


async def test_figures_are_shown_once_in_order(service: SandboxConfig) -> None:
    program = """
import matplotlib.pyplot as plt
plt.figure(figsize=(1, 2)); plt.plot([1, 2]); plt.savefig('first.png'); plt.close()
plt.figure(figsize=(3, 1)); plt.title('图 $x^2$'); plt.show()
plt.figure(figsize=(2, 2)); plt.plot([3])
"""
    result = await run(service, program)

    assert result.ok
    assert [(f.width, f.height) for f in result.figures] == [(100, 200), (300, 100), (200, 200)]
    assert result.value is None


async def test_a_character_is_looked_for_in_every_font(service: SandboxConfig) -> None:
    """As Chinese is, which the first one lacks; where a machine has no other, none is missing."""
    program = """
from matplotlib import rcParams, font_manager
found = font_manager.fontManager._find_fonts_by_props(font_manager.FontProperties())
len(found) == len(rcParams['font.sans-serif'])
"""
    assert (await run(service, program)).value == "True"


@pytest.mark.parametrize(
    "setup",
    [
        "plt.switch_backend('Agg')",
        "plt.switch_backend('TkAgg')",
        "plt.switch_backend(newbackend='svg')",
        "import matplotlib; matplotlib.use('Agg')",
        "import matplotlib; matplotlib.use('Qt5Agg', force=True)",
        "plt.ion()",
        "plt.style.use('ggplot')",
        "plt.style.use('seaborn-whitegrid')",
        "plt.style.use('default'); plt.title('图')",
        "plt.rcdefaults(); plt.title('图')",
        "plt.rcParams['font.sans-serif'] = ['SimHei']; plt.title('图')",
        "plt.rcParams.update({'font.family': 'Microsoft YaHei', 'axes.unicode_minus': False})",
    ],
)
async def test_what_programs_say_of_their_surroundings_first_is_no_fault(
    service: SandboxConfig, setup: str
) -> None:
    drawn = "plt.plot([-1, 2])\nplt.pause(0.1)\nplt.show()"
    result = await run(service, f"import matplotlib.pyplot as plt\n{setup}\n{drawn}")
    assert (result.status, len(result.figures), result.stderr) == ("ok", 1, "")


async def test_a_large_figure_is_drawn_smaller(service: SandboxConfig) -> None:
    program = "import matplotlib.pyplot as plt\nplt.figure(figsize=(60, 40))\nplt.show()"

    (figure,) = (await run(service, program)).figures

    assert LIMITS.figure_pixels * 0.9 < figure.width * figure.height <= LIMITS.figure_pixels


async def test_given_files_are_read_by_name(service: SandboxConfig) -> None:
    program = """
import csv, os, pathlib
import numpy as np
with open('data.csv') as one, open('./data.csv') as two:  # each has a position of its own
    print(one.readline() == two.readline())
print(np.loadtxt('data.csv', delimiter=',').sum(), np.fromfile('raw.bin', dtype='u1').sum())
print(os.listdir(), os.path.exists('data.csv'), os.path.exists('other.csv'))
print(len(pathlib.Path('data.csv').read_text()), os.path.getsize('raw.bin'))
print(list(csv.reader(open('data.csv'))))
"""
    result = await run(service, program, files={"data.csv": b"1,2\n3,4\n", "raw.bin": b"\1\2"})

    assert result.stdout.splitlines() == [
        "True",
        "10.0 3",
        "['data.csv', 'raw.bin'] True False",
        "8 2",
        "[['1', '2'], ['3', '4']]",
    ], result.stderr


@pytest.mark.parametrize(
    ("program", "files"),
    [
        ("#" * (LIMITS.program_bytes + 1), {}),
        ("", {"big": bytes(LIMITS.file_bytes + 1)}),
        ("", {str(n): b"" for n in range(LIMITS.files + 1)}),
        ("", {"../up": b""}),
        ("", {"nul\0": b""}),
        ("", {"..": b""}),
        ("", {"": b""}),
        ("", {"\ud800": b""}),
        ("", {"two\nlines": b""}),
        ("", {"é" * 128: b""}),
    ],
)
async def test_what_is_outside_the_limits_is_refused(
    service: SandboxConfig, program: str, files: dict[str, bytes]
) -> None:
    with pytest.raises(ProgramRefused):
        await run(service, program, files=files)


async def test_a_timeout_keeps_what_was_written(service: SandboxConfig) -> None:
    started = time.monotonic()
    result = await run(service, "print('so far')\nwhile True: pass", timeout_s=0.5)

    assert (result.status, result.stdout) == ("timeout", "so far\n")
    assert time.monotonic() - started < 3


async def test_too_much_output_is_kept_up_to_the_limit(service: SandboxConfig) -> None:
    result = await run(service, "while True: print('x' * 999)")

    assert result.status == "output_limit"
    assert len(result.stdout) == LIMITS.output_bytes


async def test_cancelling_kills_the_program_at_once(service: SandboxConfig) -> None:
    async with Sandbox(service) as sandbox:
        started = asyncio.Event()
        task = asyncio.create_task(
            sandbox.run("print(1)\nwhile True: pass", on_output=lambda _: started.set())
        )
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        # All slots are free again: this many run side by side.
        again = [sandbox.run("1") for _ in range(service.concurrency)]
        results = await asyncio.wait_for(asyncio.gather(*again), 10)

    assert all(result.ok for result in results)


async def test_an_error_of_the_listener_is_the_callers(service: SandboxConfig) -> None:
    def broken(_: str) -> None:
        raise RuntimeError("listener")

    async with Sandbox(service) as sandbox:
        with pytest.raises(RuntimeError, match="listener"):
            await sandbox.run("print(1)\nwhile True: pass", on_output=broken)
        assert (await sandbox.run("6 * 7")).value == "42"


async def test_programs_wait_for_a_slot_in_order(service: SandboxConfig) -> None:
    order: list[int] = []

    async def one(sandbox: Sandbox, number: int) -> None:
        await sandbox.run("import time; time.sleep(0.1)")
        order.append(number)

    single = SandboxConfig(socket=service.socket, limits=LIMITS, concurrency=1)
    async with Sandbox(single) as sandbox, asyncio.TaskGroup() as group:
        for number in range(5):
            group.create_task(one(sandbox, number))

    assert order == [0, 1, 2, 3, 4]


async def test_a_busy_client_does_not_starve_another(service: SandboxConfig) -> None:
    """The service takes its clients in turn, however many programs one has waiting."""
    greedy = SandboxConfig(socket=service.socket, limits=LIMITS, concurrency=32)
    async with Sandbox(greedy) as many, Sandbox(service) as other:
        crowd = [asyncio.create_task(many.run("import time; time.sleep(0.3)")) for _ in range(32)]
        await asyncio.sleep(0.1)  # they are waiting at the service now
        started = time.monotonic()
        await other.run("1")
        waited = time.monotonic() - started
        unfinished = sum(not task.done() for task in crowd)
        await asyncio.gather(*crowd)

    assert unfinished > 16, waited


async def test_descriptors_are_given_back(service: SandboxConfig) -> None:
    async with Sandbox(service) as sandbox:
        await sandbox.run("1", files={"a": b"1"})
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(20):
            await sandbox.run("1", files={"a": b"1"})
        assert len(os.listdir("/proc/self/fd")) == before
