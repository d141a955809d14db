"""What the pinned transformers' continuous batching does otherwise than our engine needs it, one
test for each. When one fails, the library has changed: its docstring says what may go then."""

import asyncio
import importlib
import inspect
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from itertools import count
from threading import Event
from time import monotonic, sleep
from typing import Any

import pytest
from transformers import GenerationConfig
from transformers.generation.configuration_utils import ContinuousBatchingConfig
from transformers.generation.continuous_batching.cache import PagedAttentionCache
from transformers.generation.continuous_batching.cb_logits_processors import (
    CLASSIC_TO_CB_PROCESSORS_MAP,
)
from transformers.generation.continuous_batching.continuous_api import ContinuousBatchingManager
from transformers.generation.continuous_batching.initialization import FALLBACK_DEFAULTS
from transformers.generation.continuous_batching.input_outputs import ContinuousBatchingIOs
from transformers.generation.continuous_batching.model_runner import ModelRunner
from transformers.generation.continuous_batching.requests import RequestState, RequestStatus

from inference.engines.gpu.attention import FAMILIES
from inference.engines.transformers_patches.chunked_prefill import read_in_pieces
from inference.engines.transformers_patches.prefix_cache import keep_prefixes
from tests.inference.engines.tiny import llama

VOCABULARY, END, PAGE, PAGES = 64, 63, 8, 16
PROMPT = list(range(1, 4 * PAGE + 2))  # a little more than four pages


@pytest.fixture(scope="module")
def model() -> Any:
    return llama(VOCABULARY)


def made(model: Any, **sampling: Any) -> Any:
    """The library's manager, as it comes."""
    return model.init_continuous_batching(
        generation_config=GenerationConfig(
            do_sample=False, eos_token_id=END, pad_token_id=END, **sampling
        ),
        continuous_batching_config=ContinuousBatchingConfig(
            page_size=PAGE,
            num_blocks=PAGES,
            max_batch_tokens=64,
            use_async_batching=False,
            use_cuda_graph=False,
        ),
    )


@contextmanager
def batching(model: Any, **sampling: Any) -> Iterator[Any]:
    """The same, at work."""
    manager = made(model, **sampling)
    manager.start()
    try:
        yield manager
    finally:
        manager.stop(block=True, timeout=20, hard_stop=True)


def until(condition: Any) -> None:
    give_up = monotonic() + 30
    while not condition():
        assert monotonic() < give_up
        sleep(0.005)


def answer(manager: Any, prompt: Sequence[int], name: str, most: int = 4) -> list[int]:
    assert manager.add_request(list(prompt), request_id=name, max_new_tokens=most) == name
    give_up = monotonic() + 30
    while (output := manager.get_result(timeout=0.05)) is None or not output.is_finished():
        assert monotonic() < give_up
    return list(output.generated_tokens)


@pytest.mark.parametrize(
    "requests",
    [
        pytest.param([("a", [VOCABULARY + 1])], id="an id beyond the vocabulary"),
        pytest.param([("a", [])], id="an empty prompt"),
        pytest.param([("a", [1, 2]), ("a", [3, 4])], id="one name twice"),
        pytest.param([("a", [1] * (PAGE * PAGES + 1))], id="a prompt larger than the cache"),
    ],
)
def test_one_bad_request_ends_the_loop_for_all(
    model: Any, requests: list[tuple[str, list[int]]]
) -> None:
    """If not: `TransformersEngine._validate` need not refuse it; the watchdog stays."""
    with batching(model) as manager:
        for name, prompt in requests:
            manager.add_request(prompt, request_id=name, max_new_tokens=4)
        until(lambda: manager.background_thread_status.fatal_error is not None)
        until(lambda: not manager.is_running())


def test_a_dead_loop_refuses_without_a_word(model: Any) -> None:
    """If it raises: `ContinuousBatchingLoop._submit` need not look for None."""
    with batching(model) as manager:
        manager.add_request([VOCABULARY + 1], request_id="a", max_new_tokens=4)
        until(lambda: not manager.is_running())
        assert manager.add_request([1, 2], request_id="b", max_new_tokens=4) is None


