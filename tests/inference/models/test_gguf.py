"""GGUF files: what their own metadata tell, and how they come from a hub."""

import asyncio
import hashlib
import shutil
from pathlib import Path

import gguf as gguf_package
import numpy as np
import pytest

from inference.engines.llamacpp.engine import LlamaCppEngine
from inference.models import catalog, gguf
from inference.models.catalog import HubGguf
from inference.models.errors import SourceUnreachable
from inference.models.gguf_metadata import read_metadata
from inference.tool_parsers import of_model
from tests.inference.models.conftest import HUB_ID, FakeHub


def write_gguf(path: Path, architecture: str, **general: str) -> Path:
    """Write a GGUF with the official package: metadata, a vocabulary and one small tensor."""
    writer = gguf_package.GGUFWriter(str(path), architecture)
    for key, value in general.items():
        writer.add_string(f"general.{key}", value)
    writer.add_token_list(["<unk>", "hello", "世界"])
    writer.add_token_scores([0.0, 1.0, 2.0])
    writer.add_rope_freq_base(1e6)
    writer.add_tensor("token_embd.weight", np.zeros((3, 8), np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@pytest.mark.parametrize(
    ("file", "architecture", "general", "tool_parser"),
    [
        ("x.gguf", "qwen2", {"name": "Qwen2.5 Coder 1.5B Instruct", "size_label": "1.5B"}, "forms"),
        ("x.gguf", "qwen3", {"name": "Qwen3 4B", "size_label": "4B"}, "hermes"),
        ("x.gguf", "qwen2", {"name": "my club's helper", "size_label": "7.6B"}, "hermes"),
        ("qwen-0.5b.gguf", "llama", {"name": "Internlm3 8B Instruct"}, "internlm"),
        ("internlm3-8b.gguf", "qwen3", {"name": "Qwen3 8B", "size_label": "8B"}, "hermes"),
        ("qwen-7b.gguf", "llama", {"basename": "smollm2", "size_label": "135M"}, "forms"),
        ("qwen-7b.gguf", "llama", {"name": "Mistral", "size_label": "7B"}, "fences"),
    ],
)
def test_the_metadata_decide_and_not_the_files_name(
    tmp_path: Path, file: str, architecture: str, general: dict[str, str], tool_parser: str
) -> None:
    path = write_gguf(tmp_path / file, architecture, **general)
    assert read_metadata(path).parameters == 24
    assert of_model(LlamaCppEngine(path).identity).name == tool_parser


def test_a_renamed_file_gets_its_authors_sampling(tmp_path: Path) -> None:
    path = write_gguf(tmp_path / "renamed.gguf", "qwen2", name="Qwen2.5 Coder 1.5B Instruct GGUF")
    assert gguf.defaults(path)["repetition_penalty"] == 1.1
    other = write_gguf(tmp_path / "Qwen2.5-Coder-1.5B-Instruct.gguf", "llama", name="Llama 3.2 1B")
    assert gguf.defaults(other) == {}


@pytest.mark.parametrize("size", [0, 3, 30, 120])
def test_a_broken_head_says_nothing(tmp_path: Path, size: int) -> None:
    path = write_gguf(tmp_path / "whole.gguf", "qwen2", name="Qwen2.5 Coder 1.5B Instruct")
    broken = tmp_path / "broken-7b.gguf"
    broken.write_bytes(path.read_bytes()[:size])
    assert read_metadata(broken).identity == ""
    assert LlamaCppEngine(broken).identity == "broken-7b"


@pytest.fixture
def hub_model(
    hub: FakeHub, store_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> catalog.Known:
    """A model of the catalog whose GGUF lies on the hub of this test, beside other files."""
    folder = tmp_path / "hub"
    shutil.copytree(hub.folder, folder)
    write_gguf(folder / "tiny-q8_0.gguf", "qwen3", name="Tiny")
    (folder / "tiny-bf16.gguf").write_bytes(b"GGUF, and not the one that was asked for")
    hub.folder = folder
    file = HubGguf(HUB_ID, "tiny-q8_0.gguf", 1_000)
    known = catalog.Known("Tiny-4B", "hub/tiny", "", "MIT", 4.0, "text", hub_gguf=file)
    monkeypatch.setattr(catalog, "KNOWN", (known,))
    monkeypatch.setattr(catalog, "_BY_ALIAS", {"tiny-4b": known})
    return known


async def test_one_file_comes_from_the_hub_and_is_resumed(
    hub: FakeHub, hub_model: catalog.Known, store_root: Path
) -> None:
    hub.cut_at["tiny-q8_0.gguf"] = 200
    path = await asyncio.to_thread(gguf.pull, hub_model.name)
    assert path == store_root / "Tiny-4B.gguf"
    expected = (hub.folder / "tiny-q8_0.gguf").read_bytes()
    assert hashlib.sha256(path.read_bytes()).digest() == hashlib.sha256(expected).digest()
    assert {name for name, _ in hub.asked} == {"tiny-q8_0.gguf"}
    assert [begin for _, begin in hub.asked][:3] == [0, 200, 400]
    asked = len(hub.asked)
    assert await asyncio.to_thread(gguf.pull, hub_model.name) == path
    assert len(hub.asked) == asked


async def test_a_hub_without_the_file_is_told(hub: FakeHub, hub_model: catalog.Known) -> None:
    (hub.folder / "tiny-q8_0.gguf").unlink()
    with pytest.raises(SourceUnreachable, match=r"has no tiny-q8_0\.gguf"):
        await asyncio.to_thread(gguf.pull, hub_model.name)
