"""Keeps finished turns in the library's cache, where a channel's next question finds them.

transformers 5.24 hashes full pages and finds a prompt's longest known prefix by itself. Some of its
ways lose what nothing needs to lose, and are mended on the cache it built (each has a contract
test, which fails when the library mends it):

- When pages run low it forgets every finished one at once. Here the oldest go, an eighth at a time.
- With double buffering the last piece of a prompt is scheduled before the piece before it is
  marked, which then never is; and a request that is given up amid its prompt is gone before its
  last piece is marked, of which the loop would die.
"""

from collections.abc import Callable
from functools import partial
from itertools import islice
from typing import Any

EVICTED_SHARE = 8  # one part of so many


def keep_prefixes(cache: Any) -> None:
    """`cache` is the library's PagedAttentionCache."""
    for allocator in cache.cache_allocators.values():
        allocator.ledger.evict_cached_blocks = partial(
            _evict_oldest, allocator.ledger, -(-allocator.num_blocks // EVICTED_SHARE)
        )
    if cache.use_prefix_sharing:  # not where a window's blocks are written over and over
        cache.mark_complete_blocks = partial(_mark, cache, cache.mark_complete_blocks)


def report_prefixes(cache: Any, found: Callable[[str, int], None]) -> None:
    """Has `found` told of each request and how many tokens of its prompt were known."""
    search = cache.search_prefix_match

    def search_and_report(request: str, prompt: list[int]) -> int:
        tokens: int = search(request, prompt)
        found(request, tokens)
        return tokens

    cache.search_prefix_match = search_and_report


def _evict_oldest(ledger: Any, most: int) -> list[int]:
    """Forgets the `most` blocks that nobody has used for longest; returns them."""
    evicted = list(islice(ledger.cached_blocks, most))
    for block in evicted:
        del ledger.cached_blocks[block]
        del ledger.hash_to_block[ledger.block_to_hash.pop(block)]
    return evicted


def _mark(
    cache: Any, mark: Callable[[Any, dict[str, int]], None], state: Any, complete: dict[str, int]
) -> None:
    """Counts the new full blocks from what is written, once a request's prompt is: all of them with
    the first token, then each as it fills up."""
    allocators = cache.cache_allocators
    if any(state.request_id not in allocator.block_table for allocator in allocators.values()):
        return  # given up amid its prompt
    if answered := len(state.generated_tokens):
        written = len(state.initial_tokens) + answered - 1
        complete = {
            name: count
            for name, allocator in allocators.items()
            if (answered == 1 or written % allocator.tokens_per_page == 0)
            and (count := _count_unmarked(allocator, state.request_id, written))
        }
    mark(state, complete)


def _count_unmarked(allocator: Any, request: str, written: int) -> int:
    full = written // allocator.tokens_per_page
    blocks = allocator.block_table[request][:full]
    return sum(block not in allocator.ledger.block_to_hash for block in blocks)
