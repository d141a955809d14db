"""The table of attacks, confined and, as a control, not."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from inference.sandbox.client import Sandbox
from inference.sandbox.config import SandboxConfig
from inference.sandbox.interpreter import Environment
from inference.sandbox.result import ProgramResult
from tests.inference.sandbox.attacks import controls
from tests.inference.sandbox.attacks.run import find_fault, run_attacks
from tests.inference.sandbox.attacks.table import ATTACKS, BREACH, CONTROLLED, Targets
from tests.inference.sandbox.attacks.targets import open_targets, start_as_programs
from tests.inference.sandbox.support import LAYERS, Layer


@pytest.fixture(scope="session")
def targets(
    programs: Environment,
    program_uid: int,
    secret: str,
) -> Iterator[Targets]:
    with open_targets(programs, program_uid, secret) as targets:
        yield targets


@pytest.fixture(scope="session")
def confined(
    services: dict[Layer, SandboxConfig], targets: Targets
) -> dict[Layer, dict[str, ProgramResult]]:
    """Every attack on every service, four at once on each."""
    return asyncio.run(_everywhere(services, targets))


async def _everywhere(
    services: dict[Layer, SandboxConfig], targets: Targets
) -> dict[Layer, dict[str, ProgramResult]]:
    results = await asyncio.gather(*(run_attacks(config, targets) for config in services.values()))
    return dict(zip(services, results, strict=True))


@pytest.fixture(scope="session")
def unconfined(programs: Environment, program_uid: int, targets: Targets) -> dict[str, str]:
    """What the controls printed."""
    sources = {name: attack.source(targets) for name, attack in CONTROLLED.items()}
    of_tests = {n for n in sources if CONTROLLED[n].interpreter == "tests"}
    of_programs = sources.keys() - of_tests
    script = f"import sys; sys.path.append({str(programs.packages)!r})\n"
    script += Path(controls.__file__).read_text("utf-8")
    confined_to = {name: sources[name] for name in of_programs}
    with start_as_programs(
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
    assert find_fault(attack, result, alone=layer == "alone") is None


@pytest.mark.parametrize("name", CONTROLLED)
def test_the_attack_works_unconfined(name: str, unconfined: dict[str, str]) -> None:
    assert BREACH in unconfined[name]


async def test_programs_still_run_after_all(
    service: SandboxConfig, confined: dict[Layer, dict[str, ProgramResult]]
) -> None:
    assert confined
    async with Sandbox(service) as sandbox:
        assert (await sandbox.run("6 * 7")).value == "42"
