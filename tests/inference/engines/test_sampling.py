"""Held against transformers' own processors, which draw for a whole batch."""

from dataclasses import dataclass, replace

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

from inference.engines.sampling import (
    CANDIDATES,
    GREEDY,
    RequestSampler,
    SamplingDefaults,
    SamplingRules,
    rules_table,
    sample_tokens,
)
from jobqueue.schema import Sampling

VOCABULARY = 2 * CANDIDATES
EDGE = 1e-4
PROMPT = [1, 5, 5, 9]


def scores_of(seed: int, spread: float = 3.0) -> torch.Tensor:
    return torch.randn(VOCABULARY, generator=torch.Generator().manual_seed(seed)) * spread


def drawn(
    draw: SamplingRules, scores: torch.Tensor, so_far: list[int], times: int = 1
) -> list[int]:
    """What the rules draw from `scores` [vocabulary] at so many positions, all in one batch."""
    seen = torch.zeros(times, scores.numel(), dtype=torch.bool)
    seen[:, so_far] = True
    table = rules_table([draw] * times, range(times), [0] * times)
    ids: list[int] = sample_tokens(scores.expand(times, -1), seen, table).tolist()
    return ids


def reference(scores: torch.Tensor, draw: SamplingRules) -> torch.Tensor:
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
    draw = SamplingRules(*rules, seed)
    scores = scores_of(seed, spread)
    # Sums in another order may put the token on the edge inside or outside.
    allowed = reference(scores, replace(draw, top_p=min(draw.top_p + EDGE, 1.0)))
    assert all(allowed[token] > 0 for token in drawn(draw, scores, PROMPT, times=20))


def test_tokens_are_drawn_as_often_as_the_reference_says() -> None:
    draw = SamplingRules(0.8, 0.9, 5, 1.2, seed=1)
    scores = scores_of(7, spread=1.0)
    tokens = torch.tensor(drawn(draw, scores, PROMPT, times=4000))
    often = torch.bincount(tokens, minlength=VOCABULARY) / 4000
    assert torch.allclose(often, reference(scores, draw), atol=0.03)


@pytest.mark.parametrize("rule", [{"temperature": 0.0}, {"top_k": 1}, {"top_p": 0.0}])
def test_greedy_takes_the_best(rule: dict[str, float]) -> None:
    draw = SamplingRules.from_sampling(Sampling(**rule), SamplingDefaults(repetition_penalty=1.0))  # type: ignore[arg-type]
    scores = scores_of(3)
    assert set(drawn(draw, scores, PROMPT, times=5)) == {int(scores.argmax())}


def test_the_penalty_turns_greed_away_from_what_was_said() -> None:
    scores = torch.zeros(VOCABULARY)
    scores[5], scores[6] = 2.0, 1.9
    draw = SamplingRules.from_sampling(
        Sampling(temperature=0, repetition_penalty=1.2), SamplingDefaults()
    )
    assert drawn(draw, scores, PROMPT) == [6]
    assert drawn(draw, scores, [1, 2]) == [5]


def test_a_seed_repeats_and_seeds_differ() -> None:
    def seeded(seed: int) -> list[int]:
        draw = SamplingRules.from_sampling(
            Sampling(seed=seed, temperature=1.5, top_p=1.0), SamplingDefaults()
        )
        return drawn(draw, scores_of(0), PROMPT, times=12)

    assert seeded(11) == seeded(11)
    assert seeded(11) != seeded(12)


def test_what_a_request_leaves_open_the_model_decides() -> None:
    draw = SamplingRules.from_sampling(Sampling(top_p=0.5), SamplingDefaults(0.3, 0.9, 40, 1.1))
    assert (draw.temperature, draw.top_p, draw.top_k, draw.repetition_penalty) == (
        0.3,
        0.5,
        40,
        1.1,
    )


# --- in the place of the library's processors -----------------------------------------------------


@dataclass
class State:
    """What the library tells of a request."""

    request_id: str
    initial_tokens: list[int]
    position_offset: int = 4


@dataclass
class InBatch:
    state: State
    has_new_token: bool = True


def step(sampler: RequestSampler, batch: list[InBatch], scores: torch.Tensor) -> list[int]:
    """One step of the library's, with `scores` [rows, vocabulary]; rows behind are padding."""
    storage = torch.empty(sampler.tensors_required, 8, dtype=torch.int32)
    defaults = torch.empty(sampler.tensors_required, 1, dtype=torch.int32)
    sampler.fill_defaults(defaults)
    storage[:] = defaults
    table = sampler.prepare_tensor_args(batch, storage)
    ids: list[int] = sampler(None, scores, table[:, : len(scores)]).argmax(-1).tolist()
    return ids


def test_each_row_follows_its_own_request() -> None:
    sampler = RequestSampler(requests=4, vocabulary=VOCABULARY, device=torch.device("cpu"))
    penalised = replace(GREEDY, repetition_penalty=1.5)
    sampler.add("plain", GREEDY)
    sampler.add("told", penalised)
    scores = torch.zeros(VOCABULARY)
    scores[5], scores[6], scores[7] = 2.0, 1.9, 1.8
    batch = [InBatch(State("plain", PROMPT)), InBatch(State("told", PROMPT))]
    batch.insert(1, InBatch(State("reading", PROMPT), has_new_token=False))
    # Row 2 is padding. What was drawn is seen from the next step on.
    assert step(sampler, batch, scores.expand(3, -1)) == [5, 6, 5]
    assert step(sampler, batch, scores.expand(3, -1)) == [5, 7, 5]
    # A new request takes the place in memory, and sees only its own prompt.
    sampler.remove("told")
    sampler.add("new", penalised)
    assert step(sampler, [InBatch(State("new", [6]))], scores[None]) == [5]


def test_an_aborted_request_harms_nobody() -> None:
    sampler = RequestSampler(requests=1, vocabulary=VOCABULARY, device=torch.device("cpu"))
    sampler.add("gone", SamplingRules(1.0, 1.0, 0, 1.3))
    sampler.remove("gone")
    scores = scores_of(1)
    assert step(sampler, [InBatch(State("gone", PROMPT))], scores[None]) == [int(scores.argmax())]
