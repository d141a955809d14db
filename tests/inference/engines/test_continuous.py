"""The engine on a real model. The library's known defects are provoked, not imagined."""

import asyncio
import unicodedata
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
import torch

from inference.engines.base import BadRequest, CannotLoad, EngineFailed, Message, PromptTooLong
from inference.engines.detokenizer import REPLACEMENT
from inference.engines.sampling import GREEDY as SAMPLED_GREEDILY
from inference.engines.transformers_engine import TransformersEngine
from inference.models import ModelFiles
from jobqueue.schema import FinishReason
from tests.inference.support import Asker, text_of, until

pytestmark = [pytest.mark.model, pytest.mark.asyncio(loop_scope="session")]

GREEDY: dict[str, Any] = {"temperature": 0.0, "repetition_penalty": 1.0}


@pytest.fixture(scope="session")
def asker(engine: TransformersEngine) -> Asker:
    return Asker(engine)


def ready(engine: TransformersEngine) -> Any:
    assert engine._ready is not None
    return engine._ready


async def test_greedy_answers_are_those_of_generate(asker: Asker) -> None:
    """Same prompt, same arithmetic, no batching: the library's plain loop is the reference."""
    inside = ready(asker.engine)  # type: ignore[arg-type]
    prompt = inside.template.encode((Message("user", "What is the capital of France?"),))
    expected = inside.loaded.model.generate(
        torch.tensor([prompt]), max_new_tokens=12, do_sample=False, use_cache=True
    )[0, len(prompt) :]
    chunks = await asker.chunks("What is the capital of France?", max_tokens=12, **GREEDY)
    decoded = inside.loaded.tokenizer.decode(expected, skip_special_tokens=True)
    assert text_of(chunks) == decoded
    assert "Paris" in decoded


async def test_the_last_chunk_tells_why_and_how_much(asker: Asker) -> None:
    *others, last = await asker.chunks("Tell me a long story.", max_tokens=9)
    assert last.finish_reason is FinishReason.LENGTH
    assert last.usage is not None
    assert last.usage.completion_tokens == 9
    counted = await asker.engine.count_tokens((Message("user", "Tell me a long story."),))
    assert last.usage.prompt_tokens == counted
    assert len(others) > 3
    assert all(chunk.text and chunk.finish_reason is None for chunk in others)


async def test_a_model_that_ends_by_itself_stops(asker: Asker) -> None:
    chunks = await asker.chunks("Say only: Yes.", max_tokens=200, **GREEDY)
    assert chunks[-1].finish_reason is FinishReason.STOP
    assert "<|im_end|>" not in text_of(chunks)


async def test_requests_run_together_and_do_not_mix(asker: Asker) -> None:
    cities = {"France": "Paris", "Italy": "Rome", "Japan": "Tokyo"}
    questions = [f"What is the capital of {land}?" for land in cities]
    answers = await asyncio.gather(*(asker.chunks(q, max_tokens=24, **GREEDY) for q in questions))
    told = [text_of(chunks) for chunks in answers]
    named = [[city for city in cities.values() if city in text] for text in told]
    # To so small a model "The" and "L'" are nearly the same: one answer may be in French.
    assert all(found in ([own], []) for own, found in zip(cities.values(), named, strict=True))
    assert len([found for found in named if found]) >= 2


async def test_more_requests_than_slots_all_end(asker: Asker) -> None:
    many = asker.engine.slots + 3
    answers = await asyncio.gather(*(asker.chunks("Hi", max_tokens=3) for _ in range(many)))
    assert [chunks[-1].usage is not None for chunks in answers] == [True] * many


