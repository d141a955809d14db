"""Samples each request's next token by its own rules, for the whole batch at once.

transformers' continuous batching knows one seed, no repetition penalty, and temperature, top-k and
top-p only. It hands the scores of a batch to a list of processors; ours takes that place and
leaves each row a single candidate, so the library's argmax can only choose what was drawn here.

Everything is tensor arithmetic of fixed shapes, so it can be captured in a CUDA graph and run
while the batch before it is not yet read back: what differs between requests travels in the rows
that the library copies to the device, chance included, and which tokens a request has seen is
kept on the device. The trade-off is that a nucleus never reaches beyond the best `CANDIDATES`.
"""

import secrets
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from transformers.generation.continuous_batching.cb_logits_processors import (
    ContinuousBatchingLogitsProcessorList,
)
from transformers.generation.logits_process import LogitsProcessorList

from jobqueue.schema import Sampling

# The nucleus nearly always lies among this many; finding them is ten times faster than sorting a
# vocabulary of 150,000.
CANDIDATES = 1024

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class SamplingDefaults:
    """The defaults in the model's own `generation_config.json`.

    A converted checkpoint brings no advice; then it is the usual for a chat, with the mild
    penalty that keeps small models from repeating themselves (Qwen2.5's own choice).
    """

    temperature: float = 0.7
    top_p: float = 0.8
    top_k: int = 0
    repetition_penalty: float = 1.1

    @classmethod
    def from_config(cls, config: Any) -> "SamplingDefaults":
        if config._from_model_config:
            return cls()
        return cls(
            temperature=_first(config.temperature, cls().temperature),
            top_p=_first(config.top_p, cls().top_p),
            top_k=_first(config.top_k, cls().top_k),
            repetition_penalty=_first(config.repetition_penalty, 1.0),
        )


@dataclass(frozen=True, slots=True)
class SamplingRules:
    """One request's rules, complete. Its chance is its own, so neighbours never shift it."""

    temperature: float
    top_p: float
    top_k: int
    repetition_penalty: float
    seed: int = field(default_factory=lambda: secrets.randbits(63))

    @classmethod
    def from_sampling(cls, sampling: Sampling, defaults: SamplingDefaults) -> "SamplingRules":
        return cls(
            temperature=_first(sampling.temperature, defaults.temperature),
            top_p=_first(sampling.top_p, defaults.top_p),
            top_k=_first(sampling.top_k, defaults.top_k),
            repetition_penalty=_first(sampling.repetition_penalty, defaults.repetition_penalty),
            seed=_first(sampling.seed, secrets.randbits(63)),
        )

    @property
    def is_greedy(self) -> bool:
        return self.temperature == 0 or self.top_k == 1 or self.top_p == 0


GREEDY = SamplingRules(temperature=0, top_p=1, top_k=0, repetition_penalty=1, seed=0)

# The rows of the table that travels to the device, a column for each request. The library copies
# 32-bit integers; numbers with a fraction are their bits.
_REALS = ("temperature", "top_p", "penalty", "chance")  # chance is in [0, 1)
_INTEGERS = ("top_k", "memory")  # memory is the row of the seen tokens
_ROWS = {name: row for row, name in enumerate((*_REALS, *_INTEGERS))}
_COLUMN = np.dtype([(name, np.float32) for name in _REALS] + [(n, np.int32) for n in _INTEGERS])


def rules_table(
    draws: Sequence[SamplingRules], positions: Sequence[int], memories: Sequence[int]
) -> torch.Tensor:
    """The table [fields, requests], int32, for requests whose next token has these positions."""
    table = np.empty(len(draws), _COLUMN)
    for at, (draw, memory) in enumerate(zip(draws, memories, strict=True)):
        heat, top_p, top_k = (
            (1.0, 1.0, 1) if draw.is_greedy else (draw.temperature, draw.top_p, draw.top_k)
        )
        table[at] = (heat, top_p, draw.repetition_penalty, 0.0, top_k, memory)
    table["chance"] = _chance([draw.seed for draw in draws], positions)
    return torch.from_numpy(table.view(np.int32).reshape(len(draws), len(_ROWS)).T.copy())


def _chance(seeds: Sequence[int], positions: Sequence[int]) -> NDArray[np.float32]:
    """A number in [0, 1) for each seed and position: splitmix64 (Steele, Lea, Flood 2014)."""
    with np.errstate(over="ignore"):
        z = np.array(seeds, np.uint64) + np.array(positions, np.uint64) * np.uint64(
            0x9E3779B97F4A7C15
        )
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    # 23 bits: so many of a float's that a product with any number is smaller than that number.
    chance: NDArray[np.float32] = (z >> np.uint64(41)).astype(np.float32) / np.float32(2**23)
    return chance


