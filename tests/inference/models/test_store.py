"""A name becomes a folder, offline; what cannot be served says why and what to do."""

import asyncio
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from inference.models import ModelError, ModelMissing, model_store, pull, resolve
from inference.models.errors import ModelBroken, UnknownModel
from tests.inference.models.conftest import HUB_ID, NAME, FakeHub

pytestmark = pytest.mark.usefixtures("store_root")

MAKE_ADAPTER = """
import sys
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM
base, folder = sys.argv[1:]
model = AutoModelForCausalLM.from_pretrained(base)
get_peft_model(model, LoraConfig(r=2, target_modules=["q_proj"])).save_pretrained(folder)
"""


@pytest.fixture(scope="session")
def tiny_adapter(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What peft saves after a LoRA fine-tuning of the tiny model."""
    folder = tmp_path_factory.mktemp("adapter") / "tiny-lora"
    command = [sys.executable, "-c", MAKE_ADAPTER, str(tiny_model), str(folder)]
    subprocess.run(command, check=True, capture_output=True)
    return folder


def name_base(adapter: Path, base: str) -> None:
    config = adapter / model_store.ADAPTER_CONFIG
    content = json.loads(config.read_text())
    config.write_text(json.dumps(content | {"base_model_name_or_path": base}))


def test_a_folder_is_served_by_its_path(tiny_model: Path) -> None:
    assert resolve(str(tiny_model)) == model_store.ModelFiles(tiny_model, None, "tiny-llama")


def test_a_registered_folder_is_served_by_its_name(tiny_model: Path, store_root: Path) -> None:
    assert pull(str(tiny_model)).folder == tiny_model
    assert pull(str(tiny_model)).folder == tiny_model  # twice is once

    files = resolve("tiny-llama")

    assert files.name == "tiny-llama"
    assert files.folder.resolve() == tiny_model.resolve()
    assert not (tiny_model / model_store.MANIFEST).exists()  # the operator's folder stays as it was


def test_a_name_is_not_taken_twice(tiny_model: Path, tmp_path: Path) -> None:
    other = tmp_path / "other" / tiny_model.name
    shutil.copytree(tiny_model, other)
    pull(str(tiny_model))
    with pytest.raises(ModelBroken, match="is taken"):
        pull(str(other))


def test_a_copy_of_a_known_model_takes_its_name(tiny_model: Path, tmp_path: Path) -> None:
    carried = tmp_path / "stick" / NAME
    shutil.copytree(tiny_model, carried)
    pull(str(carried))
    assert resolve(HUB_ID).folder.resolve() == carried.resolve()
    assert pull(NAME).name == NAME  # and nothing is fetched


def test_an_adapter_brings_its_base_by_path(tiny_adapter: Path, tiny_model: Path) -> None:
    files = resolve(str(tiny_adapter))
    assert files == model_store.ModelFiles(tiny_model, tiny_adapter, "tiny-lora")


def test_an_adapter_resolves_to_what_peft_can_load(tiny_adapter: Path) -> None:
    files = resolve(str(tiny_adapter))
    load = """
import sys
from peft import PeftModel
from transformers import AutoModelForCausalLM
PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(sys.argv[1]), sys.argv[2])
"""
    command = [sys.executable, "-c", load, str(files.folder), str(files.adapter)]
    assert subprocess.run(command, check=False, capture_output=True).returncode == 0


async def test_an_adapter_of_a_known_model_pulls_it(
    hub: FakeHub, tiny_adapter: Path, tmp_path: Path, store_root: Path
) -> None:
    mine = tmp_path / "my-lora"
    shutil.copytree(tiny_adapter, mine)
    name_base(mine, HUB_ID)
    with pytest.raises(ModelMissing, match=f"models pull {NAME}"):
        resolve(str(mine))

    await asyncio_pull(str(mine))

    assert resolve("my-lora") == model_store.ModelFiles(
        store_root / NAME, store_root / "my-lora", "my-lora"
    )


def test_an_adapter_without_a_base_says_so(tiny_adapter: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    shutil.copytree(tiny_adapter, mine)
    (mine / model_store.ADAPTER_CONFIG).write_text("{}")
    with pytest.raises(ModelBroken, match="base_model_name_or_path"):
        resolve(str(mine))


def test_an_adapter_on_itself_ends(tiny_adapter: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    shutil.copytree(tiny_adapter, mine)
    name_base(mine, str(mine))
    with pytest.raises(ModelBroken, match="adapter too"):
        resolve(str(mine))


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("qwen2.5-coder-0.5b", "Qwen2.5-Coder-0.5B-Instruct"),
        ("SmolLM-135M-Instruct", NAME),
        ("internlm/internlm3-8b-instrct", "InternLM3-8B-Instruct"),
    ],
)
def test_an_unknown_name_gets_suggestions(typed: str, meant: str) -> None:
    with pytest.raises(UnknownModel, match="models list") as caught:
        resolve(typed)
    assert caught.value.suggestions[0] == meant
    with pytest.raises(UnknownModel):
        pull(typed)


def test_nonsense_gets_no_suggestion() -> None:
    with pytest.raises(UnknownModel) as caught:
        resolve("/no/such/folder")
    assert caught.value.suggestions == ()


def test_folders_that_are_no_models_are_refused(tmp_path: Path, tiny_model: Path) -> None:
    with pytest.raises(ModelBroken, match="save_pretrained"):
        resolve(str(tmp_path))
    shutil.copy(tiny_model / "config.json", tmp_path)
    with pytest.raises(ModelBroken, match="no weights"):
        resolve(str(tmp_path))
    (tmp_path / "model.safetensors").write_bytes(b"\x08\0\0\0\0\0\0\0{}")
    with pytest.raises(ModelError, match="weights does not load"):
        pull(str(tmp_path))


def test_resolving_needs_no_heavy_library(tiny_model: Path) -> None:
    code = """
import sys
from inference.models import resolve
resolve(sys.argv[1])
print(sorted({"torch", "transformers", "huggingface_hub", "peft", "gguf"} & set(sys.modules)))
"""
    command = [sys.executable, "-c", code, str(tiny_model)]
    result = subprocess.run(command, check=True, capture_output=True, text=True)
    assert result.stdout == "[]\n"


async def asyncio_pull(name: str) -> model_store.ModelFiles:
    """Beside the loop, which serves the hub."""
    return await asyncio.to_thread(pull, name, source="hub")
