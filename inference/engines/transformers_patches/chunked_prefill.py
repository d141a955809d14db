"""Chunked prefill: the library picks the requests; we set the tokens of a step.

So texts continue while a prompt is read. The library (5.24) schedules every text that is being
written first, a token each, and fills the step up with prompts. A step takes as long as its tokens,
so one that reads a whole picture keeps every text waiting. Here its scheduler is asked for less:
while a text is written, a step reads a piece for each prompt that waits; when none is, as much as
it can hold. So one newcomer hardly slows the texts, and many are read as fast as can be. Where a
prompt is cut makes no difference to what is computed, for a picture neither: each of its tokens has
an id of its own.
"""

from collections.abc import Callable
from typing import Any

from transformers.generation.continuous_batching.requests import RequestStatus


def tokens_of_step(*, writing: int, waiting: int, most: int, piece: int, row: int) -> int:
    """Return the number of tokens of a step.

    `writing` of them continue texts, and each of `waiting` prompts gets a `piece`. The step is
    filled up to whole rows of `row` tokens (0: not at all), but never by filling alone.
    """
    if not writing:
        return most
    tokens = writing + piece * waiting
    return min(most, max(tokens - tokens % row, writing + 1) if row and waiting else tokens)


def read_in_pieces(scheduler: Any, *, piece: Callable[[], int], row: int = 0) -> None:
    """`scheduler` is the library's; `piece` is asked for at each step: more than `row`, best."""
    schedule = scheduler.schedule_batch

    def schedule_step(token_budget: int, cache_budget: int) -> Any:
        # A request counts as decoding as soon as the last of its prompt is scheduled.
        active = [state.status for state in scheduler.active_requests.values()]
        writing = active.count(RequestStatus.DECODING)
        waiting = len(active) - writing + len(scheduler.waiting_requests)
        tokens = tokens_of_step(
            writing=writing, waiting=waiting, most=token_budget, piece=piece(), row=row
        )
        return schedule(tokens, cache_budget)

    scheduler.schedule_batch = schedule_step
