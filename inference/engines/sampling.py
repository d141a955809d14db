"""Draws each request's next token by its own rules.

transformers' continuous batching draws for the whole batch: one seed, no repetition penalty, and
temperature, top-k and top-p only. It hands the scores of the batch to a list of processors; ours
takes that place and leaves each row a single candidate, so the library's argmax can only choose
what was drawn here. Meant for synchronous batches (no CUDA graph, no double buffering).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import torch
from transformers.generation.continuous_batching.cb_logits_processors import (
    ContinuousBatchingLogitsProcessorList,
)
from transformers.generation.logits_process import LogitsProcessorList

from jobqueue.schema import Sampling

# The nucleus nearly always lies among this many candidates; finding them is ten times faster
# than sorting a vocabulary of 150,000.
CANDIDATES = 1024

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Defaults:
    """What the model's own `generation_config.json` advises.

    A converted checkpoint brings no advice; then it is the usual for a chat, with the mild
    penalty that keeps small models from repeating themselves (Qwen2.5's own choice).
    """

    temperature: float = 0.7
    top_p: float = 0.8
    top_k: int = 0
    repetition_penalty: float = 1.1

    @classmethod
    def of(cls, config: Any) -> "Defaults":
        if config._from_model_config:
            return cls()
        return cls(
            temperature=_first(config.temperature, cls().temperature),
            top_p=_first(config.top_p, cls().top_p),
            top_k=_first(config.top_k, cls().top_k),
            repetition_penalty=_first(config.repetition_penalty, 1.0),
        )


@dataclass(frozen=True, slots=True)
class Draw:
    """One request's rules, complete. The generator is its own, so neighbours never shift it."""

    temperature: float
    top_p: float
    top_k: int
    repetition_penalty: float
    generator: torch.Generator = field(default_factory=torch.Generator)

    @classmethod
    def of(cls, sampling: Sampling, defaults: Defaults) -> "Draw":
        generator = torch.Generator()
        if sampling.seed is None:
            generator.seed()
        else:
            generator.manual_seed(sampling.seed)
        return cls(
            temperature=_first(sampling.temperature, defaults.temperature),
            top_p=_first(sampling.top_p, defaults.top_p),
            top_k=_first(sampling.top_k, defaults.top_k),
            repetition_penalty=_first(sampling.repetition_penalty, defaults.repetition_penalty),
            generator=generator,
        )

    @property
    def greedy(self) -> bool:
        return self.temperature == 0 or self.top_k == 1 or self.top_p == 0

    def next_token(self, scores: torch.Tensor, so_far: Sequence[int]) -> int:
        """The next id from `scores` [vocabulary], float32; `so_far` is prompt and answer."""
        scores = _penalised(scores, so_far, self.repetition_penalty)
        if self.greedy:
            return int(scores.argmax())
        candidates, probabilities = self._nucleus(scores / self.temperature)
        at = torch.multinomial(probabilities, 1, generator=self.generator)
        return int(candidates[at])

    def _nucleus(self, scores: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Ids and their probabilities [n], best first: top-k, then top-p among them."""
        size = min(self.top_k or CANDIDATES, scores.numel())
        best, ids = scores.topk(size)
        everything = best if self.top_k else scores
        probabilities = (best - everything.logsumexp(0)).exp()
        before = probabilities.cumsum(0) - probabilities
        if not self.top_k and before[-1] < self.top_p and size < scores.numel():
            probabilities, ids = scores.softmax(0).sort(descending=True)
            before = probabilities.cumsum(0) - probabilities
        kept = before < self.top_p
        return ids[kept].cpu(), probabilities[kept].cpu()


class RequestSampler(ContinuousBatchingLogitsProcessorList):  # type: ignore[misc]
    """Stands where the library keeps its processors."""

    def __init__(self) -> None:
        super().__init__(LogitsProcessorList())
        self.do_processing = True
        self.draws: dict[str, Draw] = {}  # by the library's request id
        self._batch: list[tuple[Draw | None, list[int]]] = []

    def prepare_tensor_args(self, requests_in_batch: Any, arg_storage: Any) -> Any:
        """Called before the forward pass: notes whose row is whose."""
        self._batch = [
            (
                self.draws.get(request.state.request_id),
                request.state.initial_tokens + request.state.generated_tokens,
            )
            for request in requests_in_batch
            if request.has_new_token
        ]
        return arg_storage

    def __call__(self, _input_ids: Any, scores: torch.Tensor, _args: Any) -> torch.Tensor:
        """`scores` [new tokens, vocabulary] → the same shape, one candidate a row."""
        chosen = torch.full_like(scores, float("-inf"))
        for row, (draw, so_far) in enumerate(self._batch):
            # A request aborted a moment ago has no rules left; nobody reads its token.
            token = draw.next_token(scores[row], so_far) if draw else 0
            chosen[row, token] = 0.0
        return chosen


def _penalised(scores: torch.Tensor, so_far: Sequence[int], penalty: float) -> torch.Tensor:
    """The CTRL paper's repetition penalty (arXiv:1909.05858), as `generate()` applies it."""
    if penalty == 1.0:
        return scores
    seen = torch.tensor(sorted(set(so_far)), device=scores.device)
    old = scores[seen]
    scores = scores.clone()
    scores[seen] = torch.where(old < 0, old * penalty, old / penalty)
    return scores


def _first(value: T | None, default: T) -> T:
    return default if value is None else value
