"""Lessons become tensors, in processes that draw while the model learns."""

from collections.abc import Iterator
from random import Random
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from training.lessons import random_lesson
from training.tokens import encode

MULTIPLE = 16  # of which a batch's length is one


class Batch(NamedTuple):
    ids: torch.Tensor  # int64 [lessons, length], padded on the right
    mask: torch.Tensor  # 1 where there is an id
    labels: torch.Tensor  # -100 where nothing is to be learned
    images: torch.Tensor  # uint8 [pictures, side, side, 3]


class Lessons(IterableDataset[Batch]):
    """Endless; each process draws from a seed of its own."""

    def __init__(self, tokenizer: Any, *, batch: int, side: int, image_tokens: int, seed: int):
        self._tokenizer = tokenizer
        self._batch = batch
        self._side = side
        self._image_tokens = image_tokens
        self._seed = seed

    def __iter__(self) -> Iterator[Batch]:
        worker = get_worker_info()
        rng = Random(f"lessons {self._seed} {worker.id if worker else 0}")
        while True:
            yield self._draw(rng)

    def _draw(self, rng: Random) -> Batch:
        lessons = [random_lesson(rng) for _ in range(self._batch)]
        encoded = [encode(self._tokenizer, lesson, self._image_tokens) for lesson in lessons]
        images = [resized(image, self._side) for lesson in lessons for image in lesson.images]
        length = -(-max(len(ids) for ids, _ in encoded) // MULTIPLE) * MULTIPLE
        pad = self._tokenizer.pad_token_id
        return Batch(
            ids=_padded([ids for ids, _ in encoded], length, pad),
            mask=_padded([[1] * len(ids) for ids, _ in encoded], length, 0),
            labels=_padded([labels for _, labels in encoded], length, -100),
            images=torch.from_numpy(np.stack(images)),
        )


def resized(image: Image.Image, side: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """As the image processor does it."""
    return np.asarray(image.resize((side, side), Image.Resampling.BICUBIC))


def _padded(rows: list[list[int]], length: int, value: int) -> torch.Tensor:
    return torch.tensor([row + [value] * (length - len(row)) for row in rows])


def stream(
    tokenizer: Any, *, batch: int, side: int, image_tokens: int, workers: int, seed: int
) -> Iterator[Batch]:
    lessons = Lessons(tokenizer, batch=batch, side=side, image_tokens=image_tokens, seed=seed)
    loader = DataLoader(
        lessons,
        batch_size=None,
        num_workers=workers,
        prefetch_factor=3 if workers else None,
        pin_memory=torch.cuda.is_available(),
    )
    return iter(loader)
