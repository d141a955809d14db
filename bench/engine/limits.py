"""Upper limits of the device."""

import time
from statistics import median
from typing import Any

import torch


def measure_limit(model: Any) -> dict[str, Any]:
    """Return the tokens per second of one request if a step only read the weights."""
    weights = sum(p.numel() * p.element_size() for p in _weights_of_step(model))
    return describe_limit("limit of one request", weights, measure_copy_bandwidth(model.device))


def describe_limit(what: str, weights: int, bandwidth: float) -> dict[str, Any]:
    """Return a row; `weights` in bytes, `bandwidth` in bytes per second."""
    return {
        "what": what,
        "tokens_s": round(bandwidth / weights, 1),
        "weights_GB": round(weights / 1e9, 2),
        "copy_TB_s": round(bandwidth / 1e12, 3),
    }


def name_device(model: Any) -> str:
    on_gpu = model.device.type == "cuda"
    return torch.cuda.get_device_name(model.device) if on_gpu else "cpu"


def _weights_of_step(model: Any) -> list[torch.Tensor]:
    """Return all weights except the embedding table, of which a step reads one row."""
    head = model.get_output_embeddings().weight
    table = model.get_input_embeddings().weight
    return [p for p in model.parameters() if p is not table or table is head]


def measure_copy_bandwidth(where: torch.device) -> float:
    """Return the bytes read and written per second by a copy far larger than any cache."""
    size = 2**31 if where.type == "cuda" else 2**28
    source = torch.randint(0, 255, (size,), dtype=torch.uint8, device=where)
    target = torch.empty_like(source)
    times = []
    for _ in range(10):
        _synchronize(where)
        begun = time.perf_counter()
        target.copy_(source)
        _synchronize(where)
        times.append(time.perf_counter() - begun)
    return 2 * size / median(times[2:])


def _synchronize(where: torch.device) -> None:
    if where.type == "cuda":
        torch.cuda.synchronize(where)
