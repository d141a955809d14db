"""A batch's pages are what the library would have told token by token."""

import copy
import random
from typing import Any

import pytest
import torch
from transformers import GenerationConfig
from transformers.generation.configuration_utils import ContinuousBatchingConfig
from transformers.generation.continuous_batching.requests import RequestState, RequestStatus

from inference.engines.transformers_patches.page_tables import PageTables, name_pages
from tests.inference.engines.tiny import llama

PAGE, SLOTS = 8, 6
Request = tuple[str, int, int]  # with what it had, and what is new


@pytest.fixture
def processor() -> Any:
    manager = llama(64).init_continuous_batching(
        generation_config=GenerationConfig(do_sample=False, eos_token_id=63, pad_token_id=63),
        continuous_batching_config=ContinuousBatchingConfig(
            page_size=PAGE,
            num_blocks=64,
            max_batch_tokens=64,
            max_requests_per_batch=SLOTS,
            use_async_batching=False,
            use_cuda_graph=False,
        ),
    )
    return manager._create_batch_processor()


@pytest.fixture
def requests(processor: Any) -> list[Request]:
    """Whose pages lie anywhere: first pieces, next pieces and next tokens."""
    chance, made = random.Random(4), []
    for number, (past, new) in enumerate([(0, 20), (37, 1), (16, 9), (7, 1), (8, 8), (0, 1)]):
        name = f"r{number}"
        state = RequestState(name, [1] * (past + new))
        processor.cache.can_store_request_tokens(state, past + new)
        made.append((name, past, new))
    for blocks in (
        table := processor.cache.cache_allocators["full_attention"].block_table
    ).values():
        chance.shuffle(blocks)
    assert len(table) == len(made)
    return made


def test_pages_hold_the_tokens_that_the_library_lists(
    processor: Any, requests: list[Request]
) -> None:
    cache, pages = processor.cache, PageTables(processor.cache)
    for _ in range(2):  # a batch after the other
        begins, written, places, wanted = [[]], [[]], [[]], [[]]  # type: ignore[var-annotated]
        known = 0
        for number, (name, past, new) in enumerate(requests):
            pages.extend(name, past, new, begins, written)
            before = len(places[0])
            cache.extend_read_and_write_indices(name, past, new, places, wanted)
            first = known // PAGE + number
            own = torch.tensor(begins[0][first:])[:, None] + torch.arange(PAGE)
            assert own.flatten()[: past + new].tolist() == places[0][before:]
            known += past + new
        assert written == wanted
        assert len(begins[0]) <= known // PAGE + len(requests)


def test_a_row_of_pages_is_the_librarys(processor: Any, requests: list[Request]) -> None:
    pages = PageTables(processor.cache)
    for name, past, new in requests:
        ours, theirs = (torch.full((1, 12), -1, dtype=torch.int32) for _ in range(2))
        processor.cache.fill_block_table(name, past, new, theirs)
        pages.fill(name, past, new, ours)
        assert ours.tolist() == theirs.tolist() != [[-1] * 12]


def test_a_batch_has_room_for_all_pages_and_reads_no_others(processor: Any) -> None:
    """As many requests as run at once, as long as the cache is."""
    theirs = copy.copy(processor.inputs_and_outputs)
    name_pages(processor)
    io, cache = processor.inputs_and_outputs, processor.cache
    io.attention_mask, processor.scheduler.safety_margin = None, 0
    long = cache.max_tokens_read // SLOTS // PAGE * PAGE
    states = [RequestState(f"r{n}", [1] * (long - n)) for n in range(SLOTS)]
    for state in states:
        state.status = RequestStatus.PREFILLING
        processor.scheduler.active_requests[state.request_id] = state
        assert cache.can_store_request_tokens(state, long)
        state.position_offset, state.remaining_prefill_tokens = long - 3, [1, 1]
    batch, decodes, new, known = processor.scheduler.schedule_batch(64, cache.max_tokens_read)
    padded = processor.model_runner.maybe_pad_inputs(
        num_q_tokens=new, max_kv_read=known, use_decode_fast_path=decodes
    )
    io.prepare_batch_tensors(batch, processor.logit_processor, decodes, *padded, True)
    assert len(batch) == SLOTS
    assert io.true_read_sizes[0] <= padded[1] < known < theirs.read_index_storage.size(1)
    assert io.get_model_kwargs()["read_index"][0].numel() > 0