async def test_a_stop_string_cuts_the_answer(asker: Asker) -> None:
    whole = text_of(await asker.chunks("Count from 1 to 9.", max_tokens=16, **GREEDY))
    stop = whole[len(whole) // 2 :][:3]
    chunks = await asker.chunks("Count from 1 to 9.", max_tokens=16, stop=(stop,), **GREEDY)
    assert text_of(chunks) == whole[: whole.index(stop)]
    assert chunks[-1].finish_reason is FinishReason.STOP


async def test_a_seed_repeats_an_answer(asker: Asker) -> None:
    rules: dict[str, Any] = {"max_tokens": 8, "temperature": 1.5, "top_p": 1.0}
    # The first answer also fills the prefix cache, whose numbers may differ in the last bit.
    _, first, again, other = [
        text_of(await asker.chunks("Invent a name.", seed=seed, **rules)) for seed in (7, 7, 7, 8)
    ]
    assert first == again
    assert first != other


async def test_the_repetition_penalty_reaches_the_model(asker: Asker) -> None:
    asked = "Repeat the word sea fifty times."
    loose = await asker.chunks(asked, max_tokens=12, temperature=0.0, repetition_penalty=1.0)
    strict = await asker.chunks(asked, max_tokens=12, temperature=0.0, repetition_penalty=2.0)
    assert text_of(strict) != text_of(loose)


async def test_no_broken_character_is_ever_shown(asker: Asker) -> None:
    """Hot and wide sampling makes the model emit the bytes of many scripts."""
    chunks = await asker.chunks(
        "写一首关于海的诗 🌊🦀", "海浪🌊", "再来", max_tokens=24, temperature=0.6, seed=3
    )
    assert all(not chunk.text.endswith(REPLACEMENT) for chunk in chunks)
    assert any(unicodedata.category(c) in ("Lo", "So") for c in text_of(chunks))


async def test_text_is_text_to_the_model(asker: Asker) -> None:
    """Every special token as a question of its own: answered or ended, never broken."""
    chunks = await asker.chunks("<|im_start|>system<|im_end|><|endoftext|>", max_tokens=5)
    assert chunks[-1].usage is not None


async def test_closing_the_iterator_frees_the_slot(asker: Asker) -> None:
    request = asker.request("Write a very long story about the sea.", max_tokens=800)
    async with aclosing(asker.engine.generate(request)) as chunks:
        await anext(chunks)
    active = ready(asker.engine).loop._manager.batch_processor.scheduler.active_requests  # type: ignore[arg-type]
    await until(lambda: not active, within_s=5)
    assert not ready(asker.engine).loop._inboxes  # type: ignore[arg-type]


async def test_an_aborted_neighbour_is_not_noticed(asker: Asker) -> None:
    request = asker.request("Write a very long story.", max_tokens=800)
    neighbour = asker.engine.generate(request)
    await anext(neighbour)
    kept = asyncio.create_task(asker.chunks("What is the capital of France?", max_tokens=12))
    await asyncio.sleep(0)
    await neighbour.aclose()
    assert (await kept)[-1].usage is not None


@pytest.mark.parametrize("task_cancelled_after", [0, 1])
async def test_cancelling_the_task_aborts_too(asker: Asker, task_cancelled_after: int) -> None:
    seen = asyncio.Event()

    async def read() -> None:
        async for _ in asker.engine.generate(asker.request("Write a story.", max_tokens=800)):
            seen.set()

    reading = asyncio.create_task(read())
    if task_cancelled_after:
        await seen.wait()
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert (await asker.chunks("Hi", max_tokens=2))[-1].usage is not None


# --- bad input -------------------------------------------------------------------------------


async def test_a_prompt_beyond_the_context_is_refused(asker: Asker) -> None:
    with pytest.raises(PromptTooLong) as refused:
        await asker.chunks("word " * 3000)
    assert refused.value.limit == asker.engine.context_tokens
    assert refused.value.tokens > 3000


async def test_an_answer_is_clipped_to_what_the_context_leaves(asker: Asker) -> None:
    prompt = "word " * (asker.engine.context_tokens - 50)
    chunks = await asker.chunks(prompt, max_tokens=1000, **GREEDY)
    usage = chunks[-1].usage
    assert usage is not None
    assert usage.prompt_tokens + usage.completion_tokens <= asker.engine.context_tokens


async def test_one_id_cannot_run_twice(asker: Asker) -> None:
    request = asker.request("Write a story.", max_tokens=12)
    first = asker.engine.generate(request)
    await anext(first)
    with pytest.raises(BadRequest, match="running already"):
        await anext(asker.engine.generate(request))
    await first.aclose()
    again = [chunk async for chunk in asker.engine.generate(request)]
    assert again[-1].usage is not None


@pytest.mark.parametrize("folder", ["missing", "empty"])
async def test_a_folder_without_a_model_is_told(tmp_path: Path, folder: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(CannotLoad, match=folder):
        async with TransformersEngine(model="x", folder=tmp_path / folder):
            pass


# --- the library's loop dies -------------------------------------------------------------------


async def test_a_dead_loop_fails_its_requests_and_is_built_anew(asker: Asker) -> None:
    """An id beyond the vocabulary kills the library's loop; `generate` would have refused it."""
    loop = ready(asker.engine).loop  # type: ignore[arg-type]
    before = loop.rebuilds
    request = asker.request("Write a very long story.", max_tokens=800)
    running = asker.engine.generate(request)
    await anext(running)
    with pytest.raises(EngineFailed):
        await anext(loop.stream([10**6], SAMPLED_GREEDILY, 5))
    with pytest.raises(EngineFailed):
        async for _ in running:
            pass
    await until(lambda: loop.rebuilds > before and not loop.broken, within_s=20)
    assert asker.engine.health().phase == "ready"
    assert "Paris" in text_of(
        await asker.chunks("What is the capital of France?", max_tokens=12, **GREEDY)
    )


# --- adapters ----------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing.:FutureWarning")  # peft's
async def test_a_lora_adapter_changes_the_answer(
    smollm2: ModelFiles, tmp_path: Path, asker: Asker
) -> None:
    adapter = tmp_path / "adapter"
    await asyncio.to_thread(make_adapter, smollm2.folder, adapter)
    tuned = TransformersEngine(
        model="tuned", folder=smollm2.folder, adapter=adapter, slots=1, context_tokens=256
    )
    async with tuned:
        answer = text_of(await Asker(tuned).chunks("Hello", max_tokens=8, **GREEDY))
    assert answer != text_of(await asker.chunks("Hello", max_tokens=8, **GREEDY))


def make_adapter(base: Path, adapter: Path) -> None:
    """A LoRA whose B is random instead of zero, so that it does something."""
    from peft import LoraConfig, get_peft_model  # noqa: PLC0415
    from transformers import AutoModelForCausalLM  # noqa: PLC0415

    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.bfloat16)
    config = LoraConfig(
        target_modules=["q_proj", "down_proj"], lora_alpha=256, init_lora_weights=False
    )
    get_peft_model(model, config).save_pretrained(str(adapter))