async def test_a_cancelled_request_never_hears_of_its_end(model: Any) -> None:
    """If it does: `ContinuousBatchingLoop.stream` may wait for the last event."""
    heard: list[Any] = []
    steps, gate = count(), Event()

    def hold(*_: object) -> None:
        if next(steps) >= 3:  # so that it cannot end by itself before it is cancelled
            gate.wait(30)

    held = model.register_forward_pre_hook(hold)
    with batching(model) as manager:
        manager.register_result_handler("a", heard.append)
        manager.add_request(PROMPT, request_id="a", max_new_tokens=80, streaming=True)
        async with asyncio.timeout(30):
            while not heard:  # noqa: ASYNC110  (called from the library's thread)
                await asyncio.sleep(0.005)
        manager.cancel_request("a")
        gate.set()
        until(lambda: not manager.batch_processor.scheduler.active_requests)
        assert answer(manager, [1, 2, 3], "b")  # a few steps later
        await asyncio.sleep(0)  # what was called from the thread is here now
    held.remove()
    assert not any(output.is_finished() for output in heard)


@pytest.mark.filterwarnings("ignore:Passing `repetition_penalty`:UserWarning")
def test_a_repetition_penalty_is_dropped_without_a_word(model: Any) -> None:
    """If it counts: `sampling` need not draw by itself for the penalty's sake."""
    with batching(model) as plain, batching(model, repetition_penalty=5.0) as penal:
        assert answer(plain, PROMPT, "a", 12) == answer(penal, PROMPT, "a", 12)


def test_a_request_can_say_no_more_than_temperature_top_k_and_top_p() -> None:
    """If it can: look at what `sampling` and `text` do beside the library, and whether
    `RequestSampler` may become per-request processors."""
    known = {processor.__name__ for processor in CLASSIC_TO_CB_PROCESSORS_MAP}
    assert known == {"TemperatureLogitsWarper", "TopKLogitsWarper", "TopPLogitsWarper"}


def test_a_request_has_neither_stop_strings_nor_a_seed_nor_pictures() -> None:
    """If it has: `StopStrings` could move into the library, seeds need no chance of our own, and
    pictures may go through the batch."""
    taken = inspect.signature(ContinuousBatchingManager.add_request).parameters
    assert set(taken) == {
        "self",
        "input_ids",
        "request_id",
        "max_new_tokens",
        "streaming",
        "record_timestamps",
        "eos_token_id",
        "logit_processor_kwargs",
    }


def test_fast_decoding_ends_at_8192_tokens_unless_told_otherwise() -> None:
    """If not: `Sizes` need not tell `max_blocks_per_request`."""
    page: int = ContinuousBatchingConfig().page_size
    assert FALLBACK_DEFAULTS["max_blocks_per_request"] * page == 8192


def cached(manager: Any) -> Any:
    (allocator,) = manager.batch_processor.cache.cache_allocators.values()
    return allocator.ledger.cached_blocks


def test_pages_run_low_and_all_finished_ones_are_forgotten(model: Any) -> None:
    """If not: `prefixes._evict_oldest` can go. With it, an eighth of the pages goes."""
    with batching(model) as manager:
        answer(manager, PROMPT, "a")
        until(lambda: len(cached(manager)) == 4)
        manager.batch_processor.cache.evict_cached_blocks()
        assert len(cached(manager)) == 0

    with batching(model) as manager:
        until(lambda: manager.batch_processor is not None)
        keep_prefixes(manager.batch_processor.cache)
        answer(manager, PROMPT, "a")
        until(lambda: len(cached(manager)) == 4)
        manager.batch_processor.cache.evict_cached_blocks()
        assert len(cached(manager)) == 4 - PAGES // 8


def test_cached_pages_are_found_again(model: Any) -> None:
    """The part that is relied on: a prompt's longest prefix in whole pages needs no work."""
    with batching(model) as manager:
        answer(manager, PROMPT, "a")
        until(lambda: len(cached(manager)) == 4)
        cache = manager.batch_processor.cache
        assert cache.search_prefix_match("b", [*PROMPT, 7]) == 4 * PAGE


