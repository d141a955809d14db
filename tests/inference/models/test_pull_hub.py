"""Pulling from a hub: what arrives, what breaks, and what is left behind."""

import asyncio
import socket
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import pytest

from inference.models import ModelMissing, integrity, model_store, pull, resolve
from inference.models.errors import DiskFull, DownloadBroken, SourceUnreachable
from tests.inference.models.conftest import (
    COMMIT,
    HUB_ID,
    NAME,
    WEIGHTS,
    FakeHub,
    Pulling,
    until_size,
)

pytestmark = pytest.mark.usefixtures("store_root")


async def pull_here(source: str = "hub", **options: bool) -> model_store.ModelFiles:
    return await asyncio.to_thread(pull, NAME, source=source, **options)  # type: ignore[arg-type]


def names_below(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.mark.parametrize("source", ["hub", "modelscope"])
async def test_a_hub_gives_the_files_and_no_code(
    hub: FakeHub, tiny_model: Path, store_root: Path, source: str
) -> None:
    files = await pull_here(source)

    assert files == resolve(HUB_ID.lower()) == model_store.ModelFiles(store_root / NAME, None, NAME)
    assert names_below(files.folder) == names_below(tiny_model) | {model_store.MANIFEST}
    assert (files.folder / WEIGHTS).read_bytes() == (tiny_model / WEIGHTS).read_bytes()
    manifest = model_store.read_manifest(files.folder)
    assert manifest is not None
    assert manifest.revision == COMMIT
    assert manifest.source.startswith(hub.url)
    assert integrity.faults(files.folder) == []
    assert list((store_root / ".partial").glob("*/*")) == []


async def test_a_second_pull_asks_nobody(hub: FakeHub) -> None:
    await pull_here()
    asked = len(hub.asked)

    await pull_here()
    assert len(hub.asked) == asked

    await pull_here(again=True)
    assert len(hub.asked) == 2 * asked


async def test_hang_ups_are_resumed_within_one_pull(hub: FakeHub) -> None:
    hub.cut_at[WEIGHTS] = 100_000

    files = await pull_here()

    begins = [begin for name, begin in hub.asked if name == WEIGHTS]
    assert begins[:3] == [0, 100_000, 200_000]
    assert integrity.altered_files(files.folder) == []


async def test_sigkill_leaves_no_model_and_the_next_pull_goes_on(
    hub: FakeHub, store_root: Path
) -> None:
    hub.stall_at[WEIGHTS] = 300_000
    killed = await Pulling.start(NAME, "--source", "hub")
    await until_size(store_root / ".partial" / NAME / COMMIT / f"{WEIGHTS}.part", 300_000)
    await killed.kill()
    with pytest.raises(ModelMissing, match=f"models pull {NAME}"):
        resolve(NAME)

    hub.released.set()
    files = await pull_here()

    begins = [begin for name, begin in hub.asked if name == WEIGHTS]
    assert begins == [0, 300_000]
    assert integrity.altered_files(files.folder) == []


@pytest.mark.parametrize("path", [WEIGHTS, "config.json"])
async def test_altered_bytes_are_refused_and_thrown_away(hub: FakeHub, path: str) -> None:
    hub.corrupt.add(path)
    with pytest.raises(DownloadBroken, match=path):
        await pull_here()
    with pytest.raises(ModelMissing):
        resolve(NAME)

    hub.corrupt.clear()
    assert integrity.altered_files((await pull_here()).folder) == []


async def test_a_full_disk_is_known_before_a_byte_moves(hub: FakeHub) -> None:
    hub.claimed_size[WEIGHTS] = 10**15
    with pytest.raises(DiskFull, match="COMMONROOM_MODELS"):
        await pull_here()
    assert hub.asked == []


async def test_a_second_pull_waits_for_the_first(hub: FakeHub) -> None:
    hub.stall_at[WEIGHTS] = 300_000
    first = await Pulling.start(NAME, "--source", "hub")
    await first.until("download")
    second = await Pulling.start(NAME, "--source", "hub")
    await second.until("waiting")

    hub.released.set()

    assert (await first.end())[0] == (await second.end())[0] == 0
    assert [name for name, _ in hub.asked].count(WEIGHTS) == 1


async def test_a_hub_without_the_model_says_so(hub: FakeHub) -> None:
    with pytest.raises(SourceUnreachable, match="404"):
        await asyncio.to_thread(pull, "InternVL3_5-1B", source="hub")


@pytest.fixture
def silent_address() -> Iterator[str]:
    """Connections are taken by the kernel and nobody ever answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def refused_address() -> str:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.parametrize("kind", ["silent", "refused", "nameless"])
async def test_dead_hubs_are_known_within_three_seconds(
    kind: str, silent_address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    addresses = {"silent": silent_address, "refused": refused_address()}
    address = addresses.get(kind, "http://hub.invalid")
    monkeypatch.setenv("HF_ENDPOINT", address)
    monkeypatch.setenv("MODELSCOPE_ENDPOINT", address)
    begun = monotonic()

    with pytest.raises(SourceUnreachable, match="models pull FOLDER") as caught:
        await asyncio.to_thread(pull, "InternLM3-8B-Instruct")

    assert monotonic() - begun < 3
    assert str(caught.value).count(address) == 2
