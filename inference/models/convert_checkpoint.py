"""Checkpoints that transformers cannot read as they are: InternLM2's, and tokenizers without a
`tokenizer.json`."""

import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from inference.models import internlm2, safetensors_io, spm_to_json
from inference.models.errors import ConversionFailed
from inference.models.progress import Progress, Report

INDEX = "model.safetensors.index.json"
COPIED = ("generation_config.json", "LICENSE*")
SPECIAL = ("bos_token", "eos_token", "unk_token", "pad_token")


def needs_llama(folder: Path) -> bool:
    """Return whether this is InternLM2 in its original form."""
    path = folder / "config.json"
    return path.is_file() and _json(path).get("model_type") == internlm2.MODEL_TYPE


def servable(folder: Path, ready: Path, report: Report) -> Path:
    """A checkpoint that can be served: `folder`, completed where that is enough, or `ready`.

    Takes as much disk as the weights and next to no memory. Raises ConversionFailed.
    """
    try:
        if needs_llama(folder):
            as_llama(folder, ready, report)
            return ready
        if (folder / "tokenizer.model").is_file() and not (folder / "tokenizer.json").is_file():
            write_tokenizer(folder, folder)
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise ConversionFailed(f"{folder} is not as such checkpoints are: {error!r}") from error
    return folder


def as_llama(folder: Path, target: Path, report: Report) -> None:
    """InternLM2 in `folder` becomes Llama in `target`."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    config = _json(folder / "config.json")
    names = _move_weights(folder, target, config, report)
    biased = any(name.endswith("q_proj.bias") for name in names)
    _write(target / "config.json", internlm2.config_of_llama(config, biased=biased))
    for path in (path for pattern in COPIED for path in folder.glob(pattern)):
        shutil.copyfile(path, target / path.name)
    write_tokenizer(folder, target)


def _move_weights(folder: Path, target: Path, config: Any, report: Report) -> Iterable[str]:
    """File by file; the names of the new tensors."""
    files = sorted(folder.glob("*.safetensors"))
    total, done = sum(path.stat().st_size for path in files), 0

    def report_moved(size: int) -> None:
        nonlocal done
        done += size
        report(Progress("convert", done, total, "taking wqkv apart"))

    where: dict[str, str] = {}
    for path in files:
        ours = list(internlm2.tensors_of_llama(safetensors_io.read(path), config))
        safetensors_io.write(target / path.name, path, ours, report_moved)
        where |= dict.fromkeys((tensor.name for tensor in ours), path.name)
    if len(files) > 1:
        _write(target / INDEX, {"metadata": {"total_size": done}, "weight_map": where})
    return where


def write_tokenizer(folder: Path, target: Path) -> None:
    """A tokenizer that needs no code of the checkpoint's, with its special tokens and template."""
    from transformers import PreTrainedTokenizerFast  # noqa: PLC0415  (heavy)

    config = _json(folder / "tokenizer_config.json")
    added = {int(number): token for number, token in config["added_tokens_decoder"].items()}
    special = {name: _content(config[name]) for name in SPECIAL if config.get(name)}
    source: dict[str, Any] = {"tokenizer_file": str(folder / "tokenizer.json")}
    if not (folder / "tokenizer.json").is_file():
        pieces = spm_to_json.read(folder / "tokenizer.model")
        source = {"tokenizer_object": spm_to_json.tokenizer(pieces, added)}
    made = PreTrainedTokenizerFast(
        **source,
        **special,
        additional_special_tokens=config.get("additional_special_tokens", []),
        model_max_length=config.get("model_max_length", 32_768),
        clean_up_tokenization_spaces=False,
    )
    made.chat_template = config.get("chat_template")
    made.save_pretrained(target)


def _content(token: Any) -> str:
    """A special token is written as its text, or as that and more."""
    return str(token["content"] if isinstance(token, dict) else token)


def _json(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


def _write(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n", "utf-8")
