"""A model that is quickly made and says nothing sensible."""

from typing import Any

import torch
from transformers import LlamaConfig, LlamaForCausalLM, MistralConfig, MistralForCausalLM


def llama(vocabulary: int, **shape: Any) -> Any:
    """The same one each time. `shape` is what its configuration says otherwise."""
    return _made(LlamaForCausalLM, LlamaConfig, vocabulary, shape)


def mistral(vocabulary: int, **shape: Any) -> Any:
    """The same, with a `sliding_window`."""
    return _made(MistralForCausalLM, MistralConfig, vocabulary, shape)


def _made(kind: Any, configuration: Any, vocabulary: int, shape: dict[str, Any]) -> Any:
    torch.manual_seed(0)
    config = configuration(
        vocab_size=vocabulary,
        **{
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "num_key_value_heads": 1,
            # So that the best token is far ahead, and depends on all that was read.
            "initializer_range": 0.3,
            **shape,
        },
    )
    return kind._from_config(config, attn_implementation="sdpa").eval()
