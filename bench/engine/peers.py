"""What people use who have no engine: `generate()`, one request after another."""

import time
from statistics import median
from typing import Any

import torch


def measure_generate(model: Any, prompt: int, new: int) -> dict[str, Any]:
    """Tokens a second of one request, the first left out."""
    ids = torch.randint(5, 4000, (1, prompt), device=model.device)

    def seconds(tokens: int) -> float:
        begun = time.perf_counter()
        model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=tokens,
            min_new_tokens=tokens,
            do_sample=False,
            pad_token_id=0,
        ).cpu()
        return time.perf_counter() - begun

    few = min(new, 65)
    seconds(2)
    first = median(seconds(1) for _ in range(3))
    return {
        "what": "generate(), one at a time",
        "tokens_s": round((few - 1) / (seconds(few) - first), 1),
        "first_p50_ms": round(first * 1000, 1),
    }
