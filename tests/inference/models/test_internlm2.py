"""InternLM2's checkpoints, served as Llama: the same tokens, the same logits."""

import json
from pathlib import Path

import pytest
import sentencepiece
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from inference.engines.transformers_engine import TransformersEngine
from inference.models import ModelError, convert_checkpoint, pull, resolve, safetensors_io
from inference.models.errors import ConversionFailed, Progress, silent
from inference.models.model_store import read_manifest
from tests.inference.models import internlm2
from tests.inference.support import Asker


@pytest.mark.parametrize("biased", [False, True])
def test_logits_are_those_of_the_original_arithmetic(tmp_path: Path, biased: bool) -> None:
    original = internlm2.save(tmp_path / "tiny", biased=biased)
    ready = convert_checkpoint.servable(tmp_path / "tiny", tmp_path / "ready", silent)
    model = AutoModelForCausalLM.from_pretrained(ready, dtype=torch.float32)
    ids = torch.randint(0, 400, (40,), generator=torch.Generator().manual_seed(1)).tolist()
    with torch.inference_mode():
        ours = model(torch.tensor([ids])).logits[0]
    theirs = internlm2.logits(original, ids)
    assert theirs.std() > 0.5  # numbers that say something
    torch.testing.assert_close(ours, theirs, atol=2e-5, rtol=2e-5)


@pytest.mark.parametrize("leading_space", [False, True])
def test_tokens_are_those_of_sentencepiece(tmp_path: Path, leading_space: bool) -> None:
    folder = tmp_path / "tiny"
    internlm2.save(folder, leading_space=leading_space)
    ready = convert_checkpoint.servable(folder, tmp_path / "ready", silent)
    theirs = sentencepiece.SentencePieceProcessor(model_file=str(folder / "tokenizer.model"))
    ours = AutoTokenizer.from_pretrained(ready, local_files_only=True)
    for text in internlm2.texts():
        ids = ours.encode(text, add_special_tokens=False)
        assert (text, ids) == (text, theirs.encode(text))
        assert ours.decode(ids) == text
    start = theirs.piece_to_id(internlm2.UNUSED[0])
    assert ours.encode("<|im_start|>", add_special_tokens=False) == [start]
    assert len(ours) == theirs.vocab_size()


def test_internlm3_lacks_only_a_tokenizer(tmp_path: Path) -> None:
    """Its weights are read as they are; its tokenizer would need code that nobody runs."""
    folder = tmp_path / "tiny"
    internlm2.save(folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(
        json.dumps(
            {"model_type": "internlm3"}
            | {name: config[name] for name in ("vocab_size", "hidden_size")}
        )
    )
    assert convert_checkpoint.servable(folder, tmp_path / "ready", silent) == folder
    theirs = sentencepiece.SentencePieceProcessor(model_file=str(folder / "tokenizer.model"))
    ours = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    for text in internlm2.texts():
        assert ours.encode(text, add_special_tokens=False) == theirs.encode(text)
    assert ours.chat_template == internlm2.TEMPLATE


@pytest.mark.usefixtures("store_root")
def test_a_folder_is_taken_apart_once_and_stays_as_it_was(tmp_path: Path) -> None:
    folder = tmp_path / "my-internlm2"
    internlm2.save(folder)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(ModelError, match=f"models pull {folder}"):
        resolve(str(folder))

    seen: list[Progress] = []
    files = pull(str(folder), progress=seen.append)

    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert resolve("my-internlm2") == files
    assert (manifest := read_manifest(files.folder))
    assert manifest.source == str(folder)
    moved = [report for report in seen if report.stage == "convert"]
    assert moved[-1].done > 0.9 * (moved[-1].total or 0)
    assert not any(path.suffix == ".py" for path in files.folder.iterdir())
    assert pull(str(folder)) == files  # again, over itself


@pytest.mark.usefixtures("store_root")
def test_a_name_that_is_taken_is_left_alone(tmp_path: Path, tiny_model: Path) -> None:
    pull(str(tiny_model))
    internlm2.save(tmp_path / tiny_model.name)
    with pytest.raises(ModelError, match="is taken"):
        pull(str(tmp_path / tiny_model.name))
    assert resolve(tiny_model.name).folder.resolve() == tiny_model


async def test_the_engine_answers_with_it(tmp_path: Path) -> None:
    internlm2.save(tmp_path / "tiny")
    ready = convert_checkpoint.servable(tmp_path / "tiny", tmp_path / "ready", silent)
    engine = TransformersEngine(model="tiny", folder=ready, slots=1, context_tokens=128)
    async with engine:
        *_, last = await Asker(engine).chunks("Hello", max_tokens=3)
    assert last.usage is not None
    assert last.usage.completion_tokens <= 3


def test_what_is_not_as_it_should_be_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "tiny"
    internlm2.save(folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"num_key_value_heads": 3}))
    with pytest.raises(ConversionFailed, match="wqkv"):
        convert_checkpoint.servable(folder, tmp_path / "ready", silent)
    (folder / "config.json").write_text(json.dumps({"model_type": "internlm2"}))
    with pytest.raises(ConversionFailed, match="num_attention_heads"):
        convert_checkpoint.servable(folder, tmp_path / "ready", silent)
    (folder / "broken.safetensors").write_bytes(b"short")
    with pytest.raises(ConversionFailed, match="no safetensors file"):
        safetensors_io.read(folder / "broken.safetensors")
