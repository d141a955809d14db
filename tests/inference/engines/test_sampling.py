"""Held against transformers' own processors, which draw for a whole batch."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers.generation.logits_process import (
    LogitsProcessorList,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from inference.engines.sampling import CANDIDATES, Defaults, Draw
from jobqueue.schema import Sampling

VOCABULARY = 2 * CANDIDATES
EDGE = 1e-4
PROMPT = [1, 5, 5, 9]


def scores_of(seed: int, spread: float = 3.0) -> torch.Tensor:
    return torch.randn(VOCABULARY, generator=torch.Generator().manual_seed(seed)) * spread


def reference(scores: torch.Tensor, draw: Draw) -> torch.Tensor:
    """Probabilities [vocabulary] as `generate()` makes them."""
    steps = LogitsProcessorList([RepetitionPenaltyLogitsProcessor(draw.repetition_penalty)])
    steps.append(TemperatureLogitsWarper(draw.temperature))
    if draw.top_k:
        steps.append(TopKLogitsWarper(draw.top_k))
    steps.append(TopPLogitsWarper(draw.top_p))
    processed: torch.Tensor = steps(torch.tensor([PROMPT]), scores[None].clone())
    return processed[0].softmax(0)


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 1000),
    spread=st.sampled_from([0.1, 1.0, 5.0]),
    rules=st.tuples(
        st.floats(0.1, 2.0),  # temperature
        st.floats(0.05, 1.0),  # top-p
        st.sampled_from([0, 2, 20, CANDIDATES + 5]),  # top-k
        st.floats(0.8, 1.5),  # repetition penalty
    ),
)
def test_only_tokens_of_the_reference_nucleus_are_drawn(
    seed: int, spread: float, rules: tuple[float, float, int, float]
) -> None:
    draw = Draw(*rules, torch.Generator().manual_seed(seed))
    scores = scores_of(seed, spread)
    # Sums in another order may put the token on the edge inside or outside.
    allowed = reference(scores, replace(draw, top_p=min(draw.top_p + EDGE, 1.0)))
    assert all(allowed[draw.next_token(scores, PROMPT)] > 0 for _ in range(20))


def test_tokens_are_drawn_as_often_as_the_reference_says() -> None:
    draw = Draw(0.8, 0.9, 5, 1.2, torch.Generator().manual_seed(1))
    scores = scores_of(7, spread=1.0)
    drawn = torch.bincount(
        torch.tensor([draw.next_token(scores, PROMPT) for _ in range(4000)]), minlength=VOCABULARY
    )
    assert torch.allclose(drawn / 4000, reference(scores, draw), atol=0.03)


@pytest.mark.parametrize("rule", [{"temperature": 0.0}, {"top_k": 1}, {"top_p": 0.0}])
def test_greedy_takes_the_best(rule: dict[str, float]) -> None:
    draw = Draw.of(Sampling(**rule), Defaults(repetition_penalty=1.0))  # type: ignore[arg-type]
    scores = scores_of(3)
    assert {draw.next_token(scores, PROMPT) for _ in range(5)} == {int(scores.argmax())}


def test_the_penalty_turns_greed_away_from_what_was_said() -> None:
    scores = torch.zeros(VOCABULARY)
    scores[5], scores[6] = 2.0, 1.9
    draw = Draw.of(Sampling(temperature=0, repetition_penalty=1.2), Defaults())
    assert draw.next_token(scores, PROMPT) == 6
    assert draw.next_token(scores, [1, 2]) == 5


def test_a_seed_repeats_and_seeds_differ() -> None:
    def drawn(seed: int) -> list[int]:
        draw = Draw.of(Sampling(seed=seed, temperature=1.5, top_p=1.0), Defaults())
        return [draw.next_token(scores_of(0), PROMPT) for _ in range(12)]

    assert drawn(11) == drawn(11)
    assert drawn(11) != drawn(12)


def test_what_a_request_leaves_open_the_model_decides() -> None:
    draw = Draw.of(Sampling(top_p=0.5), Defaults(0.3, 0.9, 40, 1.1))
    assert (draw.temperature, draw.top_p, draw.top_k, draw.repetition_penalty) == (
        0.3,
        0.5,
        40,
        1.1,
    )
