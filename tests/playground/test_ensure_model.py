"""Which model the playground serves on a fresh machine, and what it says meanwhile."""

import argparse
import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from inference.engines import auto_select
from inference.models import hub_listing, model_store
from inference.models.errors import DiskFull
from playground import ensure_model
from playground.ensure_model import NoModelError

LARGE, SMALL, TINY = (each.name for each in ensure_model.PACKAGED)
Machine = Callable[..., None]


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A machine without a GPU, with so much memory and disk, and some models."""

    def build(*here: str, memory_gb: float = 16, disk_gb: float = 50, hub: bool = False) -> None:
        monkeypatch.setenv("COMMONROOM_MODELS", str(tmp_path))
        monkeypatch.delenv("INFERENCE_MODEL", raising=False)
        monkeypatch.delenv("INFERENCE_ENGINE", raising=False)
        monkeypatch.setattr(auto_select, "has_gpu", lambda: False)
        monkeypatch.setattr(auto_select, "has_llamacpp", lambda: True)
        monkeypatch.setattr(ensure_model, "available_memory", lambda: int(memory_gb * 1e9))

        def require_space(needed: int) -> None:
            if needed > disk_gb * 1e9:
                raise DiskFull(str(tmp_path), needed, int(disk_gb * 1e9))

        def unreachable(addresses: dict[str, str]) -> dict[str, str]:
            return {} if hub else dict.fromkeys(addresses, "no answer")

        monkeypatch.setattr(model_store, "require_space", require_space)
        monkeypatch.setattr(hub_listing, "unreachable", unreachable)
        for name in here:
            (tmp_path / f"{name}.gguf").write_bytes(b"GGUF")

    return build


@pytest.fixture
def pulled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The models that were to be downloaded; all of them arrive."""
    names: list[str] = []

    async def pull(name: str, *_: str) -> bool:
        names.append(name)
        return True

    monkeypatch.setattr(ensure_model, "_pull", pull)
    monkeypatch.setattr(ensure_model, "_pull_in_background", pull)
    return names


def parse(engine: str | None = None, model: str | None = None) -> argparse.Namespace:
    return argparse.Namespace(engine=engine, model=model)


@pytest.mark.parametrize(
    ("memory_gb", "disk_gb", "expected"),
    [(16, 50, LARGE), (3.1, 2.5, LARGE), (2.5, 50, SMALL), (16, 1.2, SMALL), (1, 50, TINY)],
)
async def test_a_fresh_machine_gets_the_largest_that_fits(
    machine: Machine, pulled: list[str], memory_gb: float, disk_gb: float, expected: str
) -> None:
    machine(memory_gb=memory_gb, disk_gb=disk_gb)
    chosen = parse()
    assert await ensure_model.ensure_model(chosen) is None
    assert (chosen.engine, chosen.model) == ("llamacpp", expected)
    assert pulled == [expected]


async def test_a_smaller_one_that_is_here_serves_meanwhile(
    machine: Machine, pulled: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    machine(SMALL)
    chosen = parse()
    assert await ensure_model.ensure_model(chosen) == LARGE
    assert (chosen.model, pulled) == (SMALL, [])

    switched: list[str] = []
    waits = iter([False, True])

    async def is_idle() -> bool:
        return next(waits)

    async def switch(name: str) -> None:
        switched.append(name)

    ensure_model.IDLE_POLL_S, pause = 0.0, ensure_model.IDLE_POLL_S
    await ensure_model.fetch_better_model(LARGE, is_idle, switch)
    ensure_model.IDLE_POLL_S = pause
    assert (switched, pulled) == ([LARGE], [LARGE])
    assert f"{LARGE}, is fetched meanwhile: 1.1 GB" in capsys.readouterr().out


@pytest.mark.parametrize("here", [(LARGE,), (LARGE, SMALL, TINY), ("Qwen3-4B", LARGE)])
async def test_the_best_that_is_here_serves_at_once(
    machine: Machine, pulled: list[str], here: tuple[str, ...]
) -> None:
    machine(*here)
    chosen = parse()
    assert await ensure_model.ensure_model(chosen) is None
    assert (chosen.model, pulled) == (here[0], [])


async def test_little_memory_takes_the_small_one_although_the_large_one_is_here(
    machine: Machine, pulled: list[str]
) -> None:
    machine(LARGE, SMALL, memory_gb=2)
    chosen = parse()
    assert await ensure_model.ensure_model(chosen) is None
    assert chosen.model == SMALL


async def test_a_failed_download_falls_back_and_says_so(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    machine()

    async def pull(name: str, *_: str) -> bool:
        return name == TINY

    monkeypatch.setattr(ensure_model, "_pull", pull)
    chosen = parse()
    assert await ensure_model.ensure_model(chosen) is None
    assert chosen.model == TINY
    said = capsys.readouterr().out
    assert f"{LARGE} could not be fetched" in said
    assert f"{SMALL} could not be fetched" in said


async def test_without_any_model_there_is_a_way_out(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine()

    async def pull(*_: str) -> bool:
        return False

    monkeypatch.setattr(ensure_model, "_pull", pull)
    with pytest.raises(NoModelError, match="--engine scripted"):
        await ensure_model.ensure_model(parse())


@pytest.mark.parametrize(
    ("memory_gb", "offered"), [(16, "Qwen3-4B"), (5, "Qwen3-1.7B"), (3.5, None)]
)
async def test_a_hub_offers_a_general_model_by_memory(
    machine: Machine,
    pulled: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    memory_gb: float,
    offered: str | None,
) -> None:
    machine(memory_gb=memory_gb, hub=True)
    chosen = parse()
    await ensure_model.ensure_model(chosen)  # nobody is at the terminal
    assert chosen.model == LARGE
    assert (f"--model {offered}" in capsys.readouterr().out) == (offered is not None)

    monkeypatch.setattr(ensure_model, "_confirm", lambda _: True)
    chosen = parse()
    await ensure_model.ensure_model(chosen)
    assert chosen.model == pulled[-1] == (offered or LARGE)


async def test_a_choice_is_kept(machine: Machine, pulled: list[str]) -> None:
    machine(LARGE)
    chosen = parse(model=SMALL)
    assert await ensure_model.ensure_model(chosen) is None
    assert (chosen.model, pulled) == (SMALL, [SMALL])
    scripted = parse(engine="scripted")
    assert await ensure_model.ensure_model(scripted) is None
    assert (scripted.engine, scripted.model) == ("scripted", None)


async def test_a_container_has_the_memory_that_it_may_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = tmp_path / "memory.max"
    limit.write_text("2000000000\n")
    monkeypatch.setattr(ensure_model, "MEMORY_LIMIT", limit)
    assert await asyncio.to_thread(ensure_model.available_memory) <= 2_000_000_000
    limit.write_text("max\n")
    assert ensure_model.available_memory() > 0


def test_a_general_vision_model_serves_once_it_was_pulled(machine: Machine, tmp_path: Path) -> None:
    machine()
    assert ensure_model.choose_vision_model() == "eye"
    folder = tmp_path / ensure_model.VISION_ON_HUBS.name
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").touch()
    assert ensure_model.choose_vision_model() == "InternVL3_5-1B"
    machine(memory_gb=4)
    assert ensure_model.choose_vision_model() == "eye"