@pytest.mark.parametrize("ours", [False, True])
def test_a_prompt_given_up_between_two_of_its_pieces_ends_the_loop(model: Any, ours: bool) -> None:
    """With double buffering, where a batch is noted after the next one was prepared. If not:
    `prefixes` need not look whether a request is there."""
    manager = made(model)
    processor = manager.batch_processor = manager._create_batch_processor()
    if ours:
        keep_prefixes(processor.cache)
    state = RequestState("r", PROMPT)
    processor.scheduler.add_waiting_request(state)
    scheduled = processor.scheduler.schedule_batch(2 * PAGE, processor.cache.max_tokens_read)[0]
    assert state.status is RequestStatus.PREFILLING
    processor.scheduler.set_request_cancellation("r")
    processor.scheduler.clear_cancelled_requests()
    processor.inputs_and_outputs.prepare_batch_update = lambda: (scheduled, [], None)
    with nullcontext() if ours else pytest.raises(KeyError):
        processor.update_batch()


def test_a_step_that_writes_a_text_reads_all_that_it_can_hold(model: Any) -> None:
    """If it reads less by itself: `steps` can go. It relies on the rest: that texts come first,
    that the budget is of both, and that who has read is `DECODING` at once, also while the step
    that reads the last piece is still to run."""
    manager = made(model)
    manager.warmup()  # makes what a step needs
    scheduler, cache = manager.batch_processor.scheduler, manager.batch_processor.cache

    def step(most: int) -> list[tuple[str, int]]:
        scheduled = scheduler.schedule_batch(most, cache.max_tokens_read)[0]
        return [(each.state.request_id, each.query_length) for each in scheduled]

    text, prompt = (RequestState(name, PROMPT) for name in ("text", "prompt"))
    scheduler.active_requests["prompt"] = prompt
    scheduler.active_requests["text"] = text
    text.status, text.tokens_to_process = RequestStatus.DECODING, [1]
    prompt.status = RequestStatus.PREFILLING
    assert step(1 + len(PROMPT) - 9) == [("text", 1), ("prompt", len(PROMPT) - 9)]
    read_in_pieces(scheduler, piece=lambda: 4)
    assert step(64) == [("text", 1), ("prompt", 4)]
    assert prompt.status is RequestStatus.PREFILLING
    text.status = RequestStatus.FINISHED
    assert step(64) == [("prompt", 5)]
    assert prompt.status is RequestStatus.DECODING


@pytest.mark.parametrize("family", ["mistral", "qwen2", "qwen3"])
def test_attention_differs_from_llamas_in_windows_and_norms_alone(family: str) -> None:
    """Else `gpu/layer.py` cannot stand for it: leave it out of `FAMILIES`."""
    theirs, llamas = (_attention_of(name) for name in (family, "llama"))
    assert theirs == llamas


def _attention_of(family: str) -> str:
    module = importlib.import_module(f"transformers.models.{family}.modeling_{family}")
    [kind] = [kind for name, kind in vars(module).items() if name in FAMILIES]
    body = inspect.getsource(kind.forward).partition("input_shape")[2]
    plain = re.sub(r"self\.[qk]_norm\((.*)\)\.transpose", r"\1.transpose", body)
    return re.sub(r"sliding_window=.*\n\s*", "", plain)


def test_the_cache_is_told_token_by_token() -> None:
    """If the library names pages where prompts are read: `gpu/pages.py` can go."""
    parameters = inspect.signature(PagedAttentionCache.extend_read_and_write_indices).parameters
    assert [*parameters] == [
        "self", "request_id", "past_length", "query_length", "read_index", "write_index",
    ]  # fmt: skip
    prepared = inspect.getsource(ContinuousBatchingIOs.prepare_batch_tensors)
    assert "read_index = None if self.max_kv_read == 0 else" in prepared
    assert "to_index_tensor(group_read_indices)" in prepared


def test_bookkeeping_that_capturing_relies_on() -> None:
    """`gpu/graphs.py` names a graph by its sizes without the longest request's."""
    assert "self.num_q_tokens, self.max_kv_read, *self.max_length_k.values()" in (
        inspect.getsource(ContinuousBatchingIOs._get_graph_key)
    )
    assert [*inspect.signature(ModelRunner.run_one_warmup).parameters] == [
        "self", "model", "num_q_tokens", "max_kv_read",
    ]  # fmt: skip
