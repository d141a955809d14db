"""Captures CUDA graphs for prompts of every size before the first request.

A batch that reads prompts is filled up to a multiple of `GPU_QUERY_STEP`, and the library captures
a size when it first meets it: whoever talks then waits for two passes more. Here all are met at the
start. Our kernels read the cache where it lies (see `page_tables`), so how much of it is read makes
no other graph.
"""

import gc
from functools import partial
from typing import Any

import torch


def take_precedence(processor: Any) -> None:
    """Steps go before other work on this GPU, such as pictures that are being looked at.

    `processor` is the library's ContinuousBatchProcessor, with double buffering, before anything is
    captured: a graph's kernels keep the priority of the stream that they were captured on.
    """
    stream = torch.cuda.Stream(priority=-1)  # type: ignore[no-untyped-call]
    processor.inputs_and_outputs.compute_stream = stream
    processor.offloading_manager._compute_stream = stream


@torch.no_grad()
def capture_prompts(processor: Any, model: Any) -> None:
    """`processor` is the library's ContinuousBatchProcessor, with double buffering."""
    runner, buffers = processor.model_runner, processor.inputs_and_outputs
    for pair in buffers.io_pairs:
        pair.device_io._get_graph_key = partial(_key, pair.device_io)
    gc.freeze()  # each capture looks through all of them for garbage
    step, most = runner.cb_config.q_padding_interval_size, processor.cache.max_batch_tokens
    for _ in buffers.io_pairs:
        for tokens in range(step, most + 1, step):
            runner.run_one_warmup(model, tokens, runner.cb_config.page_size)
        buffers.swap_io_pairs()
    processor.cache.reset()
    gc.unfreeze()


def _key(io: Any) -> tuple[int, ...]:
    return (io.num_q_tokens,) if io.use_block_table else (io.num_q_tokens, io.max_kv_read)
