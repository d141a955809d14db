"""A model that is quickly made and says nothing sensible."""

from typing import Any, NamedTuple

import torch
from transformers import LlamaConfig, LlamaForCausalLM, MistralConfig, MistralForCausalLM


def llama(vocabulary: int, **shape: Any) -> Any:
    """The same one each time. `shape` is what its configuration says otherwise."""
    return _made(LlamaForCausalLM, LlamaConfig, vocabulary, shape)


def mistral(vocabulary: int, **shape: Any) -> Any:
    """The same, with a `sliding_window`."""
    return _made(MistralForCausalLM, MistralConfig, vocabulary, shape)


def _made(kind: Any, configuration: Any, vocabulary: int, shape: dict[str, Any]) -> Any:
    torch.manual_seed(0)
    config = configuration(
        vocab_size=vocabulary,
        **{
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "num_key_value_heads": 1,
            # So that the best token is far ahead, and depends on all that was read.
            "initializer_range": 0.3,
            **shape,
        },
    )
    return kind._from_config(config, attn_implementation="sdpa").eval()


class Closeness(NamedTuple):
    """How near a model's answers are to exact arithmetic."""

    share: float  # of the tokens, that exact arithmetic finds best too
    worst: float  # how far the worst token lies behind the best, in deviations of the scores


@torch.no_grad()
def greedy(model: Any, prompt: list[int], new: int) -> list[int]:
    """The plain model's answer, with all of the prompt read for each token."""
    ids = list(prompt)
    for _ in range(new):
        scores = model(torch.tensor([ids], device=model.device)).logits[0, -1]
        ids.append(int(scores.argmax()))
    return ids[len(prompt) :]


@torch.no_grad()
def closeness(exact: Any, prompts: list[list[int]], answers: list[list[int]]) -> Closeness:
    """How `answers` stand beside what `exact` finds best after the same tokens."""
    hits: list[torch.Tensor] = []
    worst = 0.0
    for prompt, ids in zip(prompts, answers, strict=True):
        scores = exact(torch.tensor([prompt + ids], device=exact.device)).logits[0]
        best = scores[len(prompt) - 1 : -1]
        chosen = best.gather(-1, torch.tensor(ids, device=exact.device)[:, None])[:, 0]
        behind = (best.max(-1).values - chosen) / best.std()
        hits.append(behind == 0)
        worst = max(worst, float(behind.max()))
    return Closeness(float(torch.cat(hits).float().mean()), worst)