def sample_tokens(scores: torch.Tensor, seen: torch.Tensor, table: torch.Tensor) -> torch.Tensor:
    """The next ids [requests] from `scores` and `seen` [requests, vocabulary] and a `table`."""
    temperature, top_p, penalty, chance = (
        table[_ROWS[name]].view(torch.float32)[:, None] for name in _REALS
    )
    top_k = table[_ROWS["top_k"]][:, None]
    scores = _penalize_repetition(scores, seen, penalty) / temperature
    best, ids = scores.topk(min(CANDIDATES, scores.size(-1)))
    inside = torch.arange(best.size(-1), device=best.device) < torch.where(
        top_k > 0, top_k, best.size(-1)
    )
    among = best.masked_fill(~inside, float("-inf"))
    whole = torch.where(top_k > 0, among.logsumexp(-1, True), scores.logsumexp(-1, True))
    probabilities = (among - whole).exp()
    before = probabilities.cumsum(-1) - probabilities
    kept = probabilities.masked_fill((before >= top_p) & (before > 0), 0.0).cumsum(-1)
    at = (kept <= chance * kept[:, -1:]).sum(-1, keepdim=True)
    return ids.gather(-1, at.clamp(max=best.size(-1) - 1))[:, 0]


def _penalize_repetition(
    scores: torch.Tensor, seen: torch.Tensor, penalty: torch.Tensor
) -> torch.Tensor:
    """The CTRL paper's repetition penalty (arXiv:1909.05858), as `generate()` applies it."""
    return torch.where(seen, torch.where(scores < 0, scores * penalty, scores / penalty), scores)


class RequestSampler(ContinuousBatchingLogitsProcessorList):  # type: ignore[misc]
    """Stands where the library keeps its processors.

    `prepare_tensor_args` runs on the batching thread, `add` and `remove` on the caller's.
    """

    def __init__(
        self,
        *,
        requests: int,
        vocabulary: int,
        device: torch.device,
        stream: Callable[[], torch.cuda.Stream | None] = lambda: None,
    ) -> None:
        """`requests` is how many may run at once; `stream` is where batches are computed."""
        super().__init__(LogitsProcessorList())
        self.do_processing = True
        self.tensors_required = len(_ROWS)
        self.stepped_at = 0.0  # when the last batch was prepared, on the monotonic clock
        self._stream = stream
        self._draws: dict[str, SamplingRules] = {}  # by the library's request id
        self._memories: dict[str, int] = {}  # rows of the seen tokens; a penalty of 1 needs none
        self._fresh: set[str] = set()  # whose row holds another request's tokens yet
        self._free = deque(range(requests))
        self._nowhere = requests  # a row that nobody reads
        self._seen = torch.zeros(requests + 1, vocabulary, dtype=torch.bool, device=device)
        self._true = torch.ones((), dtype=torch.bool, device=device)  # a graph takes no constant

    def add(self, name: str, draw: SamplingRules) -> None:
        """Rules for a request that runs until `remove`; `requests` at once at most."""
        if draw.repetition_penalty != 1:
            self._memories[name] = self._free.popleft()
            self._fresh.add(name)
        self._draws[name] = draw

    def remove(self, name: str) -> None:
        del self._draws[name]
        self._fresh.discard(name)
        if (memory := self._memories.pop(name, None)) is not None:
            self._free.append(memory)

    def fill_defaults(self, int32_tensor: torch.Tensor) -> None:
        int32_tensor.copy_(rules_table([GREEDY], [0], [self._nowhere]))

    def prepare_tensor_args(self, requests_in_batch: Any, arg_storage: Any) -> Any:
        """Called before the forward pass: notes whose row is whose.

        The rows behind are padding of a captured graph, which must mark nothing as seen.
        """
        self.stepped_at = monotonic()
        states = [request.state for request in requests_in_batch if request.has_new_token]
        table = rules_table(
            [*(self._draws.get(state.request_id, GREEDY) for state in states), GREEDY],
            [*(state.position_offset for state in states), 0],
            [*map(self._memory, states), self._nowhere],
        ).to(arg_storage.device)
        arg_storage[:, : len(states)] = table[:, :-1]
        arg_storage[:, len(states) : self._nowhere] = table[:, -1:]
        return arg_storage

    def _memory(self, state: Any) -> int:
        name = state.request_id
        memory = self._memories.get(name, self._nowhere)
        if name in self._fresh:
            self._fresh.discard(name)
            # In the order of the batches: one under way may still write for the row's last owner.
            with torch.cuda.stream(self._stream()):
                # Tokens of pictures lie beyond the vocabulary, and are no words.
                words = [token for token in state.initial_tokens if token < self._seen.size(1)]
                said = torch.tensor(words, dtype=torch.long)
                if self._seen.is_cuda:  # pinned, for another copy waits until the GPU is done
                    said = said.pin_memory().to(self._seen.device, non_blocking=True)
                self._seen[memory] = False
                self._seen[memory].index_fill_(0, said, True)
        return memory

    def __call__(self, _input_ids: Any, scores: torch.Tensor, table: torch.Tensor) -> torch.Tensor:
        """`scores` [new tokens, vocabulary] → the same shape, one candidate a row."""
        table = table[:, : scores.size(0)]
        memories = table[_ROWS["memory"]].long()
        chosen = sample_tokens(scores, self._seen[memories], table)
        self._seen.index_put_((memories, chosen), self._true)
        return torch.full_like(scores, float("-inf")).scatter_(-1, chosen[:, None], 0.0)


def _first(value: T | None, default: T) -> T:
    return default if value is None else value
