"""The table of attacks, confined and, as a control, not."""

import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from inference.sandbox.client import Sandbox
from inference.sandbox.config import SandboxConfig
from inference.sandbox.interpreter import Environment
from inference.sandbox.result import ProgramResult
from tests.inference.sandbox.attacks import controls
from tests.inference.sandbox.attacks.table import ATTACKS, BREACH, CONTROLLED, SLIPS, Targets
from tests.inference.sandbox.support import LAYERS, LIMITS, Layer

_VICTIM = """
import ctypes, time
memory = ctypes.create_string_buffer(b"12345678")
ctypes.CDLL(None).prctl(0x59616D61, ctypes.c_long(-1))  # Yama: anybody may trace me
print(ctypes.addressof(memory), flush=True)
time.sleep(600)
"""
_LONG_S = 1.5
_SHORT_TIMEOUT_S = 0.7  # for programs that are to run out of time


@pytest.fixture(scope="session")
def targets(
    programs: Environment,
    program_uid: int,
    secret: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Targets]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(_open_to_all()))
        file, writable = folder / "file", folder / "writable"
        file.write_text(secret)
        writable.write_text("something")
        file.chmod(0o644)
        writable.chmod(0o666)
        victim = stack.enter_context(_victim(programs, program_uid, secret))
        assert victim.stdout is not None
        tcp = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        by_path = stack.enter_context(_unix(str(folder / "socket")))
        (folder / "socket").chmod(0o777)
        abstract = f"sandbox-test-{os.getpid()}"
        stack.enter_context(_unix(f"\0{abstract}"))
        yield Targets(
            secret=secret,
            file=str(file),
            writable=str(writable),
            folder=str(folder),
            victim=victim.pid,
            address=int(victim.stdout.readline()),
            tcp=tcp.getsockname()[1],
            unix=str(by_path.getsockname()),
            abstract=abstract,
            host=socket.gethostname(),
            project=str(Path(__file__).parents[3]),
            packages=str(Path(pytest.__file__).parents[1]),
            long=_LONG_S,
        )


@contextmanager
def _open_to_all() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="sandbox-attacks-") as folder:
        Path(folder).chmod(0o777)
        yield folder


@contextmanager
def _unix(name: str) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(name)
        listener.listen()
        yield listener


@contextmanager
def _victim(programs: Environment, uid: int, secret: str) -> Iterator["subprocess.Popen[str]"]:
    with _as_programs(programs, uid, ["-c", _VICTIM], secret=secret) as victim:
        try:
            yield victim
        finally:
            victim.kill()


def _as_programs(
    programs: Environment,
    uid: int,
    arguments: list[str],
    *,
    secret: str,
    stdin: int | None = None,
) -> "subprocess.Popen[str]":
    """The programs' interpreter as the programs' user, and nothing else of the sandbox."""
    drops = os.getuid() == 0
    return subprocess.Popen(
        [str(programs.interpreter), "-I", "-S", *arguments],
        env={
            "LD_LIBRARY_PATH": str(programs.shared_libraries),
            "COMMONROOM_SECRET": secret,
        },
        cwd="/",
        text=True,
        stdin=stdin,
        stdout=subprocess.PIPE,
        user=uid if drops else None,
        group=uid if drops else None,
        extra_groups=[] if drops else None,
    )


@pytest.fixture(scope="session")
def confined(
    services: dict[Layer, SandboxConfig], targets: Targets
) -> dict[Layer, dict[str, ProgramResult]]:
    """Every attack on every service, four at once on each."""
    return asyncio.run(_everywhere(services, targets))


async def _everywhere(
    services: dict[Layer, SandboxConfig], targets: Targets
) -> dict[Layer, dict[str, ProgramResult]]:
    results = await asyncio.gather(*(_all(config, targets) for config in services.values()))
    return dict(zip(services, results, strict=True))


async def _all(config: SandboxConfig, targets: Targets) -> dict[str, ProgramResult]:
    async with Sandbox(config) as sandbox:
        results = await asyncio.gather(
            *(
                sandbox.run(
                    attack.source(targets),
                    files={"data.csv": b"1,2"},
                    timeout_s=_SHORT_TIMEOUT_S if "timeout" in attack.ends else None,
                )
                for attack in ATTACKS.values()
            )
        )
    return dict(zip(ATTACKS, results, strict=True))


@pytest.fixture(scope="session")
def unconfined(programs: Environment, program_uid: int, targets: Targets) -> dict[str, str]:
    """What the controls printed."""
    sources = {name: attack.source(targets) for name, attack in CONTROLLED.items()}
    of_tests = {n for n in sources if CONTROLLED[n].interpreter == "tests"}
    of_programs = sources.keys() - of_tests
    script = f"import sys; sys.path.append({str(programs.packages)!r})\n"
    script += Path(controls.__file__).read_text("utf-8")
    confined_to = {name: sources[name] for name in of_programs}
    with _as_programs(
        programs,
        program_uid,
        ["-c", script],
        stdin=subprocess.PIPE,
        secret=targets.secret,
    ) as process:
        printed, _ = process.communicate(json.dumps(confined_to))
    ours = subprocess.run(
        [sys.executable, controls.__file__],
        input=json.dumps({name: sources[name] for name in of_tests}),
        capture_output=True,
        text=True,
        check=True,
    )
    outputs: dict[str, str] = json.loads(printed) | json.loads(ours.stdout)
    return outputs


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_gets_nothing(
    name: str, layer: Layer, confined: dict[Layer, dict[str, ProgramResult]]
) -> None:
    if layer not in confined:
        pytest.skip("bubblewrap does not start here")
    attack, result = ATTACKS[name], confined[layer][name]

    if attack.leaks_alone and layer == "alone":
        assert BREACH in result.stdout, "a documented leak is closed: update the table and docs"
        return
    assert BREACH not in result.stdout
    assert not attack.ends or result.status in attack.ends, result
    assert attack.value is None or result.value == attack.value
    last_line = (result.stderr.strip().splitlines() or [""])[-1]
    assert not last_line.startswith(SLIPS), "the attack never happened"
    _within_limits(result)


def _within_limits(result: ProgramResult) -> None:
    text = result.stdout + result.stderr + (result.value or "")
    assert len(text.encode()) <= LIMITS.output_bytes + 100  # and our own last words
    assert len(result.figures) <= LIMITS.figures
    assert all(f.width * f.height <= LIMITS.figure_pixels for f in result.figures)


@pytest.mark.parametrize("name", CONTROLLED)
def test_the_attack_works_unconfined(name: str, unconfined: dict[str, str]) -> None:
    assert BREACH in unconfined[name]


async def test_programs_still_run_after_all(
    service: SandboxConfig, confined: dict[Layer, dict[str, ProgramResult]]
) -> None:
    assert confined
    async with Sandbox(service) as sandbox:
        assert (await sandbox.run("6 * 7")).value == "42"
