"""InternLM2 and 2.5 as Llama: the same weights under other names, except for `wqkv`.

Its rows are grouped by key head: the query heads that share it, then the key head, then its value
head. Taken apart, the same numbers give the same answers in transformers' Llama, for which there
are fast kernels, and no code of the checkpoint's has to run.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from inference.models.errors import ConversionFailed
from inference.models.safetensors_io import Tensor

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
