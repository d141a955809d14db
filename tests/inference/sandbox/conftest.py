"""Real zygotes behind real services: one with bubblewrap where it starts, one without."""

import os
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from inference.sandbox import interpreter
from inference.sandbox.config import OWN_UID, Bubblewrap, SandboxConfig
from inference.sandbox.interpreter import Environment
from tests.inference.sandbox.attacks.run import LIMITS
from tests.inference.sandbox.support import (
    LAYERS,
    Layer,
    bubblewrap_starts,
    service_at,
    wait_for,
)


@pytest.fixture(scope="session")
def programs() -> Environment:
    """Where an operator has it: the next run finds it made."""
    return interpreter.ensure(None)


@pytest.fixture(scope="session")
def program_uid() -> int:
    return os.getuid() or OWN_UID


@pytest.fixture(scope="session")
def secret() -> str:
    return f"canary-{os.urandom(8).hex()}"


@pytest.fixture(scope="session")
def services(
    programs: Environment, secret: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[Layer, SandboxConfig]]:
    """How to reach a running service, by its layers."""
    assert programs.is_current()
    folder = tmp_path_factory.mktemp("services")
    modes: dict[Layer, Bubblewrap] = {"alone": "off"}
    if bubblewrap_starts():
        modes["bubblewrap"] = "require"
    with ExitStack() as stack:
        starting = {
            layer: (folder / layer, stack.enter_context(service_at(folder / layer, mode, secret)))
            for layer, mode in modes.items()
        }
        for path, process in starting.values():
            wait_for(path, process)
        yield {
            layer: SandboxConfig(socket=path, limits=LIMITS)
            for layer, (path, _) in starting.items()
        }


@pytest.fixture(params=LAYERS)
def service(request: pytest.FixtureRequest, services: dict[Layer, SandboxConfig]) -> SandboxConfig:
    """Each test that asks for it runs with and without bubblewrap."""
    layer: Layer = request.param
    if layer not in services:
        pytest.skip("bubblewrap does not start here")
    return services[layer]
