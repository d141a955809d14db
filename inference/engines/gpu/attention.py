"""Selects the attention that a model on a GPU runs with.

The packages flash-attn and flash-attn-3 are used where they are installed. Where they are not,
which is most machines, since they build for an hour, Llama-like layers are ours as a whole (see
`FusedAttention`). In others torch's own FlashAttention reads prompts and our kernel decodes (see
`decode_kernel`): the library's fast path, captured in CUDA graphs, needs no package but torch then.
"""

import importlib.util
import logging
from typing import Any

import torch
from transformers import modeling_flash_attention_utils as library
from transformers.integrations.flash_attention import flash_attention_forward
from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS, flash_attention_mask
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS
from transformers.utils import is_flash_attn_2_available, is_flash_attn_3_available

log = logging.getLogger(__name__)

# The library takes a name with "flash" and "2" in it for something with paged decoding.
OURS = "torch_flash_2"


def choose(config: Any) -> str:
    """The attention for a model with this configuration on this machine's card."""
    if not torch.cuda.is_available():
        return "sdpa"
    if is_flash_attn_3_available():
        return "flash_attention_3"
    if is_flash_attn_2_available():
        return "flash_attention_2"
    return OURS if _suits(config.get_text_config()) else "sdpa"


def apply(model: Any, attention: str) -> None:
    """Makes `model` run with what `choose` chose. Loaded models only."""
    if attention == OURS:
        _register()
        for module in model.modules():
            if hasattr(module, "config"):
                module.config._attn_implementation_internal = OURS
    else:
        model.set_attn_implementation(attention)
    log.info("attention chosen", extra={"attention": attention})


def _suits(config: Any) -> bool:
    """Full attention with heads that the kernel takes, and nothing done to the scores."""
    size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    return (
        importlib.util.find_spec("triton") is not None
        and size in (32, 64, 128, 256)
        and not getattr(config, "attn_logit_softcapping", None)
        and not getattr(config, "sliding_window", None)
    )


def _register() -> None:
    """Puts our functions where the library keeps those of the package it found."""
    from inference.engines.gpu.decode_kernel import decode_attention  # noqa: PLC0415 — triton comes with CUDA only

    ALL_ATTENTION_FUNCTIONS.register(OURS, flash_attention_forward)
    ALL_MASK_ATTENTION_FUNCTIONS.register(OURS, flash_attention_mask)
    library._loaded_implementation = OURS
    library._flash_fn = None
    library._flash_varlen_fn = read
    library._flash_with_kvcache_fn = torch.compiler.disable(decode_attention)  # type: ignore[no-untyped-call]
    library._pad_fn, library._unpad_fn = library._pad_input, library._unpad_input
    library._process_flash_kwargs_fn = library._lazy_define_process_function(read)
    library._process_with_kvcache_kwargs_fn = library._lazy_define_process_function(
        decode_attention
    )


def read(
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    cu_seqlens_q: torch.Tensor,
    cu_seqlens_k: torch.Tensor,
    max_seqlen_q: int,
    max_seqlen_k: int,
    softmax_scale: float | None = None,
    causal: bool = False,
) -> torch.Tensor:
    """Attention within each of several sequences that lie end to end; `q` [tokens, heads, size]."""
    output: torch.Tensor = torch.ops.aten._flash_attention_forward(
        q, k, v, cu_seqlens_q, cu_seqlens_k, max_seqlen_q, max_seqlen_k,
        0.0, causal, False, scale=softmax_scale,
    )[0]  # fmt: skip
    return output


# The library's attention layers that `fused_layers.FusedAttention` can replace.

# Those of the pinned version whose forward pass is Llama's, the norms of Qwen3's heads aside. A
# test compares them, so that an upgrade which changes one is seen.
FAMILIES = ("LlamaAttention", "MistralAttention", "Qwen2Attention", "Qwen3Attention")
