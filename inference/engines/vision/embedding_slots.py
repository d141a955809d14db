"""Embedding slots: where the decoder looks up the features of pictures by token id.

Continuous batching takes token ids and nothing else. So each picture's tokens get ids of their
own, beyond the vocabulary, and the embedding layer finds their vectors here. To the batching they
are tokens like any other: read in pieces beside other requests' text, kept in the paged cache,
and found there again when the channel asks more about the same picture. This holds for models
that give picture tokens ordinary places in the sequence, as InternVL does.

An id is never given to another picture, since cached pages are found by their ids; only the place
of its vector is used again.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import embedding

IDS = 1 << 30  # and then from the beginning; what was cached so long ago is gone


class ImageEmbedding(nn.Embedding):
    """Words by their ids; beyond the vocabulary, pictures' tokens."""

    pictures: Tensor  # [tokens, width]

    def __init__(self, words: nn.Embedding, tokens: int) -> None:
        super().__init__(words.num_embeddings, words.embedding_dim, _weight=words.weight.data)
        shape = tokens, words.embedding_dim
        pictures = torch.zeros(shape, dtype=words.weight.dtype, device=words.weight.device)
        self.register_buffer("pictures", pictures, persistent=False)

    def forward(self, ids: Tensor) -> Tensor:
        beyond = ids >= self.num_embeddings
        places = (ids - self.num_embeddings).clamp_min(0) % self.pictures.size(0)
        words = super().forward(ids.masked_fill(beyond, 0))
        return torch.where(beyond[..., None], embedding(places, self.pictures), words)

    def put(self, begin: int, features: Tensor) -> None:
        """Returns when whatever computes next, on whichever stream, will find them."""
        places = torch.arange(begin, begin + len(features), device=features.device)
        self.pictures[places % self.pictures.size(0)] = features.to(self.pictures.dtype)
        if features.is_cuda:
            torch.cuda.current_stream().synchronize()


@dataclass(slots=True)
class _Hung:
    begin: int  # counted on and on; modulo the size of the gallery it is the place
    tokens: int
    viewers: int = 0


class EmbeddingSlots:
    """The slots in which images' embeddings lie. Only the event loop may use it."""

    def __init__(self, layer: ImageEmbedding) -> None:
        self._layer = layer
        self._size = layer.pictures.size(0)
        self._last_id = IDS // self._size * self._size
        self._next = 0
        self._hung: dict[str, _Hung] = {}
        self._left = asyncio.Event()

    @classmethod
    def for_decoder(cls, decoder: Any, tokens: int) -> "EmbeddingSlots":
        """Gives `decoder`, a causal language model, a place for that many tokens of pictures."""
        layer = ImageEmbedding(decoder.get_input_embeddings(), tokens)
        decoder.set_input_embeddings(layer)
        return cls(layer)

    def __contains__(self, name: object) -> bool:
        return name in self._hung

    @asynccontextmanager
    async def hold(self, name: str) -> AsyncIterator[None]:
        """While it is open, a picture that hangs stays."""
        self._hung[name].viewers += 1
        try:
            yield
        finally:
            self._hung[name].viewers -= 1
            self._left.set()

    def ids(self, name: str) -> range:
        hung, first = self._hung[name], self._layer.num_embeddings
        return range(first + hung.begin, first + hung.begin + hung.tokens)

    async def store(self, name: str, features: Tensor) -> None:
        """`features` [tokens, width], already on the device; waits until there is a place."""
        while (begin := self._free(len(features))) is None:
            self._left.clear()
            await self._left.wait()
        self._take_down(begin, len(features))
        self._layer.put(begin, features)
        self._hung[name] = _Hung(begin, len(features))
        self._next = (begin + len(features)) % self._last_id

    def _free(self, tokens: int) -> int | None:
        """Return the next place where so many tokens fit without overwriting what is in use."""
        begin = self._next
        while (gone := begin - self._next) <= self._size:
            viewed = [hung for hung in self._over(begin, tokens) if hung.viewers]
            if not viewed:
                return begin
            begin += max(self._until_past(begin, hung) for hung in viewed)
        assert gone > self._size or tokens <= self._size  # noqa: S101
        return None

    def _until_past(self, begin: int, hung: _Hung) -> int:
        return (hung.begin + hung.tokens - begin) % self._size or self._size

    def _take_down(self, begin: int, tokens: int) -> None:
        gone = {id(hung) for hung in self._over(begin, tokens)}
        self._hung = {name: hung for name, hung in self._hung.items() if id(hung) not in gone}

    def _over(self, begin: int, tokens: int) -> Iterator[_Hung]:
        """Return what is stored where so many tokens from `begin` on would be."""
        for hung in self._hung.values():
            ahead = (hung.begin - begin) % self._size
            behind = (begin - hung.begin) % self._size
            if ahead < tokens or behind < hung.tokens:
                yield hung


def replace_placeholders(ids: Sequence[int], blank: int, with_ids: Iterator[int]) -> list[int]:
    """Replace each `blank` among the ids with the next of `with_ids`."""
    return [next(with_ids) if token == blank else token for token in ids]
