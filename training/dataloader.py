"""Batches of samples as tensors, drawn by other processes during training."""

import math
from collections.abc import Iterator
from random import Random
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch.nn.functional import interpolate
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from training.auxiliary_loss import COUNTS, label_patches
from training.samples import Sample, random_sample
from training.scenes import Scene
from training.tokenizer import IGNORED, encode

PICTURES = 1.25  # images per sample, and tokens of answers: a batch has room for so many
ANSWERS = 20


class Batch(NamedTuple):
    """Tensors of constant shapes; the rest is empty images and ignored labels."""

    ids: torch.Tensor  # int64 [samples, length], padded on the right
    asks: torch.Tensor  # int64 [answer tokens]: the places in `ids`, laid flat, before each of them
    answers: torch.Tensor  # int64 [answer tokens]
    images: torch.Tensor  # uint8 [pictures, side, side, 3]
    classes: torch.Tensor  # int64 [pictures, image tokens, 4]: see `auxiliary_loss`


class SampleBatches(IterableDataset[Batch]):
    """An endless dataset; each process has its own seed."""

    def __init__(
        self, tokenizer: Any, *, batch: int, side: int, image_tokens: int, longest: int, seed: int
    ) -> None:
        self._tokenizer = tokenizer
        self._longest = longest  # tokens; longer samples are cut
        self._batch = batch
        self._side = side
        self._image_tokens = image_tokens
        self._places = math.isqrt(image_tokens)  # a side
        self._pictures = math.ceil(batch * PICTURES)
        self._seed = seed

    def __iter__(self) -> Iterator[Batch]:
        worker = get_worker_info()
        torch.set_num_threads(1)
        rng = Random(f"samples {self._seed} {worker.id if worker else 0}")
        while True:
            yield self._draw(rng)

    def _draw(self, rng: Random) -> Batch:
        samples = self._draw_samples(rng)
        encoded = [encode(self._tokenizer, sample, self._image_tokens) for sample in samples]
        ids = _pad_rows([ids for ids, _ in encoded], self._longest, self._tokenizer.pad_token_id)
        labels = _pad_rows([labels for _, labels in encoded], self._longest, IGNORED).ravel()
        answers = np.nonzero(labels != IGNORED)[0][: self._batch * ANSWERS]
        batch = Batch(
            ids=torch.from_numpy(ids),
            asks=torch.zeros(self._batch * ANSWERS, dtype=torch.long),
            answers=torch.full((self._batch * ANSWERS,), IGNORED),
            images=torch.zeros((self._pictures, self._side, self._side, 3), dtype=torch.uint8),
            classes=torch.full((self._pictures, self._image_tokens, len(COUNTS)), IGNORED),
        )
        batch.asks[: len(answers)] = torch.from_numpy(answers - 1)  # an answer never comes first
        batch.answers[: len(answers)] = torch.from_numpy(labels[answers])
        for at, (image, scene) in enumerate(_pictures(samples)):
            batch.images[at] = resize(image, self._side)
            batch.classes[at] = torch.from_numpy(label_patches(scene, image.size, self._places))
        return batch

    def _draw_samples(self, rng: Random) -> list[Sample]:
        samples: list[Sample] = []
        room = self._pictures
        while len(samples) < self._batch:
            sample = random_sample(rng)
            if len(sample.images) <= room:
                samples.append(sample)
                room -= len(sample.images)
        return samples


def _pictures(samples: list[Sample]) -> Iterator[tuple[Image.Image, Scene | None]]:
    for sample in samples:
        yield from zip(sample.images, sample.scenes, strict=True)


def resize(image: Image.Image, side: int) -> torch.Tensor:
    """Resize as the image processor does, up to rounding, in half its time."""
    pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1)
    small = interpolate(pixels[None], (side, side), mode="bicubic", antialias=True)
    return small[0].permute(1, 2, 0)


def _pad_rows(rows: list[list[int]], length: int, value: int) -> NDArray[np.int64]:
    table = np.full((len(rows), length), value)
    for at, row in enumerate(rows):
        table[at, : len(row)] = row[:length]
    return table


def stream_batches(
    tokenizer: Any,
    *,
    batch: int,
    side: int,
    image_tokens: int,
    longest: int,
    workers: int,
    seed: int,
) -> Iterator[Batch]:
    samples = SampleBatches(
        tokenizer, batch=batch, side=side, image_tokens=image_tokens, longest=longest, seed=seed
    )
    loader = DataLoader(
        samples,
        batch_size=None,
        num_workers=workers,
        prefetch_factor=3 if workers else None,
        pin_memory=torch.cuda.is_available(),
    )
    return iter(loader)
