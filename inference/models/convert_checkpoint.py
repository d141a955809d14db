"""Checkpoints that transformers cannot read as they are: InternLM2's, and tokenizers without a
`tokenizer.json`."""

import json
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from inference.models import safetensors_io, spm_to_json
from inference.models.errors import ConversionFailed, Progress, Report
from inference.models.safetensors_io import Tensor

# InternLM2 and 2.5 as Llama: the same weights under other names, except for `wqkv`.
#
# Its rows are grouped by key head: the query heads that share it, then the key head, then its
# value head. Taken apart, the same numbers give the same answers in transformers' Llama, for
# which there are fast kernels, and no code of the checkpoint's has to run.

MODEL_TYPE = "internlm2"

_NAMES = {
    "model.tok_embeddings": "model.embed_tokens",
    "attention.wo": "self_attn.o_proj",
    "feed_forward.w1": "mlp.gate_proj",
    "feed_forward.w3": "mlp.up_proj",
    "feed_forward.w2": "mlp.down_proj",
    "attention_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm",
}
_RENAMED = re.compile("|".join(map(re.escape, _NAMES)))
_WQKV = "attention.wqkv."

_KEPT = (
    "vocab_size",
    "hidden_size",
    "intermediate_size",
    "num_hidden_layers",
    "num_attention_heads",
    "num_key_value_heads",
    "hidden_act",
    "max_position_embeddings",
    "initializer_range",
    "rms_norm_eps",
    "bos_token_id",
    "eos_token_id",
    "pad_token_id",
    "tie_word_embeddings",
    "torch_dtype",
)


def config_of_llama(config: Mapping[str, Any], *, biased: bool) -> dict[str, Any]:
    """The configuration that reads the same numbers; `biased`: its attention has biases.

    Dynamic NTK scaling begins beyond `max_position_embeddings`, where nobody is served, so it is
    left out; it would change the rotation of a whole batch with its longest request.
    """
    rope: dict[str, Any] = {"rope_type": "default", "rope_theta": config.get("rope_theta", 10_000)}
    scaling = config.get("rope_scaling") or {}
    kind = scaling.get("type", scaling.get("rope_type", "dynamic"))
    if kind == "linear":
        rope |= {"rope_type": "linear", "factor": scaling["factor"]}
    elif kind != "dynamic":
        raise ConversionFailed(f"its rotation is scaled in an unknown way: {kind}")
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        **{name: config[name] for name in _KEPT if name in config},
        "attention_bias": biased,
        "mlp_bias": False,
        "rope_parameters": rope,
    }


def tensors_of_llama(tensors: Iterable[Tensor], config: Mapping[str, Any]) -> Iterator[Tensor]:
    for tensor in tensors:
        if _WQKV in tensor.name:
            yield from _split(tensor, config)
        else:
            yield Tensor(_rename_weight(tensor.name), tensor.dtype, tensor.shape, tensor.spans)


def _rename_weight(name: str) -> str:
    if name == "output.weight":
        return "lm_head.weight"
    return _RENAMED.sub(lambda found: _NAMES[found[0]], name)


def _split(wqkv: Tensor, config: Mapping[str, Any]) -> Iterator[Tensor]:
    heads = config["num_attention_heads"]
    key_heads = config.get("num_key_value_heads") or heads
    size = config["hidden_size"] // heads  # of a head, in rows
    sharing = heads // key_heads  # query heads of one key head
    group = (sharing + 2) * size
    if wqkv.shape[0] != key_heads * group:
        raise ConversionFailed(f"{wqkv.name} has {wqkv.shape[0]} rows, not {key_heads * group}")
    begins = range(0, wqkv.shape[0], group)
    keys = sharing * size  # where in a group they begin
    for name, first, count in (("q", 0, keys), ("k", keys, size), ("v", keys + size, size)):
        parts = [range(begin + first, begin + first + count) for begin in begins]
        yield wqkv.rows(wqkv.name.replace(_WQKV, f"self_attn.{name}_proj."), parts)


INDEX = "model.safetensors.index.json"
COPIED = ("generation_config.json", "LICENSE*")
SPECIAL = ("bos_token", "eos_token", "unk_token", "pad_token")


def needs_llama(folder: Path) -> bool:
    """Return whether this is InternLM2 in its original form."""
    path = folder / "config.json"
    return path.is_file() and _json(path).get("model_type") == MODEL_TYPE


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
    _write(target / "config.json", config_of_llama(config, biased=biased))
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
        ours = list(tensors_of_llama(safetensors_io.read(path), config))
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
