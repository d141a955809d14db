"""A model that is quickly made and says nothing sensible."""

from typing import Any

import torch
from transformers import LlamaConfig, LlamaForCausalLM


def llama(vocabulary: int) -> Any:
    """The same one each time."""
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=1,
    )
    return LlamaForCausalLM._from_config(config, attn_implementation="sdpa").eval()
