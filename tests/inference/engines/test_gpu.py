"""What runs only on a CUDA device: the paged kernel, the captured graphs, the fused products."""

import asyncio
import copy
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import torch

from inference.engines.base import EngineFailed
from inference.engines.batch_config import BatchConfig
from inference.engines.continuous_batching import ContinuousBatchingLoop
from inference.engines.device_placement import Placement
from inference.engines.model_loader import for_this_device
from inference.engines.sampling import GREEDY, SamplingRules
from inference.engines.sequential_loop import SequentialLoop
from tests.inference.engines import tiny

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
on_one_loop = pytest.mark.asyncio(loop_scope="module")

CONTEXT = 2048


@pytest.mark.parametrize("requests", [1, 3, 64])
@pytest.mark.parametrize(("heads", "groups", "size"), [(32, 8, 128), (14, 2, 64), (8, 8, 64)])
def test_the_kernel_agrees_with_plain_attention(
    requests: int, heads: int, groups: int, size: int
) -> None:
    from inference.engines.gpu.decode_kernel import decode_attention  # noqa: PLC0415

    torch.manual_seed(requests * heads)
    page, most = 256, 6
    lengths = torch.randint(0, page * most - 1, (requests,), dtype=torch.int32)
    if requests > 1:
        lengths[-1], lengths[0] = -1, 0  # padding; a first token
    table = torch.randperm(requests * most).reshape(requests, most).int()
    keys, values = (_random(requests * most, page, groups, size) for _ in range(2))
    query, key, value = (_random(requests, 1, n, size) for n in (heads, groups, groups))
    before = keys.clone()
    out = decode_attention(query, keys, values, key, value, lengths.cuda(), table.cuda())
    for at, length in enumerate(lengths.tolist()):
        if length < 0:
            continue
        rows = table[at].long().cuda()
        cached, worth = (x[rows].flatten(0, 1)[:length] for x in (before, values))
        all_keys = torch.cat([cached, key[at]]).double().repeat_interleave(heads // groups, 1)
        all_values = torch.cat([worth, value[at]]).double().repeat_interleave(heads // groups, 1)
        scores = torch.einsum("hd,nhd->hn", query[at, 0].double(), all_keys) * size**-0.5
        wanted = torch.einsum("hn,nhd->hd", scores.softmax(-1), all_values)
        error = (out[at, 0].double() - wanted).norm() / wanted.norm()
        assert error < 1e-2
        assert torch.equal(keys[rows].flatten(0, 1)[length], key[at, 0])


@pytest.mark.parametrize(("rows", "size"), [(4096, 4096), (1001, 896), (896, 4864)])
@pytest.mark.parametrize("biased", [False, True])
def test_a_single_row_is_multiplied_right(rows: int, size: int, biased: bool) -> None:
    from inference.engines.gpu.gemv_kernel import gemv_linear  # noqa: PLC0415

    x, weight = _random(1, 1, size), _random(rows, size)
    bias = _random(rows) if biased else None
    wanted = torch.nn.functional.linear(
        x.double(), weight.double(), None if bias is None else bias.double()
    )
    out = gemv_linear(x, weight, bias)
    assert out.shape == (1, 1, rows)
    assert (out.double() - wanted).norm() / wanted.norm() < 1e-2


@pytest.mark.parametrize("x_rows", [1, 2, 9, 300])
@pytest.mark.parametrize(("rows", "size"), [(4096, 4096), (1008, 896), (896, 4864), (4096, 14336)])
@pytest.mark.parametrize("biased", [False, True])
def test_fp8_products_are_those_of_the_rounded_numbers(
    x_rows: int, rows: int, size: int, biased: bool
) -> None:
    from inference.engines.fp8 import MAX_BF16_ROWS, quantize_rows  # noqa: PLC0415
    from inference.engines.gpu.fp8_linear import fp8_linear  # noqa: PLC0415

    x, (weight, scale) = _random(1, x_rows, size), quantize_rows(_random(rows, size))
    bias = _random(rows) if biased else None
    rounded = x[0].double()
    if x_rows > MAX_BF16_ROWS:
        values, scales = quantize_rows(x[0])
        rounded = values.double() * scales
    wanted = rounded @ (weight.double() * scale).t() + (0 if bias is None else bias.double())
    out = fp8_linear(x, weight, scale.t().contiguous(), bias)
    assert out.shape == (1, x_rows, rows)
    assert (out[0].double() - wanted).norm() / wanted.norm() < 1e-2


@pytest.mark.parametrize(("heads", "groups", "size"), [(32, 8, 128), (14, 2, 64), (8, 8, 64)])
def test_prompts_are_read_where_the_cache_lies(heads: int, groups: int, size: int) -> None:
    from inference.engines.gpu.prefill_kernel import prefill_attention  # noqa: PLC0415

    torch.manual_seed(heads)
    # Tokens that each request had, and new ones: a first piece, a next token, a next piece, padding
    requests = [(0, 300), (777, 1), (512, 130), (0, 1), (0, 0), (0, 0)]
    page, most = 256, 40
    keys, values = (_random(most * page, groups, size) for _ in range(2))
    new = _starts([count for _, count in requests])
    known = _starts([before + count for before, count in requests])
    free = torch.randperm(most, device="cuda") * page
    begins, of_request = torch.zeros(most, dtype=torch.long, device="cuda"), []
    for at, (before, count) in enumerate(requests):
        pages = -(-(before + count) // page)
        own, free = free[:pages], free[pages:]
        begins[(first := int(known[at]) // page + at) : first + len(own)] = own
        of_request.append((own[:, None] + torch.arange(page, device="cuda")).flatten())
    query = _random(int(new[-1]) + 80, heads, size)
    out = prefill_attention(query, keys, values, begins, page, new, known, size**-0.5)
    for at, (before, count) in enumerate(requests):
        own = of_request[at][: before + count]
        k, v = (t[own].double().repeat_interleave(heads // groups, 1) for t in (keys, values))
        asks = slice(int(new[at]), int(new[at + 1]))
        scores = torch.einsum("thd,nhd->htn", query[asks].double(), k) * size**-0.5
        later = torch.ones(count, before + count, device="cuda").triu(before + 1).bool()
        wanted = torch.einsum("htn,nhd->thd", scores.masked_fill(later, -1e9).softmax(-1), v)
        assert (out[asks].double() - wanted).norm() <= 1e-2 * wanted.norm()


@pytest.mark.parametrize("normed", [False, True])
@pytest.mark.parametrize("placed", [False, True])
def test_queries_and_keys_are_rotated_and_kept(placed: bool, normed: bool) -> None:
    from inference.engines.gpu.rope_kernel import apply_rope  # noqa: PLC0415

    tokens, heads, groups, size = 33, 14, 2, 64
    joined, cos, sin = (_random(tokens, n) for n in ((heads + 2 * groups) * size, size, size))
    norms = (_random(size), _random(size), 1e-6) if normed else None
    places = torch.randperm(100, device="cuda")[:tokens] if placed else None
    query, keys, values = (
        torch.full((n, h, size), torch.nan, device="cuda", dtype=torch.bfloat16)
        for n, h in ((tokens, heads), (100, groups), (100, groups))
    )
    apply_rope(joined, cos, sin, query, keys, values, places, norms)
    kept = torch.arange(tokens, device="cuda") if places is None else places
    q, k, v = torch.split(joined.double().view(tokens, -1, size), [heads, groups, groups], 1)
    if norms is not None:
        q, k = (
            torch.nn.functional.rms_norm(x, (size,), w.double(), 1e-6)
            for x, w in ((q, norms[0]), (k, norms[1]))
        )
    for got, x in ((query, q), (keys[kept], k)):
        half = torch.cat((-x[..., size // 2 :], x[..., : size // 2]), -1)
        wanted = x * cos.double()[:, None] + half * sin.double()[:, None]
        assert (got.double() - wanted).norm() < 1e-2 * wanted.norm()
    assert torch.equal(values[kept].double(), v)


def _starts(counts: list[int]) -> torch.Tensor:
    return torch.tensor([0, *counts], device="cuda").cumsum(0).int()


def _random(*shape: int) -> torch.Tensor:
    return torch.randn(shape, device="cuda", dtype=torch.bfloat16)


# --- the loop with all of it ----------------------------------------------------------------


def llama() -> Any:
    shape = {
        "hidden_size": 512,
        "intermediate_size": 1024,
        "num_hidden_layers": 3,
        "num_attention_heads": 8,
        "num_key_value_heads": 2,
        "head_dim": 64,
        "max_position_embeddings": CONTEXT,
        "initializer_range": 0.2,
    }
    return tiny.llama(1000, **shape).to("cuda", torch.bfloat16)


@pytest.fixture(scope="module")
def model() -> Any:
    return llama()


@pytest.mark.parametrize("quantized", [0, 1])
def test_attention_is_ours_in_all_layers_or_in_none(quantized: int) -> None:
    """A batch tells of its cache in one way: of pages, or of tokens."""
    made = llama()
    for layer in made.model.layers[:quantized]:
        layer.self_attn.q_proj = torch.nn.Sequential(layer.self_attn.q_proj)
    ours = [hasattr(layer.self_attn, "reads_in_place") for layer in fused(made).model.layers]
    assert ours == [not quantized] * 3


def fused(model: Any) -> Any:
    from inference.engines.gpu.fused_layers import fuse  # noqa: PLC0415

    fuse(model, in_place=True)
    return model


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=[False, True])
async def loop(request: pytest.FixtureRequest) -> AsyncIterator[ContinuousBatchingLoop]:
    fast = for_this_device(llama())
    sizes = BatchConfig.for_model(fast, slots=8, context_tokens=CONTEXT, compiled=request.param)
    async with ContinuousBatchingLoop(fast, sizes=sizes, end_ids=(-1,)) as running:
        yield running


async def answer(
    loop: ContinuousBatchingLoop | SequentialLoop,
    prompt: list[int],
    draw: SamplingRules = GREEDY,
    new: int = 24,
) -> list[int]:
    ids: list[int] = []
    async with aclosing(loop.stream(prompt, draw, new)) as steps:
        async for more, _ in steps:
            ids += more
    return ids


def prompt_of(length: int, seed: int) -> list[int]:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 1000, (length,), generator=generator).tolist()


@pytest.mark.parametrize("compiled", [False, True])
async def test_fp8_answers_are_as_near_to_the_plain_model_as_their_simulation(
    compiled: bool, model: Any
) -> None:
    from inference.engines.fp8 import simulate  # noqa: PLC0415

    simulated, fast = llama(), for_this_device(llama(), fp8=True)
    simulate(simulated)
    assert fast.model.layers[0].self_attn.joined.weight.dtype is torch.float8_e4m3fn
    assert fast.lm_head.weight.dtype is torch.bfloat16
    sizes = BatchConfig.for_model(fast, slots=8, context_tokens=CONTEXT, compiled=compiled)
    prompts = [prompt_of(length, length) for length in (20, 90, 200, 450, 900, 1800)]
    async with ContinuousBatchingLoop(fast, sizes=sizes, end_ids=(-1,)) as running:
        answers = [await answer(running, prompt) for prompt in prompts[:3]]
        answers += await asyncio.gather(*(answer(running, prompt) for prompt in prompts[3:]))
    ours = near = total = 0
    for prompt, ids in zip(prompts, answers, strict=True):
        wanted, rounded = (_best_tokens(of, prompt, ids) for of in (model, simulated))
        ours += int((wanted == torch.tensor(ids)).sum())
        near += int((wanted == rounded).sum())
        total += len(ids)
    assert total == 24 * len(prompts)
    assert ours >= near - total / 10


@torch.inference_mode()
def _best_tokens(model: Any, prompt: list[int], ids: list[int]) -> torch.Tensor:
    logits = model(torch.tensor([prompt + ids], device="cuda")).logits
    best: torch.Tensor = logits[0, len(prompt) - 1 : -1].argmax(-1).cpu()
    return best


@on_one_loop
async def test_graphs_and_paged_decoding_are_in_use(loop: ContinuousBatchingLoop) -> None:
    config = loop._manager.continuous_batching_config
    assert config.cuda_graph_booleans[1]
    assert config.use_async_batching
    assert config.max_blocks_per_request > 0


@on_one_loop
async def test_prompts_of_every_size_have_their_graph(loop: ContinuousBatchingLoop) -> None:
    before = _graphs(loop)
    await asyncio.gather(*(answer(loop, prompt_of(n, n), new=8) for n in (3, 130, 1000, 1900)))
    assert _graphs(loop) == before


def _graphs(loop: ContinuousBatchingLoop) -> list[set[tuple[int, ...]]]:
    buffers = loop._manager.batch_processor.inputs_and_outputs
    return [set(pair.device_io.graphs._storage) for pair in buffers.io_pairs]


@on_one_loop
async def test_answers_agree_with_the_plain_model(loop: ContinuousBatchingLoop, model: Any) -> None:
    """They are as near to exact arithmetic as those of the plain model, in the same run.

    In bfloat16 the plain model disagrees about one token in seven, and for some prompts about half
    of them, by two thirds of a deviation at most; the best of a thousand scores lies
    three deviations above a wrong one. A share of 480 tokens varies by 2%.
    """
    exact = copy.deepcopy(model).float()
    prompts = [prompt_of((5, 40, 256, 300, 700)[n % 5], n) for n in range(20)]
    plain = tiny.closeness(exact, prompts, [tiny.greedy(model, each, 24) for each in prompts])
    answers: list[list[int]] = []
    for at in range(0, len(prompts), 5):
        answers += await asyncio.gather(*(answer(loop, each) for each in prompts[at : at + 5]))
    ours = tiny.closeness(exact, prompts, answers)
    assert ours.share > plain.share - 0.1
    assert ours.worst < max(1.0, plain.worst + 0.3)


@on_one_loop
async def test_a_seed_repeats_in_any_company(loop: ContinuousBatchingLoop) -> None:
    warm = SamplingRules(temperature=1.0, top_p=0.95, top_k=0, repetition_penalty=1.1, seed=5)
    prompt = prompt_of(60, 1)
    alone = await answer(loop, prompt, warm)
    others = [answer(loop, prompt_of(50, n), replace(warm, seed=n)) for n in range(6)]
    among, *_ = await asyncio.gather(answer(loop, prompt, warm), *others)
    assert among[:8] == alone[:8]
    assert await answer(loop, prompt, replace(warm, seed=6)) != alone


@on_one_loop
async def test_a_strong_penalty_never_repeats(loop: ContinuousBatchingLoop) -> None:
    ids = await answer(loop, prompt_of(30, 3), replace(GREEDY, repetition_penalty=2.0), new=40)
    free = await answer(loop, prompt_of(30, 3), GREEDY, new=40)
    assert len(set(ids)) > len(set(free)) or ids == free


@on_one_loop
async def test_a_second_turn_finds_the_first(loop: ContinuousBatchingLoop) -> None:
    """Also where the prompt is read in pieces, which the library forgets the second last of."""
    prompt = prompt_of(1500, 4)
    ids = await answer(loop, prompt, new=100)
    again = loop.stream([*prompt, *ids, *prompt_of(20, 5)], GREEDY, 4)
    pieces = [piece async for piece in again]
    assert pieces[-1].cached_tokens == 256 * ((1500 + 99) // 256)


@on_one_loop
async def test_aborting_frees_the_slots(loop: ContinuousBatchingLoop) -> None:
    for _ in range(20):
        stream = loop.stream(prompt_of(20, 6), GREEDY, 500)
        await anext(stream)
        await stream.aclose()
    assert len(await answer(loop, prompt_of(20, 6))) == 24


@on_one_loop
async def test_a_dead_loop_is_built_anew(loop: ContinuousBatchingLoop) -> None:
    running = loop.stream(prompt_of(20, 7), GREEDY, 1500)
    await anext(running)
    before = loop.rebuilds
    loop._manager.batch_processor.scheduler.schedule_batch = None  # as a defect of the library's
    with pytest.raises(EngineFailed):
        async for _ in running:
            pass
    async with asyncio.timeout(240):
        while loop.rebuilds == before or loop.broken:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    assert len(await answer(loop, prompt_of(20, 7))) == 24


@on_one_loop
@pytest.mark.parametrize("bits", ["4bit", "8bit"])
async def test_fewer_bits_are_batched_too(bits: Any, model: Any, tmp_path: Path) -> None:
    pytest.importorskip("bitsandbytes")
    from transformers import AutoModelForCausalLM  # noqa: PLC0415

    model.save_pretrained(tmp_path)
    small = AutoModelForCausalLM.from_pretrained(
        tmp_path, dtype=torch.bfloat16, attn_implementation="sdpa", **Placement(bits).arguments()
    )
    fast = for_this_device(small.eval())
    sizes = BatchConfig.for_model(fast, slots=4, context_tokens=CONTEXT, compiled=False)
    async with ContinuousBatchingLoop(fast, sizes=sizes, end_ids=(-1,)) as running:
        alone = await answer(running, prompt_of(60, 8))
        among = await asyncio.gather(*(answer(running, prompt_of(60, 8 + n)) for n in range(4)))
    assert running.rebuilds == 0
    assert [len(ids) for ids in among] == [24] * 4
    if bits == "4bit":  # with eight, what counts as an outlier depends on the company
        assert among[0][:4] == alone[:4]


@on_one_loop
@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="one card")
async def test_layers_on_two_cards_answer_as_on_one(model: Any, tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM  # noqa: PLC0415

    model.save_pretrained(tmp_path)
    answers = []
    for spread in (False, True):
        placed = AutoModelForCausalLM.from_pretrained(
            tmp_path, dtype=torch.bfloat16, **Placement(spread=spread).arguments()
        )
        assert (len(set(placed.hf_device_map.values())) > 1) is spread
        async with SequentialLoop(placed.eval(), end_ids=(-1,)) as running:
            answers.append([await answer(running, prompt_of(n, n)) for n in (5, 300, 700)])
    assert answers[0] == answers[1]
