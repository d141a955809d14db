"""The models that are measured: real ones, or random weights of a real one's shape."""

from typing import Any

import torch
from transformers import LlamaConfig, LlamaForCausalLM

from inference.engines.placement import Placement, Quantize

# InternLM2.5-7B as a Llama (its config.json at internlm/internlm2_5-7b-chat), and one that fits
# any machine, to try the benchmark itself.
SHAPES: dict[str, dict[str, int]] = {
    "internlm2.5-7b": {
        "hidden_size": 4096,
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "intermediate_size": 14336,
        "vocab_size": 92544,
    },
    "tiny": {
        "hidden_size": 256,
        "num_hidden_layers": 2,
        "num_attention_heads": 8,
        "num_key_value_heads": 4,
        "intermediate_size": 512,
        "vocab_size": 4096,
    },
}


def build(name: str | None, shape: str | None, quantize: Quantize = "") -> Any:
    """A model in bfloat16 where this machine computes fastest, not yet changed for it."""
    if shape:
        return _random(SHAPES[shape])
    from inference.engines.loading import load  # noqa: PLC0415
    from inference.models import resolve  # noqa: PLC0415

    files = resolve(name or "")
    placement = Placement(quantize)
    return load(files.folder, files.adapter, lambda _done, _what: None, placement).model


def _random(shape: dict[str, int]) -> Any:
    config = LlamaConfig(
        **shape,
        max_position_embeddings=32768,
        tie_word_embeddings=False,
        rope_parameters={"rope_type": "default", "rope_theta": 1e6},
        attn_implementation="sdpa",
    )
    torch.manual_seed(0)
    torch.set_default_dtype(torch.bfloat16)
    try:
        with torch.device("cuda" if torch.cuda.is_available() else "cpu"):
            model = LlamaForCausalLM(config)
    finally:
        torch.set_default_dtype(torch.float32)
    return model.eval().requires_grad_(False)
