"""The sizes of batch and cache, from the device's memory and the context length."""

from dataclasses import dataclass
from typing import Any

import torch
from transformers.generation.configuration_utils import ContinuousBatchingConfig

CPU_SLOTS = 4
CPU_PAGE_TOKENS = 32
CPU_BATCH_TOKENS = 256
# Of prompts, in a step that also writes texts. A step of SmolLM2-135M beside three texts takes a
# thread 0.28 s with 32, 0.38 with 64, 0.62 with 128, 1.16 when it is full: with 64 no text waits
# for more than a third of that, and a prompt takes 1.3 times as long to read (with 32, 1.9 times).
CPU_PIECE_TOKENS = 64
# Beyond what the running requests may need: finished turns stay cached for the channel's next
# question.
CPU_CACHE_MARGIN = 1.25

GPU_SLOTS = 64
GPU_PAGE_TOKENS = 256  # what the paged kernels are built for
# A longer prompt is read in pieces between other requests' tokens. With 8,192 first tokens come
# no sooner at 20 requests a second, and every stream stands still for longer.
GPU_BATCH_TOKENS = 2048
# The same. Beside 32 texts a step of 8 billion weights takes an H200 6 ms without a prompt, 11 with
# 256 tokens of one, 15.5 with 512, 55 when it is full (docs/performance.md): with 256 no text waits
# for twice what it waits without, as long as one prompt waits.
GPU_PIECE_TOKENS = 256
GPU_QUERY_STEP = 128
GPU_CACHE_STEP = 16384  # of tokens that are copied out of the cache; ours reads them where they are
GPU_MEMORY = 0.85  # of what the weights leave; the rest is for activations and graphs

# bitsandbytes' 8-bit product asks the card in the middle, which no graph can; its 4-bit one can.
UNCAPTURED = ("Linear8bitLt",)

# The library stops admitting prompts when less than this part of the pages is free.
SAFETY_MARGIN = 0.05


@dataclass(frozen=True, slots=True)
class BatchConfig:
    slots: int  # requests that run at once
    page_tokens: int
    batch_tokens: int  # that a step computes at most
    piece_tokens: int  # of prompts, that it computes beside texts that are being written
    pages: int | None = None  # None: what the memory holds
    pages_a_request: int = 0  # 0: no paged decoding
    compile_level: int = 0  # the library's; 1 fuses what lies between the matrix products
    in_place: bool = False  # the cache is read where it lies, however much of it
    graphs: bool = True  # where there is a GPU

    @classmethod
    def for_model(
        cls, model: Any, *, slots: int, context_tokens: int, compiled: bool
    ) -> "BatchConfig":
        """Create the configuration of a loaded model; with 0 `slots` the device decides."""
        if model.device.type == "cpu":
            slots = slots or CPU_SLOTS
            pages = slots * -(-context_tokens // CPU_PAGE_TOKENS) * CPU_CACHE_MARGIN
            return cls(slots, CPU_PAGE_TOKENS, CPU_BATCH_TOKENS, CPU_PIECE_TOKENS, pages=int(pages))
        a_request = -(-context_tokens // GPU_PAGE_TOKENS)
        return cls(
            slots=slots or _gpu_slots(model, context_tokens),
            page_tokens=GPU_PAGE_TOKENS,
            batch_tokens=GPU_BATCH_TOKENS,
            piece_tokens=GPU_PIECE_TOKENS,
            pages_a_request=a_request + a_request % 2,
            compile_level=int(compiled),
            graphs=not any(type(layer).__name__ in UNCAPTURED for layer in model.modules()),
            in_place=any(getattr(layer, "reads_in_place", False) for layer in model.modules()),
        )

    @property
    def query_step(self) -> int:
        """Batches that read prompts differ in size each time, and each size is captured once: so
        they are filled up to a few sizes. 0: they are not."""
        return GPU_QUERY_STEP if self.pages is None else 0

    def library_config(self) -> ContinuousBatchingConfig:
        on_gpu = self.pages is None
        return ContinuousBatchingConfig(
            page_size=self.page_tokens,
            num_blocks=self.pages,
            max_batch_tokens=self.batch_tokens,
            max_requests_per_batch=self.slots,
            max_blocks_per_request=self.pages_a_request,
            max_memory_percent=GPU_MEMORY if on_gpu else None,
            safety_margin=SAFETY_MARGIN,
            default_compile_level=self.compile_level,
            use_async_batching=None if on_gpu else False,
            use_cuda_graph=on_gpu and self.graphs and self.pages_a_request > 0,
            q_padding_interval_size=self.query_step,
            kv_padding_interval_size=GPU_CACHE_STEP if on_gpu else 0,
            auto_switch_to_flash=False,
        )


def _gpu_slots(model: Any, context_tokens: int) -> int:
    """Return how many conversations can fill half of their context, which few do."""
    free, _ = torch.cuda.mem_get_info(model.device)
    tokens = GPU_MEMORY * free / cache_bytes(model.config.get_text_config())
    return max(1, min(GPU_SLOTS, int(2 * tokens / context_tokens)))


def cache_bytes(config: Any) -> int:
    """Return the bytes of one token's keys and values in bfloat16, over all layers."""
    size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    return int(2 * 2 * config.num_hidden_layers * heads * size)
