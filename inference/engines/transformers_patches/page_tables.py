"""Page tables of a batch's cache, in place of the library's lists of tokens.

For a batch that reads prompts transformers 5.24 lists every cached token of every request, and for
one that decodes makes a tensor of each request's pages. That is its thread's work, beside which no
step can be shorter: with 256 conversations of 700 tokens 24 to 35 ms and 8, on one core. Of pages
there are hundreds times fewer.

A request's pages lie in the batch's `read_index` from `known // page + request` on, where `known`
is how many tokens the requests before it have: so a kernel finds them without another table, and
there is room for all.
"""

from itertools import repeat
from typing import Any

from torch import Tensor


class PageTables:
    """Stands for two methods of the library's PagedAttentionCache, whose layers are all alike."""

    def __init__(self, cache: Any) -> None:
        [self._allocator] = cache.cache_allocators.values()
        self._tokens: int = self._allocator.tokens_per_page
        self._stride: int = self._allocator.block_physical_stride
        self._fill = cache.fill_block_table
        self._known = self._requests = 0  # of the batch that is being told

    def extend(
        self,
        request: str,
        past: int,
        new: int,
        read_index: list[list[int]] | None,
        write_index: list[list[int]],
    ) -> None:
        """`extend_read_and_write_indices`: where each page begins, and each new token's place."""
        write_index[0].extend(self._allocator.get_write_indices(request, past, new))
        if read_index is None:
            return
        [begins] = read_index
        if not begins:
            self._known = self._requests = 0
        first = self._known // self._tokens + self._requests
        begins.extend(repeat(0, first - len(begins)))
        blocks = self._allocator.block_table[request]
        begins.extend(block * self._stride for block in blocks[: -(-(past + new) // self._tokens)])
        self._known += past + new
        self._requests += 1

    def fill(self, request: str, past: int, new: int, table: Tensor) -> None:
        """`fill_block_table`: the request's row of `table` [1, pages]."""
        if table.device.type != "cpu":  # without double buffering the library fills it on the GPU
            self._fill(request, past, new, table)
            return
        blocks, pages = self._allocator.block_table[request], self._stride // self._tokens
        table.numpy()[0, : len(blocks)] = [block * pages for block in blocks]


def name_pages(processor: Any) -> None:
    """`processor` is the library's ContinuousBatchProcessor, before it has computed anything."""
    cache, runner = processor.cache, processor.model_runner
    pages = PageTables(cache)
    cache.extend_read_and_write_indices, cache.fill_block_table = pages.extend, pages.fill
    tokens = cache.max_tokens_read + cache.max_batch_tokens
    most = tokens // pages._tokens + runner.cb_config.max_requests_per_batch + 1
    pad = runner.maybe_pad_inputs

    def pad_sizes(
        num_q_tokens: int, max_kv_read: int, use_decode_fast_path: bool
    ) -> tuple[int, int]:
        """The second, tokens to the library, is how much of `read_index` it tells; 0: nothing."""
        tokens, _ = pad(num_q_tokens, max_kv_read, use_decode_fast_path)
        return tokens, 0 if use_decode_fast_path else most

    runner.maybe_pad_inputs = pad_sizes
    for io in _buffers(processor.inputs_and_outputs):  # each batch's is copied as a whole
        io.read_index_storage = io.read_index_storage[:, : most + cache.max_batch_tokens]


def _buffers(inputs_and_outputs: Any) -> list[Any]:
    pairs = getattr(inputs_and_outputs, "io_pairs", None)
    if pairs is None:
        return [inputs_and_outputs]
    return [io for pair in pairs for io in (pair.host_io, pair.device_io)]
