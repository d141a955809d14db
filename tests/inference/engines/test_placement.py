"""Models that are larger than what is there: fewer bits, several devices, and honest refusals."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
import torch

from common.doctor_report import Severity
from inference.config import WorkerSettings
from inference.engines import engine_checks
from inference.engines.base import CannotLoad, Message
from inference.engines.device_placement import Placement
from inference.engines.fp8 import find_linear_layers, quantize_rows
from inference.engines.model_loader import load
from inference.engines.transformers_engine import TransformersEngine
from inference.models import ModelFiles
from tests.inference.support import Asker, text_of

pytestmark = [pytest.mark.model, pytest.mark.asyncio(loop_scope="session")]

GREEDY: dict[str, Any] = {"temperature": 0.0, "repetition_penalty": 1.0}


def engine_of(files: ModelFiles, placement: Placement) -> TransformersEngine:
    return TransformersEngine(
        model=files.name, folder=files.folder, slots=2, context_tokens=256, placement=placement
    )


async def test_layers_on_disk_answer_as_those_in_memory(
    smollm2: ModelFiles, engine: TransformersEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    spread = engine_of(smollm2, Placement(spread=True, most={"cpu": "200MB", "disk": "1GB"}))
    async with spread:
        ready = spread._ready
        assert ready is not None
        assert "disk" in ready.loaded.model.hf_device_map.values()
        assert spread.slots == 1
        asker, asked = Asker(spread), "What is the capital of France?"
        first, second = await asyncio.gather(
            *(asker.chunks(asked, max_tokens=6, **GREEDY) for _ in range(2))
        )
    wanted = text_of(await Asker(engine).chunks(asked, max_tokens=6, **GREEDY))
    assert text_of(first) == text_of(second) == wanted
    cached = [chunks[-1].usage.cached_tokens for chunks in (first, second) if chunks[-1].usage]
    assert cached[0] < cached[1]  # the same prompt is not read again


async def test_who_stops_listening_leaves_the_model_to_the_next(
    smollm2: ModelFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    async with engine_of(smollm2, Placement(spread=True)) as spread:
        stream = spread.generate(Asker(spread).request("Tell me a story.", max_tokens=200))
        await anext(stream)
        await stream.aclose()
        async with asyncio.timeout(60):
            again = await Asker(spread).chunks("Hello", max_tokens=4, **GREEDY)
    assert again[-1].usage is not None
    assert again[-1].usage.completion_tokens <= 4


async def test_bitsandbytes_is_told_how() -> None:
    """It itself runs in `test_gpu`: on two cores it takes seconds a token."""
    four, eight = (
        Placement(bits, spread=True).arguments()["quantization_config"] for bits in ("4bit", "8bit")
    )
    assert eight.load_in_8bit
    assert (four.load_in_4bit, four.bnb_4bit_compute_dtype) == (True, torch.bfloat16)


async def test_eight_bits_on_a_processor_need_no_package_and_hardly_change_a_score(
    smollm2: ModelFiles, engine: TransformersEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inference.engines.device_placement.find_spec", lambda _name: None)
    async with engine_of(smollm2, Placement("8bit")) as small:
        assert small._ready is not None
        assert engine._ready is not None
        ours, plain = small._ready.loaded.model, engine._ready.loaded.model
        assert type(ours.lm_head).__name__ == "Int8Linear"
        prompt = engine._ready.template.encode((Message("user", "What is the capital of Italy?"),))
        for ids in (prompt[-9:], prompt):  # few rows, and many
            got, wanted = await asyncio.gather(
                *(asyncio.to_thread(_scores, model, ids) for model in (ours, plain))
            )
            alike = torch.nn.functional.cosine_similarity(got, wanted, -1)
            assert alike.mean() > 0.995
        asked = "What is the capital of France?"
        assert "Paris" in text_of(await Asker(small).chunks(asked, max_tokens=12, **GREEDY))


@torch.inference_mode()
def _scores(model: Any, ids: list[int]) -> torch.Tensor:
    scores: torch.Tensor = model(torch.tensor([ids])).logits[0].float()
    return scores


@pytest.mark.parametrize("spread", [False, True])
async def test_a_missing_package_is_said_before_anything_is_read(
    smollm2: ModelFiles, monkeypatch: pytest.MonkeyPatch, spread: bool
) -> None:
    monkeypatch.setattr("inference.engines.device_placement.find_spec", lambda _name: None)
    with pytest.raises(CannotLoad, match="pip install bitsandbytes"):
        async with engine_of(smollm2, Placement("4bit", spread)):
            pass


async def test_what_a_spread_model_cannot_do_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CannotLoad, match="a model that sees"):
        Placement(spread=True).check(tmp_path, sees=True, adapted=False)
    with pytest.raises(CannotLoad, match="merge it"):
        Placement(spread=True).check(tmp_path, sees=False, adapted=True)


@pytest.mark.parametrize(
    ("capability", "spread", "reason"),
    [(None, False, "needs a GPU"), ((8, 6), False, "8.9"), ((9, 0), True, "INFERENCE_SPREAD")],
)
async def test_fp8_is_refused_with_the_way_out_where_it_cannot_run(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capability: tuple[int, int] | None,
    spread: bool,
    reason: str,
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: capability is not None)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda: capability)
    with pytest.raises(CannotLoad, match=rf"fp8.*{reason}.*8bit or 4bit"):
        Placement("fp8", spread).check(tmp_path, sees=False, adapted=False)


async def test_fp8_keeps_three_bits_of_each_number_and_leaves_the_head(smollm2: ModelFiles) -> None:
    weights = torch.randn(64, 256) * torch.logspace(-6, 3, 64)[:, None]
    rounded, scale = quantize_rows(weights)
    restored = rounded.float() * scale
    large = weights.abs() > weights.abs().amax(1, keepdim=True) / 1000
    assert ((restored - weights).abs() / weights.abs())[large].max() <= 1 / 16
    assert torch.equal(quantize_rows(torch.zeros(1, 16))[0].float(), torch.zeros(1, 16))
    model = load(smollm2.folder, None, lambda _done, _what: None).model
    layers = list(find_linear_layers(model))
    assert len(layers) == 7 * model.config.num_hidden_layers
    assert model.lm_head not in layers


async def test_a_card_that_is_too_small_is_told_with_the_ways_out(
    smollm2: ModelFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda: (1 << 27, 1 << 27))
    with pytest.raises(CannotLoad, match=r"INFERENCE_QUANTIZE=4bit.*INFERENCE_SPREAD.*vLLM"):
        Placement().check(smollm2.folder, sees=False, adapted=False)
    monkeypatch.setattr("inference.engines.device_placement.find_spec", lambda name: name)
    Placement("4bit").check(smollm2.folder, sees=False, adapted=False)


async def test_the_doctor_knows_both_settings(smollm2: ModelFiles) -> None:
    settings = WorkerSettings(model=smollm2.name, quantize="4bit", spread=True)
    found = {
        finding.what: finding
        for finding in await engine_checks.check_engine(settings, hashes=False)
    }
    assert "one answer at a time" in found["memory"].found
    assert found["bitsandbytes"].verdict in (Severity.GOOD, Severity.FAULT)
